# A write to a pipe that nobody can read any more: an error,
# or SIGPIPE?
#
#     python3 examples/pipe_broken.py
import errno
import multiprocessing
import os
import signal


def main():
    print("as the program started:", flush=True)
    write_in_child(False)
    print("as in a C program:", flush=True)
    write_in_child(True)


def write_in_child(as_in_c):
    fork = multiprocessing.get_context("fork")
    args = (as_in_c,)
    child = fork.Process(target=write_to_nobody, args=args)
    child.start()
    child.join()
    print(f"  exit code: {child.exitcode}", flush=True)


def write_to_nobody(as_in_c):
    if as_in_c:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        os.write(writer, b"x")
    except OSError as error:
        print(f"  error: {errno.errorcode[error.errno]}")


if __name__ == "__main__":
    main()
