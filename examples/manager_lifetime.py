# The parent drops its proxy while a child still has one.
#
#     python3 examples/manager_lifetime.py
import multiprocessing
from multiprocessing.managers import RemoteError


# ANCHOR: main
def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager:
        numbers = manager.list([1])
        dropped = spawn.Event()
        args = (numbers, dropped)
        p = spawn.Process(target=append, args=args)
        p.start()
        del args, numbers
        dropped.set()
        p.join()


def append(numbers, dropped):
    dropped.wait()
    try:
        numbers.append(2)
        print(numbers)
    except RemoteError as error:
        last = str(error).splitlines()[-2]
        print(last.split(":")[0])
# ANCHOR_END: main


if __name__ == "__main__":
    main()
