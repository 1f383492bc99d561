# A task waits for another task of the same executor, which
# has one worker.
#
#     python3 examples/executor_deadlock.py
from concurrent.futures import ThreadPoolExecutor, TimeoutError

EXECUTOR = ThreadPoolExecutor(1)


def main():
    print(EXECUTOR.submit(outer).result())
    print(EXECUTOR.submit(inner, 4).result())


# ANCHOR: tasks
def outer():
    task = EXECUTOR.submit(inner, 3)
    # Without the time limit, this would wait for ever.
    try:
        return task.result(timeout=0.2)
    except TimeoutError:
        return "nobody is free to do the task"


def inner(number):
    return number * number
# ANCHOR_END: tasks


if __name__ == "__main__":
    main()
