# `imap` over numbers without end. How many are read, before
# four results are taken?
#
#     python3 examples/pool_imap_endless.py
import itertools
import multiprocessing
import threading


def main():
    spawn = multiprocessing.get_context("spawn")
    many = threading.Event()
    with spawn.Pool(2) as pool:
        # ANCHOR: imap
        def read():
            for number in itertools.count():
                yield number
                if number == 10_000:
                    many.set()

        results = pool.imap(square, read())
        many.wait()
        squares = list(itertools.islice(results, 4))
        # ANCHOR_END: imap
    print(f"{squares}: over 10000 items were read")


def square(number):
    return number * number


if __name__ == "__main__":
    main()
