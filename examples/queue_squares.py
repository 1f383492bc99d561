# One process puts squares into a queue, another prints them.
# How does it learn that there are no more?
#
#     python3 examples/queue_squares.py
import multiprocessing


# ANCHOR: main
def main():
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue(10)
    task = ([2, 3, 4], queue)
    p1 = spawn.Process(target=put_squares, args=task)
    p1.start()
    p2 = spawn.Process(target=print_all, args=(queue,))
    p2.start()
    p1.join()
    queue.put(None)  # the only producer has ended
    p2.join()
# ANCHOR_END: main


def put_squares(numbers, queue):
    for number in numbers:
        queue.put(number * number)


# ANCHOR: print_all
def print_all(queue):
    for square in iter(queue.get, None):
        print(square)
    print("None has come: the end.")
# ANCHOR_END: print_all


if __name__ == "__main__":
    main()
