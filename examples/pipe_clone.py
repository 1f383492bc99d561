# Two children send through copies of one sender. The end
# comes when the last copy is gone.
#
#     python3 examples/pipe_clone.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    p1 = spawn.Process(target=send, args=(sender, "p1"))
    p2 = spawn.Process(target=send, args=(sender, "p2"))
    p1.start()
    p2.start()
    for _ in range(4):
        print(receiver.recv())
    p1.join()
    p2.join()
    at_end = str(receiver.poll(0.1)).lower()
    print(f"Both have ended. At the end: {at_end}")
    sender.close()  # the one that everybody forgets
    at_end = str(receiver.poll(0.1)).lower()
    print(f"The parent closed its own. At the end: {at_end}")


def send(sender, name):
    for number in range(1, 3):
        sender.send(f"{name} sends {number}")


if __name__ == "__main__":
    main()
