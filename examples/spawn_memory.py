# A forked child has what the parent had in its memory; a
# spawned child has what a new program has.
#
#     python3 examples/spawn_memory.py
import multiprocessing

counter = 0


def main():
    global counter
    counter = 5
    for method in ["fork", "spawn"]:
        context = multiprocessing.get_context(method)
        p = context.Process(target=show, args=(method,))
        p.start()
        p.join()


def show(method):
    print(f"{method}: counter is {counter}")


if __name__ == "__main__":
    main()
