# Three buyers and one ticket, with a lock around looking,
# paying and taking.
#
#     python3 examples/sync.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    tickets = spawn.Value("i", 1)
    opening = spawn.Barrier(3)
    args = (tickets, opening)
    buyers = [
        spawn.Process(target=buy, args=args)
        for _ in range(3)
    ]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()


def buy(tickets, opening):
    opening.wait()
    with tickets.get_lock():
        left = tickets.value
        if left > 0:
            time.sleep(0.3)  # pays
            tickets.value -= 1
            print(f"Saw {left} left: bought a ticket")
        else:
            print(f"Saw {left} left: sold out")


if __name__ == "__main__":
    main()
