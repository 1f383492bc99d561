# When `put` has returned, is the value in the queue?
#
#     python3 examples/queue_feeder.py
import multiprocessing
import threading

looked = threading.Event()


def main():
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue(10)
    queue.put(Seven())
    empty = str(queue.empty()).lower()
    print(f"put has returned: empty is {empty}")
    looked.set()
    print(f"got {queue.get()}")


class Seven:
    def __reduce__(self):  # the feeder thread calls this
        looked.wait()
        return int, (7,)


if __name__ == "__main__":
    main()
