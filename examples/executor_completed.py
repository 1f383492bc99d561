# The last task is done first: results as they come.
#
#     python3 examples/executor_completed.py
from concurrent.futures import (
    FIRST_COMPLETED,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from threading import Event


def main():
    gates = [Event(), Event(), Event()]
    with ThreadPoolExecutor(3) as executor:
        tasks = {}  # future: name and index
        for index, name in enumerate("ABC"):
            task = executor.submit(work, index, gates[index])
            tasks[task] = (name, index)

        gates[2].set()  # C may end
        done, _ = wait(tasks, return_when=FIRST_COMPLETED)
        for task in done:
            print(f"done: {tasks[task][0]}")
        for task in as_completed(tasks):
            name, index = tasks[task]
            print(f"{name}: {task.result()}")
            gates[max(index - 1, 0)].set()  # the one before


def work(index, gate):
    gate.wait()
    return f"task {index} was let go"


if __name__ == "__main__":
    main()
