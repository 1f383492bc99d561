# A type of one's own in the server, and a call that waits.
#
#     python3 examples/manager_shared.py
import multiprocessing
from multiprocessing.managers import BaseManager
from threading import Condition


# ANCHOR: stock
class Stock:
    def __init__(self):
        self.apples = 0
        self.changed = Condition()

    def add(self, apples):
        with self.changed:
            self.apples += apples
            self.changed.notify_all()
            return self.apples

    def take(self, apples):
        with self.changed:
            enough = lambda: self.apples >= apples
            self.changed.wait_for(enough)
            self.apples -= apples
            return self.apples
# ANCHOR_END: stock


# ANCHOR: calls
def main():
    BaseManager.register("Stock", Stock)
    spawn = multiprocessing.get_context("spawn")
    with BaseManager(ctx=spawn) as manager:
        stock = manager.Stock()
        p = spawn.Process(target=buy, args=(stock,))
        p.start()
        print(f"In stock: {stock.add(2)}", flush=True)
        stock.add(2)
        p.join()


def buy(stock):
    left = stock.take(3)
    print(f"3 taken, left: {left}")
# ANCHOR_END: calls


if __name__ == "__main__":
    main()
