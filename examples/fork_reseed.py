# A child that seeds its generator anew draws other numbers.
#
#     python3 examples/fork_reseed.py
import os
import random


def main():
    numbers = random.Random(7)
    os.register_at_fork(after_in_child=numbers.seed)  # the fix
    same = both_draw(numbers)
    print("the same" if same else "different")


def both_draw(numbers):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, str(numbers.random()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    drawn = os.read(reader, 100).decode()
    return drawn == str(numbers.random())


main()
