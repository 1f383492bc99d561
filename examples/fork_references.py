# Reading an object in Python writes to it: its count of
# references changes. So the child gets a copy of the page.
#
#     python3 examples/fork_references.py
import os


def main():
    numbers = [float(n) for n in range(1_000_000)]
    pid = os.fork()
    if pid == 0:
        before = own_megabytes()
        total = sum(number for number in numbers)
        copied = own_megabytes() - before
        print(f"The sum is {total}.")
        print(f"More than 20 MB were copied: {copied > 20}")
    else:
        os.waitpid(pid, 0)


def own_megabytes():
    with open("/proc/self/smaps_rollup") as sizes:
        for line in sizes:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) // 1024


main()
