# A program attaches to a block that another one made, and
# ends. Its tracker takes the name away.
#
#     python3 examples/shared_memory_tracker.py
import subprocess
import sys
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory


def main():
    block = SharedMemory(create=True, size=100)
    attach = [sys.executable, __file__, block.name]
    # Returns when the tracker of that program has ended.
    ended = subprocess.run(attach, stderr=subprocess.PIPE)
    warning = ended.stderr.decode().split("tracker: ")[1]
    print(warning.split(" to clean up")[0])
    try:
        SharedMemory(block.name)
        print("The name is still there.")
    except FileNotFoundError:
        print("The name is gone.")
    print(f"The block is there: {len(block.buf)} bytes.")
    block.close()
    # Our own tracker would complain that the name is gone.
    ours = f"/{block.name}"
    resource_tracker.unregister(ours, "shared_memory")


def attached(name):
    SharedMemory(name).close()


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        attached(sys.argv[1])
