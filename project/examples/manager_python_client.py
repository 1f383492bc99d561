# The Python side of manager_python, which starts it.
#
#     python3 project/examples/manager_python_client.py
#
# Expect: exit status 1
import json
import sys
from multiprocessing.connection import Client


def main():
    if len(sys.argv) < 2:
        sys.exit("run manager_python instead: it starts me")
    host, port = sys.argv[1].split(":")
    key = b"a secret of both"
    # ANCHOR: ask
    with Client((host, int(port)), authkey=key) as client:
        print(f"Python: Sam has {ask(client, 'Sam')}")
        ask(client, "Jeff", 8)
        print(f"Python: Jeff has {ask(client, 'Jeff')}")


def ask(client, name, score=None):
    client.send_bytes(json.dumps([name, score]).encode())
    return json.loads(client.recv_bytes())
    # ANCHOR_END: ask


if __name__ == "__main__":
    main()
