# Three tasks begin together. Their results come one by one,
# as the tasks end.
#
#     python3 examples/pool_imap_unordered.py
import multiprocessing
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    workers = spawn.Barrier(3)
    with spawn.Pool(3, meet, (workers,)) as pool:
        start = time.monotonic()
        # ANCHOR: imap_unordered
        for tenths in pool.imap_unordered(work, [1, 5, 3]):
            seconds = time.monotonic() - start
            print(f"Task {tenths}: after {seconds:.1f} s")
        # ANCHOR_END: imap_unordered


# No worker begins before all three have started.
def meet(workers):
    workers.wait()


def work(tenths):
    time.sleep(tenths / 10)
    return tenths


if __name__ == "__main__":
    main()
