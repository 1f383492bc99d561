# The tasks count in a global variable.
#
#     python3 examples/executor_static.py
import multiprocessing
from concurrent.futures import (
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)

counted = []


def main():
    spawn = multiprocessing.get_context("spawn")
    run("threads", ThreadPoolExecutor(2))
    run("processes", ProcessPoolExecutor(2, spawn))


# ANCHOR: count
def run(what, executor):
    counted.clear()
    with executor:
        list(executor.map(count, range(5)))
    print(f"{what}: {len(counted)}")


def count(number):
    counted.append(number)
# ANCHOR_END: count


if __name__ == "__main__":
    main()
