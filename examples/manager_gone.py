# The server is killed. What does the next call say?
#
#     python3 examples/manager_gone.py
import multiprocessing
import os
import shutil
import signal


def main():
    spawn = multiprocessing.get_context("spawn")
    manager = spawn.Manager()
    numbers = manager.list([1, 2])
    numbers.append(3)
    # ANCHOR: kill
    pid = manager._process.pid
    os.kill(pid, signal.SIGKILL)
    manager._process.join()
    for _ in range(2):
        try:
            print(f"{len(numbers)} numbers")
        except (OSError, EOFError) as error:
            print(repr(error))
    # ANCHOR_END: kill
    shutil.rmtree(os.path.dirname(manager.address))


if __name__ == "__main__":
    main()
