# The hang at `join`: nobody reads what the child writes.
#
#     python3 examples/process_hang.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    p = spawn.Process(target=work, args=(queue,))
    p.start()
    p.join(timeout=0.5)
    ended = str(not p.is_alive()).lower()
    print(f"Before the reading: ended {ended}")
    text = queue.get()
    print(f"Read {len(text)} letters")
    p.join()
    ended = str(not p.is_alive()).lower()
    print(f"After the reading: ended {ended}")


def work(queue):
    queue.put("x" * 1_000_000)


if __name__ == "__main__":
    main()
