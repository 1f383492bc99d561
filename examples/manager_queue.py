# A queue in the arguments of a task, and a queue in a queue.
#
#     python3 examples/manager_queue.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, spawn.Pool(2) as pool:
        # ANCHOR: queues
        jobs = manager.Queue(10)
        task = pool.apply_async(square_one, (jobs,))
        answers = manager.Queue(1)
        jobs.put((12, answers))
        print(f"Square: {answers.get()}")
        # ANCHOR_END: queues
        task.get()


# ANCHOR: square_one
def square_one(jobs):
    number, answers = jobs.get()
    answers.put(number * number)
# ANCHOR_END: square_one


if __name__ == "__main__":
    main()
