# A process with data of its own: a subclass of Process with
# a method run.
#
#     python3 examples/process_struct.py
import multiprocessing
import os

spawn = multiprocessing.get_context("spawn")


class Greeter(spawn.Process):
    def __init__(self, greeting):
        super().__init__()
        self.greeting = greeting

    def run(self):
        pid = os.getpid()
        print(f"{self.greeting} from process {pid}")


def main():
    p = Greeter("Hello")
    p.start()
    pid = p.pid
    p.join()
    print(f"Process {pid} has ended")


if __name__ == "__main__":
    main()
