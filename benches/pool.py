"""Prints the seconds that so many tasks take: pool.py map-100 1000"""

import os
import sys

del sys.path[0]  # this folder: its queue.py is not Python's module
from multiprocessing import get_context
from time import perf_counter


def same(number):
    return number


def spin_for(length):
    end = perf_counter() + length
    while perf_counter() < end:
        pass


def use_core(core):
    os.sched_setaffinity(0, [core])


def time_warm(count, run):
    run(-(-count // 10))
    start = perf_counter()
    run(count)
    print(perf_counter() - start)


def time_map(count, chunk):
    with context.Pool(2) as pool:
        time_warm(count, lambda n: pool.map(same, range(n), chunk))


def time_loky(count):
    from loky import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as pool:
        time_warm(count, lambda n: list(pool.map(same, range(n))))


def time_spin(count, length):
    with context.Pool(2) as pool:
        time_warm(count, lambda n: pool.map(spin_for, [length] * n))


def time_echo(count):
    large = bytes(1 << 20)
    with context.Pool(2) as pool:
        time_warm(count, lambda n: pool.map(same, [large] * n, 1))


def time_apply(count, core):
    """The median and the 99th percentile, without the first 1,000."""
    with context.Pool(1, use_core, [core]) as pool:
        times = []
        for number in range(count):
            start = perf_counter()
            pool.apply(same, [number])
            times.append(perf_counter() - start)
    times = sorted(times[1000:])
    print(times[len(times) // 2], times[len(times) * 99 // 100])


context = get_context("fork")
what, *number = sys.argv[1].split("-")
number, count = int(number[0]) if number else None, int(sys.argv[2])
if what == "map":
    time_map(count, number)
elif what == "loky":
    time_loky(count)
elif what == "spin":
    time_spin(count, number / 1e6)
elif what == "echo":
    time_echo(count)
else:
    time_apply(count, number)
