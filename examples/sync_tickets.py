# Three buyers and one ticket. Each looks, pays, and takes.
#
#     python3 examples/sync_tickets.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    tickets = spawn.Value("i", 1, lock=False)
    counter = spawn.Barrier(3)
    args = (tickets, counter)
    buyers = [
        spawn.Process(target=buy, args=args)
        for _ in range(3)
    ]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()


def buy(tickets, counter):
    left = tickets.value
    # Pays at the counter, which opens when all are there.
    counter.wait()
    if left > 0:
        tickets.value -= 1
        print(f"Saw {left} left: bought a ticket")
    else:
        print(f"Saw {left} left: sold out")


if __name__ == "__main__":
    main()
