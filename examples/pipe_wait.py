# One loop receives from several children, and leaves out
# those that have ended.
#
#     python3 examples/pipe_wait.py
import multiprocessing
from multiprocessing.connection import wait


def main():
    spawn = multiprocessing.get_context("spawn")
    receivers = []
    children = []
    for name in ["Ann", "Bob", "Cid"]:
        receiver, sender = spawn.Pipe(duplex=False)
        child = spawn.Process(target=work, args=(sender, name))
        child.start()
        sender.close()  # the child has it now
        children.append(child)
        receivers.append(receiver)
    while receivers:
        # A list of its own, so a removal shifts nothing in it.
        for receiver in wait(receivers):
            try:
                print(receiver.recv())
            except EOFError:
                receivers.remove(receiver)
                print(f"{len(receivers)} left")
    for child in children:
        child.join()


def work(sender, name):
    for step in range(1, 3):
        sender.send(f"{name}: step {step}")


if __name__ == "__main__":
    main()
