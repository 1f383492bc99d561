# One call, two returns: the parent gets the id of the
# child, the child gets 0.
#
#     python3 examples/fork.py
import os


def main():
    print(f"Parent process id: {os.getpid()}")
    print("Create child process.")
    pid = os.fork()
    if pid == 0:
        print(f"Child process id: {os.getpid()}")
    else:
        print(f"Created child process with pid: {pid}")
        os.waitpid(pid, 0)


main()
