# Three tasks begin together. Their results come one by one,
# in the order of the tasks.
#
#     python3 examples/pool_imap.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(3) as pool:
        start = time.monotonic()
        # ANCHOR: imap
        for tenths in pool.imap(work, [1, 5, 3]):
            seconds = time.monotonic() - start
            print(f"Task {tenths}: after {seconds:.1f} s")
        # ANCHOR_END: imap


def work(tenths):
    time.sleep(tenths / 10)
    return tenths


if __name__ == "__main__":
    main()
