"""Serves lines until it is killed: chat.py forking. Prints its port first."""

import socketserver
import sys


class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class Forking(socketserver.ForkingTCPServer):
    request_queue_size = 128  # as Rust's listeners
    max_children = 2000  # 40 by default: the others would wait


class Threading(socketserver.ThreadingTCPServer):
    request_queue_size = 128
    daemon_threads = True


kinds = {"forking": Forking, "threading": Threading}
with kinds[sys.argv[1]](("127.0.0.1", 0), Answer) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
