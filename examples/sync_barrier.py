# Nobody begins to eat before all are at the table.
#
#     python3 examples/sync_barrier.py
#
# Expect: lines 1-3 in any order, lines 4-7 in any order
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    table = spawn.Barrier(3)
    guests = [
        spawn.Process(target=dine, args=(number, table))
        for number in [1, 2, 3]
    ]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()


def dine(number, table):
    print(f"Guest {number} sits down.", flush=True)
    index = table.wait()
    print(f"Guest {number} eats.", flush=True)
    if index == 0:
        print("One of them says grace.", flush=True)


if __name__ == "__main__":
    main()
