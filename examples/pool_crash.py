# The second of three tasks kills its worker. What becomes of
# the others?
#
#     python3 examples/pool_crash.py
import multiprocessing
import os
import signal


def main():
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2) as pool:
        # ANCHOR: results
        results = pool.imap(square, range(1, 4))
        for n, result in enumerate(results, start=1):
            print(f"{n}: {result}")
        # ANCHOR_END: results


def square(number):
    if number == 2:
        # As the kernel does when no memory is left.
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


if __name__ == "__main__":
    main()
