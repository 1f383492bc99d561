# A daemon ends with its parent.
#
#     python3 examples/process_daemon.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    reader, ready = spawn.Pipe(duplex=False)
    p = spawn.Process(target=work, args=(ready,), daemon=True)
    p.start()
    reader.recv()
    print("Main process end")


def work(ready):
    print("Daemon at work, for ever", flush=True)
    ready.send("ready")
    time.sleep(1_000_000)


if __name__ == "__main__":
    main()
