# A worker dies in the second of three tasks. What is left?
#
#     python3 examples/executor_crash.py
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def main():
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn) as executor:
        # ANCHOR: results
        tasks = [executor.submit(square, n) for n in [1, 2, 3]]
        for task in tasks:
            try:
                print(task.result())
            except BrokenProcessPool:
                print("lost")
        try:
            executor.submit(square, 4)
        except BrokenProcessPool as error:
            print(f"a new task: {error}")
        # ANCHOR_END: results


def square(number):
    if number == 2:
        # As the kernel does when no memory is left.
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


if __name__ == "__main__":
    main()
