# Three places. Which process comes to which?
#
#     python3 examples/spawn_guard.py
import multiprocessing
import os


def main():
    show("after the guard")
    spawn = multiprocessing.get_context("spawn")
    p = spawn.Process(target=child)
    p.start()
    p.join()


def child():
    show("the function of the child")


def show(place):
    print(f"Process {os.getpid()}: {place}")


show("before the guard")
if __name__ == "__main__":
    main()
