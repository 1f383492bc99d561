# Three processes, and the one that ends first.
#
#     python3 examples/process_first.py
import multiprocessing
import time
from multiprocessing.connection import wait


def main():
    spawn = multiprocessing.get_context("spawn")
    children = [
        spawn.Process(target=work, args=(number,))
        for number in range(3)
    ]
    for child in children:
        child.start()
    ready = wait([child.sentinel for child in children])
    ended = [
        number
        for number, child in enumerate(children)
        if child.sentinel in ready
    ]
    print(f"These have ended: {ended}")
    for child in children:
        child.kill()
        child.join()


def work(number):
    if number != 1:
        time.sleep(1_000_000)


if __name__ == "__main__":
    main()
