# A signal handler sets the event that its own process waits
# for. Does the wait end?
#
#     python3 examples/sync_event_handler.py
import multiprocessing
import signal

fork = multiprocessing.get_context("fork")
stop = fork.Event()


def main():
    ours, theirs = fork.Pipe()
    worker = fork.Process(target=work, args=(theirs,))
    worker.start()
    ours.recv()
    while not is_asleep(worker.pid):
        pass
    worker.terminate()  # sends SIGTERM
    worker.join(1)
    ended = worker.exitcode is not None
    print(f"The worker {'ends' if ended else 'hangs'}.")
    worker.kill()
    worker.join()


def work(ready):
    on_term = lambda _number, _frame: stop.set()
    signal.signal(signal.SIGTERM, on_term)
    ready.send("ready")
    stop.wait()


def is_asleep(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().split()[2] == "S"


if __name__ == "__main__":
    main()
