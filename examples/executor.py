# One function, two executors: threads or processes.
#
#     python3 examples/executor.py
import multiprocessing
from concurrent.futures import (
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)


def main():
    spawn = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(3) as executor:
        compute(executor)
    with ProcessPoolExecutor(3, mp_context=spawn) as executor:
        compute(executor)


def compute(executor):
    future = executor.submit(square, 12)
    for result in executor.map(square, [1, 2, 3]):
        print(f"map: {result}")
    print(f"submit: {future.result()}")


def square(number):
    return number * number


if __name__ == "__main__":
    main()
