# Ten processes at once: start all, then wait for all.
#
#     python3 examples/process_many.py
import multiprocessing
import os


def main():
    spawn = multiprocessing.get_context("spawn")
    processes = []
    for n in range(10):
        p = spawn.Process(target=square, args=(n,))
        p.start()
        processes.append(p)
    for p in processes:
        p.join()


def square(n):
    child, parent = os.getpid(), os.getppid()
    print(f"child id {child}; parent id {parent}; {n * n}")


if __name__ == "__main__":
    main()
