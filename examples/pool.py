# A pool: four workers share the calls of one function.
#
#     python3 examples/pool.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(4) as pool:
        squares = pool.map(square, range(10))
        print(squares)


def square(number):
    return number * number


if __name__ == "__main__":
    main()
