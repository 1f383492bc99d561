# A function of two arguments: each item is a tuple.
#
#     python3 examples/pool_starmap.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(2) as pool:
        items = [(2, 5), (3, 2), (10, 3)]
        print(pool.starmap(power, items))


def power(base, exponent):
    return base**exponent


if __name__ == "__main__":
    main()
