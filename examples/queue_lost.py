# A producer is killed after its `put` has returned. Is the
# value in the queue?
#
#     python3 examples/queue_lost.py
import multiprocessing
import time
from queue import Empty


def main():
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue(10)
    receiver, sender = spawn.Pipe(duplex=False)
    shared = (queue, sender)
    child = spawn.Process(target=produce, args=shared)
    child.start()
    print(f"Child: {receiver.recv()}")
    child.kill()
    child.join()
    try:
        print(f"Parent: got {queue.get(timeout=1)}")
    except Empty:
        print("Parent: nothing within a second")


def produce(queue, sender):
    queue.put(Seven())
    sender.send("put has returned")
    time.sleep(60)


class Seven:
    def __reduce__(self):  # takes long, in the feeder thread
        time.sleep(60)
        return int, (7,)


if __name__ == "__main__":
    main()
