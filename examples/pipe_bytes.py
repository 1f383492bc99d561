# What is in the pipe: a length and a pickle. And what a pickle
# can do to the one who receives it.
#
#     python3 examples/pipe_bytes.py
import multiprocessing
import os
import pickle


class Surprise:
    def __reduce__(self):
        return print, ("print was called by recv",)


def main():
    receiver, sender = multiprocessing.Pipe(duplex=False)
    sender.send_bytes(b"hello")
    print(os.read(receiver.fileno(), 100))
    sender.send("hello")
    packet = os.read(receiver.fileno(), 100)
    print(f"{packet[:4]} and {len(packet[4:])} bytes")
    print(f"unpickled: {pickle.loads(packet[4:])}")
    sender.send(Surprise())
    print(f"received: {receiver.recv()}")


if __name__ == "__main__":
    main()
