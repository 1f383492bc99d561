# A child puts a long text into a queue, and the parent joins
# it before it reads. It hangs: Ctrl-C ends it.
#
#     python3 examples/queue_join.py
import multiprocessing


def main():
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue(10)
    child = fork.Process(target=put_text, args=(queue,))
    child.start()
    print("Parent: waits for the child")
    child.join()
    print("Parent: the child has ended")
    text = queue.get()
    print(f"Parent: got {len(text)} letters")


def put_text(queue):
    queue.put("x" * 1_000_000)


if __name__ == "__main__":
    main()
