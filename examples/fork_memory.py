# The child fills a list; the parent's list stays empty.
#
#     python3 examples/fork_memory.py
import multiprocessing

result = []


def main():
    fork = multiprocessing.get_context("fork")
    numbers = [1, 2, 3, 4]
    p1 = fork.Process(target=square_list, args=(numbers,))
    p1.start()
    p1.join()
    show("main program")


def square_list(numbers):
    for number in numbers:
        result.append(number * number)
    show("process p1")


def show(place):
    print(f"Result(in {place}): {result}")


if __name__ == "__main__":
    main()
