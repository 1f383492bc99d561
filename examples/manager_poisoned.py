# A call fails when it has done half of its work.
#
#     python3 examples/manager_poisoned.py
import multiprocessing
from multiprocessing.managers import BaseManager


# ANCHOR: transfer
class Accounts:
    def __init__(self, values):
        self.values = values

    def transfer(self, amount):
        self.values[0] -= amount
        if self.values[1] + amount > 100:
            raise ValueError("the second is full")
        self.values[1] += amount

    def total(self):
        return sum(self.values)
# ANCHOR_END: transfer


# ANCHOR: main
def main():
    BaseManager.register("Accounts", Accounts)
    spawn = multiprocessing.get_context("spawn")
    with BaseManager(ctx=spawn) as manager:
        accounts = manager.Accounts([50, 80])
        try:
            accounts.transfer(30)
        except ValueError as error:
            print(error)
        print(f"Total: {accounts.total()}")
# ANCHOR_END: main


if __name__ == "__main__":
    main()
