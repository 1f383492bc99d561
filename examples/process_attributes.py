# What a parent can ask of a process.
#
#     python3 examples/process_attributes.py
import multiprocessing
import time


def main():
    multiprocessing.set_start_method("spawn")
    first = multiprocessing.Process(target=sleep)
    second = multiprocessing.Process(target=sleep)
    second.name = "sleeper"
    first.start()
    second.start()
    for p in [first, second]:
        show(p)
        p.terminate()
        p.join()
        show(p)


def sleep():
    time.sleep(1_000_000)


def show(p):
    alive = "alive" if p.is_alive() else "ended"
    code = "no" if p.exitcode is None else p.exitcode
    print(f"{p.name}: pid {p.pid}, {alive}, {code} exit code")


if __name__ == "__main__":
    main()
