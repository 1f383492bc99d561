# Thirty tasks that wait, by one thread, three threads and
# three processes.
#
#     python3 examples/executor_io.py
import multiprocessing
import time
from concurrent.futures import (
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)


def main():
    fork = multiprocessing.get_context("fork")
    measure("1 thread", ThreadPoolExecutor(1))
    measure("3 threads", ThreadPoolExecutor(3))
    measure("3 processes", ProcessPoolExecutor(3, fork))


def measure(workers, executor):
    start = time.monotonic()
    with executor:
        pauses = list(executor.map(pause, [30] * 30))
        seconds = time.monotonic() - start
    print(f"{workers}: {seconds:.2f} s")
    assert pauses == [30] * 30


# ANCHOR: pause
def pause(milliseconds):
    """As a task that waits for a disk or another machine."""
    time.sleep(milliseconds / 1000)
    return milliseconds
# ANCHOR_END: pause


if __name__ == "__main__":
    main()
