# Each task gets a queue among its arguments.
#
#     python3 examples/pool_queue.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(2) as pool:
        queue = spawn.Queue(10)
        try:
            tasks = [(queue, n) for n in [2, 3, 4]]
            pool.starmap(put_square, tasks)
        except RuntimeError as error:
            print(error)
        # ANCHOR: manager
        with spawn.Manager() as manager:  # one more process
            queue = manager.Queue(10)
            tasks = [(queue, n) for n in [2, 3, 4]]
            pool.starmap(put_square, tasks)
            squares = [queue.get() for _ in range(3)]
        # ANCHOR_END: manager
    print(f"Sum of the squares: {sum(squares)}")


def put_square(queue, number):
    queue.put(number * number)


if __name__ == "__main__":
    main()
