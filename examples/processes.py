# A process has an id, and a parent with an id.
#
#     python3 examples/processes.py
import multiprocessing
import os


def main():
    spawn = multiprocessing.get_context("spawn")
    tell("Parent")
    p = spawn.Process(target=tell, args=("Child",))
    p.start()
    p.join()


def tell(name):
    print(f"{name}: process id {os.getpid()}")
    print(f"{name}: its parent has id {os.getppid()}")


if __name__ == "__main__":
    main()
