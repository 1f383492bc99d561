# Two processes fill one dictionary.
#
#     python3 examples/manager_dict.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager:
        numbers = manager.dict()
        # ANCHOR: processes
        args = (numbers, "number1", 25)
        p1 = spawn.Process(target=insert, args=args)
        args = (numbers, "number2", 30)
        p2 = spawn.Process(target=insert, args=args)
        p1.start()
        p2.start()
        p1.join()
        p2.join()
        entries = sorted(numbers.items())
        # ANCHOR_END: processes
        for name, number in entries:
            print(f"{name}: {number}")


# ANCHOR: insert
def insert(numbers, name, number):
    numbers[name] = number
# ANCHOR_END: insert


if __name__ == "__main__":
    main()
