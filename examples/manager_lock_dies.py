# A process is killed while it holds a manager's lock.
#
#     python3 examples/manager_lock_dies.py
import multiprocessing
import time


# ANCHOR: main
def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager:
        lock = manager.Lock()
        held = manager.Event()
        p = spawn.Process(target=hold, args=(lock, held))
        p.start()
        held.wait()
        p.kill()
        p.join()

        if not lock.acquire(timeout=1):
            print("No lock after a second")
# ANCHOR_END: main


def hold(lock, held):
    with lock:
        held.set()
        time.sleep(60)  # until it is killed


if __name__ == "__main__":
    main()
