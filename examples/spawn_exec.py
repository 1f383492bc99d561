# What survives when a process replaces its program.
#
#     python3 examples/spawn_exec.py
import os
import sys

counter = 0


def main():
    if len(sys.argv) == 1:
        before()
    else:
        show("after")


def before():
    global counter
    counter = 5
    program = os.path.abspath(__file__)
    os.chdir("/")
    file = os.open("/dev/zero", os.O_RDONLY)  # O_CLOEXEC
    os.set_inheritable(os.dup(file), True)  # without
    show("before")
    sys.stdout.flush()  # the buffer would be lost
    python = sys.executable
    os.execv(python, [python, program, "after"])


def show(when):
    files = 0
    for number in range(100):
        link = f"/proc/self/fd/{number}"
        if os.path.lexists(link):
            files += os.readlink(link) == "/dev/zero"
    print(f"{when}: process {os.getpid()}, in {os.getcwd()}")
    print(f"  counter {counter}, open files {files}")


if __name__ == "__main__":
    main()
