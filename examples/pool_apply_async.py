# `apply_async` does not wait, but `get` does: first give all
# tasks, then get the results.
#
#     python3 examples/pool_apply_async.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(3) as pool:
        # ANCHOR: one_by_one
        start, total = time.monotonic(), 0
        for number in [1, 2, 3]:
            total += pool.apply_async(square, [number]).get()
        tell("One by one", total, start)
        # ANCHOR_END: one_by_one
        # ANCHOR: together
        start, total = time.monotonic(), 0
        give = lambda number: pool.apply_async(square, [number])
        for result in [give(number) for number in [1, 2, 3]]:
            total += result.get()
        tell("Together", total, start)
        # ANCHOR_END: together
        # ANCHOR: timeout
        result = pool.apply_async(square, [600])
        try:
            print(result.get(timeout=0.1))
        except multiprocessing.TimeoutError:
            print("No result after 0.1 s")
        # ANCHOR_END: timeout


def tell(how, total, start):
    seconds = time.monotonic() - start
    print(f"{how}: {total} after {seconds:.1f} s")


def square(number):
    time.sleep(number / 10)
    return number * number


if __name__ == "__main__":
    main()
