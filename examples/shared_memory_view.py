# A copy of an array, and a view of it.
#
#     python3 examples/shared_memory_view.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    numbers = spawn.Array("i", [1, 2, 3, 4])
    copy = numbers[:]
    copy[0] = 100
    print(f"After a change of the copy: {numbers[:]}")
    with numbers.get_lock():
        flat = memoryview(numbers.get_obj()).cast("B")
        view = flat.cast("i")
        view[0] = 100
    print(f"After a change of the view: {numbers[:]}")


if __name__ == "__main__":
    main()
