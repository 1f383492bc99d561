# A loop that ends when the queue is empty misses what comes
# later. A loop that ends when None comes does not.
#
#     python3 examples/queue_empty.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    queue, looked = spawn.Queue(10), spawn.Event()
    shared = (queue, looked)
    child = spawn.Process(target=put_squares, args=shared)
    child.start()
    # ANCHOR: loops
    got = []
    while not queue.empty():
        got.append(queue.get())
    print(f"While it was not empty: {got}")
    looked.set()
    child.join()
    queue.put(None)
    got.extend(iter(queue.get, None))
    print(f"At the end: {got}")
    # ANCHOR_END: loops


def put_squares(queue, looked):
    looked.wait()  # a child also begins later than its parent
    for number in range(1, 4):
        queue.put(number * number)


if __name__ == "__main__":
    main()
