# The lost update: two processes add to one number.
#
#     python3 examples/shared_memory_race.py
import multiprocessing

TIMES = 200_000


def main():
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(2)
    number = spawn.Value("Q", 0)
    run_both(spawn, add_raw, (number, start))
    show("without the lock", number.value)
    number.value = 0
    run_both(spawn, add_locked, (number, start))
    show("with the lock", number.value)


def run_both(spawn, f, args):
    p1 = spawn.Process(target=f, args=args)
    p2 = spawn.Process(target=f, args=args)
    p1.start()
    p2.start()
    p1.join()
    p2.join()


def add_raw(number, start):
    seen = number.value
    start.wait()  # both have read 0
    number.value = seen + 1
    for _ in range(TIMES - 1):
        number.value += 1


def add_locked(number, start):
    start.wait()
    for _ in range(TIMES):
        with number.get_lock():
            number.value += 1


def show(how, number):
    lost = "lost some" if number < 2 * TIMES else "all there"
    print(f"{how}: {lost}")


if __name__ == "__main__":
    main()
