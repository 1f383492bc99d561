# Four children put their results into one queue. Which result
# belongs to which child?
#
#     python3 examples/queue_results.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    numbers = [12, 3, 30, 1]
    queue = spawn.Queue(10)
    children = []
    for task in enumerate(numbers):
        args = (task, queue)
        child = spawn.Process(target=square, args=args)
        child.start()
        children.append(child)
    # ANCHOR: collect
    squares = [0] * 4
    for _ in numbers:
        index, result = queue.get()  # in any order
        squares[index] = result
    for child in children:
        child.join()
    # ANCHOR_END: collect
    print(squares)


def square(task, queue):
    index, n = task
    queue.put((index, n * n))


if __name__ == "__main__":
    main()
