# The fork server: a process with one thread, which forks a
# child on request.
#
#     python3 examples/spawn_forkserver.py
import multiprocessing
import os


def main():
    forkserver = multiprocessing.get_context("forkserver")
    print(f"Parent: process id {os.getpid()}")
    for _ in range(2):
        p = forkserver.Process(target=child)
        p.start()
        p.join()


def child():
    print(f"Child: process id {os.getpid()}")
    print(f"Child: its parent has id {os.getppid()}")


if __name__ == "__main__":
    main()
