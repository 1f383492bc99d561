# Start a process, do something else, wait for it.
#
#     python3 examples/process.py
import multiprocessing
import os


def main():
    spawn = multiprocessing.get_context("spawn")
    p = spawn.Process(target=work, args=("p1", 12))
    p.start()
    print(f"Started process {p.pid}")
    p.join()
    print("Main process end")


def work(name, number):
    square = number * number
    pid = os.getpid()
    print(f"{name} in process {pid}: {square}")


if __name__ == "__main__":
    main()
