# Two runners wait for the start.
#
#     python3 examples/sync_event.py
#
# Expect: lines 3-4 in any order
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Event()
    p1 = spawn.Process(target=run, args=(1, start))
    p2 = spawn.Process(target=run, args=(2, start))
    p1.start()
    p2.start()
    print("Ready?")
    time.sleep(0.3)
    print("Go!", flush=True)
    start.set()
    p1.join()
    p2.join()


def run(number, start):
    start.wait()
    print(f"Runner {number} runs.")


if __name__ == "__main__":
    main()
