"""A listener on 127.0.0.1 and [::1] that counts connections, and a host that leads to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


@dataclass
class Listener:
    """Counts whoever connects, whatever they then say.

    Attributes:
        port: The same on both addresses.
    """

    port: int
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, server: socket.socket) -> None:
        """Count until the socket is closed."""
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            with connection:
                connection.settimeout(2)
                try:
                    connection.recv(65536)
                    connection.sendall(ANSWER)
                except OSError:
                    continue

    def spellings(self) -> list[str]:
        """Ways to write its address."""
        port = self.port
        return [
            f"http://127.0.0.1:{port}/",
            f"http://localhost:{port}/",
            f"http://127.1:{port}/",
            f"http://2130706433:{port}/",
            f"http://0x7f000001:{port}/",
            f"http://0177.0.0.1:{port}/",
            f"http://0.0.0.0:{port}/",
            f"http://[::1]:{port}/",
            f"http://[::ffff:127.0.0.1]:{port}/",
            f"http://[0:0:0:0:0:0:0:1]:{port}/",
            f"http://localhost.:{port}/",
            f"HTTP://LOCALHOST:{port}/",
            f"http://member.example@127.0.0.1:{port}/",
            f"http://127.0.0.1:{port}#@member.example/",
            f"http://member.example\\@127.0.0.1:{port}/",
            f"http://127。0。0。1:{port}/",
            f"http://%31%32%37.0.0.1:{port}/",
            f"//127.0.0.1:{port}/",
            f"https://127.0.0.1:{port}/",
            f"ftp://127.0.0.1:{port}/",
            f"gopher://127.0.0.1:{port}/_x",
            f"127.0.0.1:{port}",
            f"http://127.0.0.1:{port}/%0d%0aHost:%20x",
        ]


REACHING = 8  # spellings an ordinary client goes to: the twin


@contextmanager
def listening() -> Iterator[Listener]:
    """Both sockets on one port."""
    while True:
        first = socket.create_server(("127.0.0.1", 0))
        port = first.getsockname()[1]
        try:
            second = socket.create_server(("::1", port), family=socket.AF_INET6)
            break
        except OSError:
            first.close()
    listener = Listener(port)
    threads = [
        threading.Thread(target=listener.accept, args=(each,), daemon=True)
        for each in (first, second)
    ]
    for thread in threads:
        thread.start()
    try:
        yield listener
    finally:
        for each in (first, second):
            each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in threads:
            thread.join(10)


@contextmanager
def leading_to(target: str) -> Iterator[str]:
    """A host that sends everybody on: redirects, and for JSON-RPC an answer that asks the caller
    to go and fetch (CCIP Read, EIP-3668)."""

    class Leading(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._redirect()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if self.path.startswith("/rpc"):
                self._ask_to_fetch(json.loads(body))
            else:
                self._redirect()

        def _redirect(self) -> None:
            self.send_response(307)
            self.send_header("location", target)
            self.send_header("content-length", "0")
            self.end_headers()

        def _ask_to_fetch(self, question: object) -> None:
            asked = question if isinstance(question, list) else [question]
            answers = [
                {
                    "jsonrpc": "2.0",
                    "id": each["id"],
                    "error": {"code": 3, "message": "reverted", "data": offchain_lookup(target)},
                }
                for each in asked
            ]
            content = json.dumps(answers if isinstance(question, list) else answers[0]).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Leading)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def offchain_lookup(url: str) -> str:
    """Revert data `OffchainLookup(address,string[],bytes,bytes4,bytes)`."""
    from eth_abi import encode

    arguments = encode(
        ["address", "string[]", "bytes", "bytes4", "bytes"],
        ["0x" + "22" * 20, [url + "{sender}/{data}"], b"q", b"back", b"extra"],
    )
    return "0x556f1830" + arguments.hex()
