# The holder of a lock is killed. Nobody ever gets it again.
#
#     python3 examples/sync_owner_dies.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    account = spawn.Array("q", [20, 0, 20])
    held = spawn.Event()
    p = spawn.Process(target=hold, args=(account, held))
    p.start()
    held.wait()
    p.kill()
    p.join()

    lock = account.get_lock()
    if not lock.acquire(timeout=1):
        print("no lock after a second")


def hold(account, held):
    with account.get_lock():
        account[1] = 30
        held.set()
        time.sleep(60)  # the sum is still to be changed
        account[2] = 50


if __name__ == "__main__":
    main()
