# A sender dies in the middle of a message. What the receiver
# learns depends on how much had arrived.
#
#     python3 examples/pipe_half.py
import multiprocessing
import os


def main():
    cut_off("nothing", b"")
    cut_off("the length", b"\x00\x00\x00\x05")
    cut_off("2 bytes of 5", b"\x00\x00\x00\x05he")


def cut_off(what, part):
    receiver, sender = multiprocessing.Pipe(duplex=False)
    os.write(sender.fileno(), part)
    sender.close()  # as its death does
    try:
        receiver.recv_bytes()
    except (EOFError, OSError) as error:
        print(f"{what}: {error!r}")


if __name__ == "__main__":
    main()
