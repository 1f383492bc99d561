# Starts and joins a process ARGV[2] times by the method ARGV[1]; prints the
# seconds. Used by process.rs.
import multiprocessing
import sys
import time


def child():
    pass


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])

    def start_and_join():
        p = context.Process(target=child)
        p.start()
        p.join()

    start_and_join()  # the fork server starts with the first
    begin = time.perf_counter()
    for _ in range(int(sys.argv[2])):
        start_and_join()
    print(time.perf_counter() - begin)
