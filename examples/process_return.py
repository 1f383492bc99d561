# One child fills a list, another sends one. Which of them
# does the parent get?
#
#     python3 examples/process_return.py
import multiprocessing

results = []


def main():
    spawn = multiprocessing.get_context("spawn")
    p = spawn.Process(target=append, args=([1, 2, 3],))
    p.start()
    p.join()
    print(f"The list after the join: {results}")

    reader, writer = spawn.Pipe(duplex=False)
    args = ([1, 2, 3], writer)
    p = spawn.Process(target=squares, args=args)
    p.start()
    print(f"What was returned: {reader.recv()}")
    p.join()


def append(numbers):
    results.extend(n * n for n in numbers)


def squares(numbers, writer):
    writer.send([n * n for n in numbers])


if __name__ == "__main__":
    main()
