# Parent and child have a descriptor each, and one position
# in the file. Closing closes one descriptor.
#
#     python3 examples/fork_file.py
import os
import tempfile


def main():
    file = open_file()
    pid = os.fork()
    if pid == 0:
        read_word("Child", file)
        file.close()  # closes the child's descriptor
    else:
        os.waitpid(pid, 0)
        read_word("Parent", file)


def read_word(who, file):
    word = file.read(3)
    print(f"{who}: {word.decode()}")


def open_file():
    """A file without a name, gone when it is closed."""
    file = tempfile.TemporaryFile(buffering=0)
    file.write(b"onetwo")
    file.seek(0)
    return file


main()
