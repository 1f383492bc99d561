# Tasks that compute, by one thread, three threads and three
# processes.
#
#     python3 examples/executor_cpu.py
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
        numbers = list(executor.map(fibonacci, range(24, 31)))
        seconds = time.monotonic() - start
    print(f"{workers}: {seconds:.2f} s")
    assert numbers[0] == 46368  # in order


def fibonacci(n):
    """As slow as can be, on purpose."""
    if n < 2:
        return n
    return fibonacci(n - 1) + fibonacci(n - 2)


if __name__ == "__main__":
    main()
