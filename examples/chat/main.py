# All hear all: a process for each client, and a router in
# the parent. Three clients talk; what each reads is printed.
#
#     python3 examples/chat/main.py
import multiprocessing
import socket
import threading
from multiprocessing.connection import wait


def main():
    spawn = multiprocessing.get_context("spawn")
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    clients = spawn.Process(target=talk, args=(address,))
    clients.start()
    members = []
    # ANCHOR: accept
    for _ in range(3):
        client, _ = listener.accept()
        ours, theirs = spawn.Pipe()
        ends = (client, theirs)
        spawn.Process(target=serve, args=ends).start()
        client.close()  # the child has a copy of each
        theirs.close()
        members.append(ours)
    # ANCHOR_END: accept
    route(members)
    clients.join()

# ANCHOR: server

# What one member says is sent to all.
def route(members):
    while members:
        for member in wait(members):
            try:
                tell_all(members, member.recv())
            except EOFError:
                members.remove(member)


def tell_all(members, line):
    for member in members:
        member.send(line)


# The process of one client: a thread writes to it, and this
# one reads.
def serve(client, router):
    threading.Thread(target=write, args=(client, router),
                     daemon=True).start()
    for line in client.makefile():
        router.send(line)


def write(client, router):
    while True:
        client.sendall(router.recv().encode())
# ANCHOR_END: server


def talk(address):
    clients = []
    for name in ["Ann", "Bob", "Cid"]:
        client = socket.create_connection(address)
        clients.append((name, client, client.makefile()))
    for name, client, _ in clients:
        client.sendall(f"{name}: hello\n".encode())
        for name, _, reader in clients:
            print(f"{name} reads {reader.readline()}", end="")


if __name__ == "__main__":
    main()
