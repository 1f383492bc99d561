"""Prints the seconds that so many additions under a lock take, by one process or by
two: sync.py 2 1000"""

import sys
from multiprocessing import get_context
from time import perf_counter

fork = get_context("fork")


def add(counter, times):
    for _ in range(times):
        with counter.get_lock():
            counter.value += 1


processes, times = int(sys.argv[1]), int(sys.argv[2])
counter = fork.Value("Q", 0)
others = [
    fork.Process(target=add, args=(counter, times // processes))
    for _ in range(processes - 1)
]
start = perf_counter()
for other in others:
    other.start()
add(counter, times // processes)
for other in others:
    other.join()
print(perf_counter() - start)
