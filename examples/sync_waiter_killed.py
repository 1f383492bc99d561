# A process is killed while it waits. Does the one that would
# wake it go on?
#
#     python3 examples/sync_waiter_killed.py
import multiprocessing

fork = multiprocessing.get_context("fork")


def main():
    event = fork.Event()
    show("Event.set", event.wait, event.set)
    condition = fork.Condition()
    with_lock = condition.acquire
    show(
        "Condition.notify_all",
        lambda: with_lock() and condition.wait(),
        lambda: with_lock() and condition.notify_all(),
    )
    barrier = fork.Barrier(2)
    show("Barrier.wait", barrier.wait, barrier.wait)


def show(name, wait, wake):
    ours, theirs = fork.Pipe()
    ready = lambda: theirs.send("ready")
    waiter = fork.Process(target=lambda: (ready(), wait()))
    waiter.start()
    ours.recv()
    while not is_asleep(waiter.pid):
        pass
    waiter.kill()
    waiter.join()
    waker = fork.Process(target=wake)
    waker.start()
    waker.join(1)
    ended = waker.exitcode is not None
    print(f"{name} {'goes on' if ended else 'hangs'}")
    waker.kill()
    waker.join()


def is_asleep(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().split()[2] == "S"


if __name__ == "__main__":
    main()
