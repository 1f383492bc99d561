# Four tasks and one worker: the first runs, three wait. All
# are cancelled.
#
#     python3 examples/executor_cancel.py
import multiprocessing
import time
from concurrent.futures import (
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)

fork = multiprocessing.get_context("fork")
started, go = fork.Event(), fork.Event()


def main():
    cancel_all("thread", ThreadPoolExecutor(1), 1)
    cancel_all("process", ProcessPoolExecutor(1, fork), 3)


# ANCHOR: cancel
def cancel_all(worker, executor, running):
    started.clear()
    go.clear()
    first = executor.submit(work)
    started.wait()
    tasks = [first] + [executor.submit(work) for _ in range(3)]
    while count_running(tasks) < running:
        time.sleep(0)
    for task in tasks:
        task.cancel()  # False if it could not
    go.set()
    executor.shutdown()
    ends = ["done", "cancelled"]
    ends = [ends[task.cancelled()] for task in tasks]
    print(f"{worker}: {', '.join(ends)}")
# ANCHOR_END: cancel


def count_running(tasks):
    return sum(task.running() for task in tasks)


def work():
    started.set()
    go.wait()


if __name__ == "__main__":
    main()
