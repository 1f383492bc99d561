# Five messages and "finish" go through a pipe to a child.
#
#     python3 examples/pipe.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    child = spawn.Process(target=receive, args=(receiver,))
    child.start()
    receiver.close()  # the child has it now
    for number in range(5):
        sender.send(f"msg {number}")
    sender.send("finish")
    child.join()


def receive(receiver):
    while True:
        message = receiver.recv()
        print(f"Child process received msg: {message}")
        if message == "finish":
            break


if __name__ == "__main__":
    main()
