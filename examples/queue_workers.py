# Three workers get from one queue. Each number goes to one of
# them.
#
#     python3 examples/queue_workers.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    queue, results = spawn.Queue(10), spawn.Queue(3)
    barrier = spawn.Barrier(3)
    workers = []
    for _ in range(3):
        shared = (queue, barrier, results)
        worker = spawn.Process(target=work, args=shared)
        worker.start()
        workers.append(worker)
    for number in range(100):
        queue.put(number)
    for _ in workers:
        queue.put(None)  # one for each loop
    everything = []
    for _ in workers:
        got = results.get()
        some = str(bool(got)).lower()
        print(f"a worker got some: {some}")
        everything.extend(got)
    for worker in workers:
        worker.join()
    each_once = sorted(everything) == list(range(100))
    each_once = str(each_once).lower()
    print(f"together each number once: {each_once}")


# ANCHOR: work
def work(queue, barrier, results):
    got = [queue.get()]
    barrier.wait()  # now each has one
    for number in iter(queue.get, None):
        got.append(number)
    results.put(got)
# ANCHOR_END: work


if __name__ == "__main__":
    main()
