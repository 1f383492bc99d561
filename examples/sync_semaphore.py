# Four workers, and room for two at a time.
#
#     python3 examples/sync_semaphore.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    semaphore = spawn.Semaphore(2)
    inside = spawn.Array("i", [0, 0])
    args = (semaphore, inside)
    workers = [
        spawn.Process(target=work, args=args)
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(f"At most {inside[1]} were inside.")


def work(semaphore, inside):
    with semaphore:
        count(inside, 1)
        time.sleep(0.3)
        count(inside, -1)


def count(inside, change):
    with inside.get_lock():
        inside[0] += change
        inside[1] = max(inside[1], inside[0])


if __name__ == "__main__":
    main()
