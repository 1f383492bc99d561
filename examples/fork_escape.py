# An error in the child returns into the parent's code, and
# then two processes run it.
#
#     python3 examples/fork_escape.py
import os


def main():
    print(f"Parent: process {os.getpid()}", flush=True)
    try:
        start()
    except OSError:
        print("No worker was started.")
    print(f"Process {os.getpid()} sends the report.")


def start():
    pid = os.fork()
    if pid == 0:
        work()  # leaves `start`, and not the process
        os._exit(0)
    os.waitpid(pid, 0)


def work():
    open("/no/such/file").close()


main()
