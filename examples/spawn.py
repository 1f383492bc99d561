# A function runs in a process of its own: a new one, that
# starts a new interpreter.
#
#     python3 examples/spawn.py
import multiprocessing
import os


def main():
    spawn = multiprocessing.get_context("spawn")
    print(f"Parent process id: {os.getpid()}")
    print("Create child process.")
    p = spawn.Process(target=child_process)
    p.start()
    pid = p.pid
    p.join()
    print(f"Created child process with pid: {pid}")


def child_process():
    print(f"Child process id: {os.getpid()}")


if __name__ == "__main__":
    main()
