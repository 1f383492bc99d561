"""Prints the seconds that so many copies take: shared_memory.py array-write-65536 100"""

import sys
from multiprocessing import Array
from multiprocessing.shared_memory import SharedMemory
from time import perf_counter


def measure(copy, times):
    copy()
    start = perf_counter()
    for _ in range(times):
        copy()
    print(perf_counter() - start)


kind, mode, size = sys.argv[1].split("-")
size, times = int(size), int(sys.argv[2])
data = bytes(size)
if kind == "array":
    array = Array("B", size)

    def write():
        array[:] = data

    def read():
        return array[:]

    measure(write if mode == "write" else read, times)
elif kind == "view":
    array = Array("B", size)
    view = memoryview(array.get_obj()).cast("B")

    def write():
        with array.get_lock():
            view[:] = data

    def read():
        with array.get_lock():
            return bytes(view)

    measure(write if mode == "write" else read, times)
else:
    block = SharedMemory(create=True, size=size)

    def write():
        block.buf[:size] = data

    def read():
        return bytes(block.buf[:size])

    measure(write if mode == "write" else read, times)
    block.close()
    block.unlink()
