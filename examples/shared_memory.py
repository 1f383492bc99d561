# The child writes into memory that the parent reads.
#
#     python3 examples/shared_memory.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    result = spawn.Array("i", 4)
    square_sum = spawn.Value("i")
    args = (result, square_sum)
    p1 = spawn.Process(target=square_list, args=args)
    p1.start()
    p1.join()
    print(f"Result (in main program): {result[:]}")
    print(f"Sum (in main program): {square_sum.value}")


def square_list(result, square_sum):
    for place, number in enumerate([1, 2, 3, 4]):
        result[place] = number * number
    square_sum.value = sum(result)
    print(f"Result (in process p1): {result[:]}")
    print(f"Sum (in process p1): {square_sum.value}")


if __name__ == "__main__":
    main()
