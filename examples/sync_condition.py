# A tank that one process fills and another empties.
#
#     python3 examples/sync_condition.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    level = spawn.Value("I", 0)
    changed = spawn.Condition(level.get_lock())
    reader, taken = spawn.Pipe(duplex=False)
    args = (level, changed, taken)
    p = spawn.Process(target=empty, args=args)
    p.start()
    for _ in range(3):
        time.sleep(0.1)  # a slow tap
        with changed:
            level.value += 5
            changed.notify_all()
    print(f"{reader.recv()} litres were taken.")
    p.join()


def empty(level, changed, result):
    taken = 0
    while taken < 15:
        with changed:
            changed.wait_for(lambda: level.value > 0)
            taken += level.value
            level.value = 0
    result.send(taken)


if __name__ == "__main__":
    main()
