# The second of three tasks fails. What does map give?
#
#     python3 examples/executor_failure.py
from concurrent.futures import ThreadPoolExecutor


def main():
    with ThreadPoolExecutor(2) as executor:
        # ANCHOR: results
        results = executor.map(invert, [4, 0, 5])
        while True:
            try:
                print(next(results), "%")
            except ValueError as error:
                print(error)
            except StopIteration:
                break
        # ANCHOR_END: results


def invert(number):
    if number == 0:
        raise ValueError("0 has no inverse")
    return 100 // number


if __name__ == "__main__":
    main()
