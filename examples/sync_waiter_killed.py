# A process is killed while it waits. Does the one that would
# wake it go on?
#
#     python3 examples/sync_waiter_killed.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    show("Event.set", spawn.Event(), wait, set_event)
    show("Condition.notify", spawn.Condition(), hold, notify)
    show("Barrier.wait", spawn.Barrier(2), wait, wait)


def show(name, thing, waits, wakes):
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    args = (waits, thing, theirs)
    waiter = spawn.Process(target=run, args=args)
    waiter.start()
    ours.recv()
    time.sleep(0.5)  # now it sleeps
    waiter.kill()
    waiter.join()
    args = (wakes, thing, theirs)
    waker = spawn.Process(target=run, args=args)
    waker.start()
    waker.join(2)
    hangs = waker.is_alive()
    print(f"{name}: {'hangs' if hangs else 'goes on'}")
    waker.kill()
    waker.join()
