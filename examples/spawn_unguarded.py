# Without the guard, the child runs this file as a program:
# it tries to start a child in turn, and fails.
#
#     python3 examples/spawn_unguarded.py
import multiprocessing
import sys


def main():
    spawn = multiprocessing.get_context("spawn")
    p = spawn.Process(target=child)
    try:
        p.start()
    except RuntimeError as error:
        print(f"{__name__}: RuntimeError")
        print(" ".join(str(error).split()).split(".")[0])
        sys.exit(1)
    p.join()
    print(f"{__name__}: exit code of the child: {p.exitcode}")


def child():
    print("never printed")


main()  # no guard
