"""Prints the seconds that so many messages take: queue.py Queue-4-4-40 1000"""

import sys

del sys.path[0]  # this folder: here "queue" is not Python's module
from multiprocessing import get_context
from time import perf_counter  # one clock for all processes

context = get_context("fork")


def make(kind):
    if kind == "faster_fifo":
        from faster_fifo import Queue

        return Queue(1 << 20)
    return context.Queue(1024) if kind == "Queue" else context.SimpleQueue()


def put_all(queue, size, count, start, spans):
    message = bytes(size)
    start.wait()
    begin = perf_counter()
    for _ in range(count):
        queue.put(message)
    spans.put((begin, perf_counter()))


def get_all(queue, size, count, start, spans):
    start.wait()
    begin = perf_counter()
    for _ in range(count):
        queue.get()
    spans.put((begin, perf_counter()))


kind, *numbers = sys.argv[1].split("-")
producers, consumers, size = map(int, numbers)
times = int(sys.argv[2])
workers = producers + consumers
queue, spans = make(kind), context.SimpleQueue()
start = context.Barrier(workers)
roles = [(put_all, times // producers)] * producers
roles += [(get_all, times // consumers)] * consumers
processes = [
    context.Process(target=role, args=(queue, size, count, start, spans))
    for role, count in roles
]
for process in processes:
    process.start()
begins, ends = zip(*(spans.get() for _ in processes))
print(max(ends) - min(begins))
for process in processes:
    process.join()
