# The other end is closed before it has read everything. How
# does this end learn of it?
#
#     python3 examples/pipe_reset.py
from multiprocessing import Pipe


def main():
    ours, theirs = Pipe()
    ours.send("a question")
    theirs.send("last words")
    theirs.close()  # the question is still unread
    for _ in range(3):
        try:
            print(f"received: {ours.recv()}")
        except (EOFError, OSError) as error:
            print(type(error).__name__)


if __name__ == "__main__":
    main()
