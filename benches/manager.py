"""Prints the seconds that so many calls of each client take: manager.py unix-4 1000"""

import sys

del sys.path[0]  # this folder: here "queue" is not Python's module
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from time import perf_counter  # one clock for all processes

context = get_context("fork")


def make(kind):
    address = ("127.0.0.1", 0) if kind == "tcp" else None
    manager = SyncManager(address=address, ctx=context)
    manager.start()
    return manager


def set_all(values, count, start, spans):
    values[1] = 1
    start.wait()
    begin = perf_counter()
    for _ in range(count):
        values[1] = 1
    spans.put((begin, perf_counter()))


def start_all(count):
    begin = perf_counter()
    for _ in range(count):
        manager = make("unix")
        manager.Event()
        manager.shutdown()
    return perf_counter() - begin


def call_all(kind, clients, count):
    values = (manager := make(kind)).dict()
    start, spans = context.Barrier(clients), context.SimpleQueue()
    arguments = (values, count, start, spans)
    processes = [context.Process(target=set_all, args=arguments) for _ in range(clients)]
    for process in processes:
        process.start()
    begins, ends = zip(*(spans.get() for _ in processes))
    for process in processes:
        process.join()
    manager.shutdown()
    return max(ends) - min(begins)


kind, clients = sys.argv[1].split("-")
times = int(sys.argv[2])
print(start_all(times) if kind == "start" else call_all(kind, int(clients), times))
