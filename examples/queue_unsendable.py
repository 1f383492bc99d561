# A lock cannot lie in a queue. Who learns that, and what
# becomes of the value?
#
#     python3 examples/queue_unsendable.py
import multiprocessing
import sys

sys.tracebacklimit = 0  # short tracebacks


def main():
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue(10)
    lock = spawn.Lock()
    queue.put(("first", lock))  # no error
    queue.put(("second", None))
    name, _ = queue.get()
    print(f"got {name}")


if __name__ == "__main__":
    main()
