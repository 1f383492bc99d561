"""Prints the seconds that tasks take: executor.py fibonacci-threads 30"""

import sys

del sys.path[0]  # this folder: its queue.py is not Python's module
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from time import perf_counter, sleep


def same(number):
    return number


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def make(by, workers):
    if by == "threads":
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(workers, mp_context=get_context("fork"))


def submit_all(executor, f, arguments):
    for task in [executor.submit(f, argument) for argument in arguments]:
        task.result()


def time_empty(by, count):
    with make(by, 2) as executor:
        submit_all(executor, same, range(count // 10))
        start = perf_counter()
        submit_all(executor, same, range(count))
        print(perf_counter() - start)


def time_whole(by, f, arguments, workers):
    start = perf_counter()
    if by == "alone":
        for argument in arguments:
            f(argument)
    else:
        with make(by, workers) as executor:
            submit_all(executor, f, arguments)
    print(perf_counter() - start)


what, by = sys.argv[1].split("-")
number = int(sys.argv[2])
if what == "empty":
    time_empty(by, number)
elif what == "fibonacci":
    time_whole(by, fibonacci, range(20, number + 1), 2)
else:
    time_whole(by, sleep, [0.02] * number, 3)
