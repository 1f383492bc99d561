# A block with a name. Another process attaches to it, and
# its creator removes the name.
#
#     python3 examples/shared_memory_named.py
import multiprocessing
import os
from multiprocessing.shared_memory import SharedMemory


def main():
    spawn = multiprocessing.get_context("spawn")
    name = f"shared_memory_named-{os.getpid()}"
    block = SharedMemory(name, create=True, size=100)
    block.buf[:5] = b"hello"
    p = spawn.Process(target=answer, args=(name,))
    p.start()
    p.join()
    print(f"Parent read: {bytes(block.buf[:5]).decode()}")
    block.close()
    block.unlink()
    try:
        SharedMemory(name)
        print("The name is still there.")
    except FileNotFoundError:
        print("The name is gone.")


def answer(name):
    block = SharedMemory(name)
    print(f"Child read: {bytes(block.buf[:5]).decode()}")
    block.buf[:5] = b"HELLO"
    block.close()


if __name__ == "__main__":
    main()
