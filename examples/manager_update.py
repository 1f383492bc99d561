# Two processes add 1 to the same number: both read it, then
# both write it. Then the same as one step.
#
#     python3 examples/manager_update.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager:
        n = manager.dict(a=0, b=0)
        both_have_read = manager.Barrier(2)
        args = (n, both_have_read, manager.Lock())
        for add in [add_in_two_steps, add_in_one_step]:
            p1 = spawn.Process(target=add, args=args)
            p2 = spawn.Process(target=add, args=args)
            p1.start()
            p2.start()
            p1.join()
            p2.join()
        for name, number in n.items():
            print(f"{name}: {number}")


# ANCHOR: add
def add_in_two_steps(n, both, lock):
    number = n["a"]
    both.wait()  # both processes have read a 0
    n["a"] = number + 1


def add_in_one_step(n, both, lock):
    with lock:
        n["b"] += 1
# ANCHOR_END: add


if __name__ == "__main__":
    main()
