# A terminated process does not clean up.
#
#     python3 examples/process_terminate.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    reader, ready = spawn.Pipe(duplex=False)
    p = spawn.Process(target=work, args=(ready,))
    p.start()
    reader.recv()
    p.terminate()
    p.join()
    print(f"Parent: exit code {p.exitcode}")


def work(ready):
    try:
        print("Child: at work", flush=True)
        ready.send("ready")
        time.sleep(1_000_000)
    finally:
        print("Child: cleaned up")  # never printed


if __name__ == "__main__":
    main()
