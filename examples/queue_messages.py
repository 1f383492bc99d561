# Five messages and "finish" go through a queue to a child.
#
#     python3 examples/queue_messages.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue(10)
    child = spawn.Process(target=receive, args=(queue,))
    child.start()
    for number in range(5):
        queue.put(f"msg {number}")
    queue.put("finish")
    child.join()


def receive(queue):
    while True:
        message = queue.get()
        print(f"Child process received msg: {message}")
        if message == "finish":
            break


if __name__ == "__main__":
    main()
