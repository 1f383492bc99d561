# Wait for a process, but not for ever.
#
#     python3 examples/process_timeout.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    p = spawn.Process(target=sleep)
    p.start()
    p.join(timeout=0.1)
    if p.exitcode is not None:
        print("It has ended")
    else:
        print("It still runs after 100 ms")
    p.kill()
    p.join()
    print(f"Killed: {str(p.exitcode == -9).lower()}")


def sleep():
    time.sleep(1_000_000)


if __name__ == "__main__":
    main()
