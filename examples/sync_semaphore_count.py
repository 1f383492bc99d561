# A bounded buffer: one semaphore counts the free cells, the
# other the full ones.
#
#     python3 examples/sync_semaphore_count.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    free, full = spawn.Semaphore(3), spawn.Semaphore(0)
    # Three cells; how many were put; how many were taken.
    buffer = (free, full, spawn.Array("i", 5))
    sums = spawn.Array("i", 2)
    processes = [
        spawn.Process(target=produce, args=(*buffer, 10)),
        spawn.Process(target=produce, args=(*buffer, 20)),
        spawn.Process(target=consume, args=(*buffer, sums, 0)),
        spawn.Process(target=consume, args=(*buffer, sums, 1)),
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    print(f"The consumers took {sum(sums)}.")


def produce(free, full, cells, first):
    for number in range(first, first + 10):
        free.acquire()  # a consumer gives it back
        with cells.get_lock():
            cells[cells[3] % 3] = number
            cells[3] += 1
            full.release()


def consume(free, full, cells, sums, index):
    for _ in range(10):
        full.acquire()
        with cells.get_lock():
            sums[index] += cells[cells[4] % 3]
            cells[4] += 1
            free.release()


if __name__ == "__main__":
    main()
