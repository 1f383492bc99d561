# A queue that another program reaches over a network.
#
#     python3 examples/manager_remote.py
import multiprocessing
import os
from multiprocessing.managers import BaseManager
from queue import Queue

# ANCHOR: main
class Jobs:
    queue = Queue(10)

    @staticmethod
    def get():
        return Jobs.queue


def main():
    key = os.urandom(32)
    BaseManager.register("jobs", callable=Jobs.get)
    spawn = multiprocessing.get_context("spawn")
    server = BaseManager(("127.0.0.1", 0), key, ctx=spawn)
    with server:
        args = (server.address, key)
        p = spawn.Process(target=visit, args=args)
        p.start()
        print(f"A job: {server.jobs().get()}")
        p.join()


def visit(address, key):
    try:
        BaseManager(address, b"a guess").connect()
    except multiprocessing.AuthenticationError as error:
        print(error, flush=True)
    BaseManager.register("jobs")
    manager = BaseManager(address, key)
    manager.connect()
    manager.jobs().put("paint the fence")
# ANCHOR_END: main


if __name__ == "__main__":
    main()
