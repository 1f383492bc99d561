# A stopped process does nothing, and so it does not end.
#
#     python3 examples/processes_stopped.py
import multiprocessing
import os
import signal
import time


def main():
    spawn = multiprocessing.get_context("spawn")
    p = spawn.Process(target=work)
    p.start()
    os.kill(p.pid, signal.SIGSTOP)
    wait_for_stop(p.pid)
    p.terminate()  # SIGTERM
    p.join(timeout=0.1)
    ended = str(p.exitcode is not None).lower()
    print(f"Stopped: ended by SIGTERM = {ended}")
    os.kill(p.pid, signal.SIGCONT)
    p.join()
    ended = str(p.exitcode == -15).lower()
    print(f"Continued: ended by SIGTERM = {ended}")


def wait_for_stop(pid):
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)


def work():
    time.sleep(1_000_000)


if __name__ == "__main__":
    main()
