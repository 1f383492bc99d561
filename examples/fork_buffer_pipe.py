# On a pipe, Python keeps whole lines back, too: each line
# that was printed before the fork comes twice.
#
#     python3 examples/fork_buffer_pipe.py | cat
#
# Expect: on a pipe
import os


def main():
    print("Before the fork.")
    pid = os.fork()
    if pid == 0:
        print("I am the child.")
    else:
        os.waitpid(pid, 0)
        print("I am the parent.")


main()
