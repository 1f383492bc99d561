# The initializer ends each worker that starts. What does a
# task give?
#
#     python3 examples/pool_initializer_fails.py
import multiprocessing
import os


def main():
    spawn = multiprocessing.get_context("spawn")
    starts = spawn.Semaphore(0)
    # ANCHOR: task
    with spawn.Pool(1, fail, [starts]) as pool:
        result = pool.apply_async(square, [12])
        for _ in range(5):
            starts.acquire()
        print("There is a result:", result.ready())
    # ANCHOR_END: task
    print("5 workers were started, and more follow")


def fail(starts):
    starts.release()
    os._exit(1)  # no licence, for example


def square(number):
    return number * number


if __name__ == "__main__":
    main()
