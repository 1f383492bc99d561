# `sys.exit` in the child runs what the parent had registered
# for its own exit; `_exit` does not.
#
#     python3 examples/fork_exit.py
import atexit
import os
import sys


def main():
    print(f"Parent: process {os.getpid()}", flush=True)
    atexit.register(clean_up)
    end_child("exit", sys.exit)
    end_child("_exit", os._exit)


def end_child(name, end):
    print(f"The child ends by {name}.", flush=True)
    pid = os.fork()
    if pid == 0:
        end(0)
    os.waitpid(pid, 0)


def clean_up():
    print(f"Process {os.getpid()} removes the files.")


main()
