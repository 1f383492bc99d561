# A parent that does not wait? Python waits at its exit.
#
#     python3 examples/process_unjoined.py
import multiprocessing
import os
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    p = spawn.Process(target=child, args=(os.getpid(),))
    p.start()
    print("Parent: ends without a join")


def child(parent):
    time.sleep(0.5)  # the parent has long been at its end
    there = os.getppid() == parent
    there = "is still there" if there else "has ended"
    print(f"Child: its parent {there}")


if __name__ == "__main__":
    main()
