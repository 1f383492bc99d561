# The second of three tasks fails. What do the others give?
#
#     python3 examples/pool_task_fails.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(2) as pool:
        # ANCHOR: results
        results = pool.imap(invert, [4, 0, 5])
        for _ in range(3):
            try:
                print(next(results), "%")
            except ValueError as error:
                print(error)
        # ANCHOR_END: results
        everything = pool.map(invert, [4, 5, 10])
        print(f"The pool goes on: {everything}")


def invert(number):
    if number == 0:
        raise ValueError("0 has no inverse")
    return 100 // number


if __name__ == "__main__":
    main()
