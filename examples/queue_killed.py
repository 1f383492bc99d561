# A consumer is killed while it waits for a value, a producer
# while it waits for room. Do the others go on?
#
#     python3 examples/queue_killed.py
import multiprocessing
from queue import Empty

fork = multiprocessing.get_context("fork")


# ANCHOR: main
def main():
    queue = fork.Queue(3)
    kill_asleep(queue.get)
    print("The consumer is killed")
    kill_asleep(lambda: [queue.put(n) for n in range(4)])
    print("The producer is killed")
    try:
        for _ in range(3):
            show(queue)
        queue.put(4)
        show(queue)
    except Empty:
        print("Nothing within a second")
# ANCHOR_END: main


def kill_asleep(f):
    receiver, ready = fork.Pipe(duplex=False)
    target = lambda: (ready.send("ready"), f())
    child = fork.Process(target=target)
    child.start()
    receiver.recv()
    while not is_asleep(child.pid):
        pass
    child.kill()
    child.join()


def is_asleep(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().split()[2] == "S"


def show(queue):
    print(f"got {queue.get(timeout=1)}")


if __name__ == "__main__":
    main()
