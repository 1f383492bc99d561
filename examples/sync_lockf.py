# Two kinds of file locks. The file is opened once more and
# closed: which lock is lost?
#
#     python3 examples/sync_lockf.py
import fcntl
import os
import tempfile


def main():
    path = f"{tempfile.gettempdir()}/sync_lockf-{os.getpid()}"
    file = open(path, "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_EX)
    show("Locked", path)
    open(path).close()  # a library may do this
    show("Opened and closed", path)
    os.remove(path)


def show(when, path):
    """Another process tries to lock the file."""
    pid = os.fork()
    if pid > 0:
        os.waitpid(pid, 0)
        return
    file = open(path, "w")
    flock = "free" if try_flock(file) else "held"
    lockf = "free" if try_lockf(file) else "held"
    print(f"{when}: flock {flock}, lockf {lockf}", flush=True)
    os._exit(0)


def try_flock(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def try_lockf(file):
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


main()
