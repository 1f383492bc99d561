# A generator that was seeded before the fork gives every
# process the same numbers.
#
#     python3 examples/fork_random.py
import os
import random


def main():
    dice = random.Random(7)  # the seed
    for who in ["Child 1", "Child 2"]:
        pid = os.fork()
        if pid == 0:
            roll(who, dice)
            return
        os.waitpid(pid, 0)
    roll("Parent", dice)


def roll(who, dice):
    rolls = [dice.randint(1, 6) for _ in range(6)]
    print(f"{who}: {rolls}")


main()
