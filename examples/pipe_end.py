# A sender and a receiver, two children of one parent. No
# message has to announce the end.
#
#     python3 examples/pipe_end.py
#
# Expect: lines in any order
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    p1 = spawn.Process(target=send, args=(sender,))
    p2 = spawn.Process(target=receive, args=(receiver,))
    p1.start()
    p2.start()
    sender.close()  # without this line, p2 never ends
    receiver.close()
    p1.join()
    p2.join()


def send(sender):
    for message in ["hello", "hey", "hru?", "END"]:
        sender.send(message)
        print(f"Sent the message: {message}")


def receive(receiver):
    while True:
        try:
            message = receiver.recv()
        except EOFError:
            break
        print(f"Received the message: {message}")
    print("Nothing more comes.")


if __name__ == "__main__":
    main()
