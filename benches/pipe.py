"""Prints the seconds that so many messages take: pipe.py one_way-8 1000"""

import sys
from multiprocessing import Pipe, get_context
from time import perf_counter


def send_all(connection, size, times):
    message = bytes(size)
    for _ in range(times):
        connection.send_bytes(message)


def answer_all(connection, size, times):
    for _ in range(times):
        connection.send_bytes(connection.recv_bytes())


def one_way(ours, times, message):
    for _ in range(times):
        ours.recv_bytes()


def round_trip(ours, times, message):
    for _ in range(times):
        ours.send_bytes(message)
        ours.recv_bytes()


mode, size = sys.argv[1].split("-")
size, times = int(size), int(sys.argv[2])
# Both processes run on the core that pipe.rs has chosen.
measure, of_child = {
    "one_way": (one_way, send_all),
    "round_trip": (round_trip, answer_all),
}[mode]
ours, theirs = Pipe()
child = get_context("fork").Process(
    target=of_child, args=(theirs, size, times + 1)
)
child.start()
theirs.close()
message = bytes(size)
measure(ours, 1, message)
start = perf_counter()
measure(ours, times, message)
print(perf_counter() - start)
child.join()
