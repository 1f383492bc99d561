# Four children send long messages through one end. Do they
# arrive whole?
#
#     python3 examples/pipe_shared.py
import multiprocessing

LENGTH = 1_000_000


def main():
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    start = spawn.Barrier(4)
    children = []
    for letter in [b"a", b"b", b"c", b"d"]:
        task = (sender, start, letter)
        child = spawn.Process(target=send, args=task)
        child.start()
        children.append(child)
    sender.close()
    whole = 0
    while True:
        try:
            text = receiver.recv_bytes()
            whole += text == text[:1] * LENGTH
        except (EOFError, OSError) as error:
            print(repr(error))
            break
    print(f"All 40 whole: {str(whole == 40).lower()}")
    for child in children:
        child.join()


def send(sender, start, letter):
    text = letter * LENGTH
    start.wait()  # now all four send
    for _ in range(10):
        sender.send_bytes(text)


if __name__ == "__main__":
    main()
