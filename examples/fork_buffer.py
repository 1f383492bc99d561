# Text that waits in a buffer when the process forks is
# printed twice.
#
#     python3 examples/fork_buffer.py
import os
import sys


def main():
    print("Waiting in the buffer. ", end="")
    fork_and_greet()
    print("Flushed before the fork. ", end="")
    sys.stdout.flush()
    fork_and_greet()


def fork_and_greet():
    pid = os.fork()
    if pid == 0:
        print("I am the child.")
        sys.exit()
    os.waitpid(pid, 0)
    print("I am the parent.")


main()
