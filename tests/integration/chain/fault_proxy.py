"""An HTTP proxy in front of a JSON-RPC endpoint that answers wrongly on cue.

A real server on its own port: the client under test meets real sockets. Every fault counts how
often it fired.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HOLD_S = 0.4
Item = dict[str, Any]


class FaultProxy:
    """Switches a fault on for the next few questions it applies to."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self.host, self.port = parts.hostname or "", parts.port or 0
        self.fault: str | None = None
        self.left = 0
        self.fired = 0
        self.stale: Any = None

    def switch_on(self, fault: str, times: int) -> None:
        self.fault, self.left, self.fired = fault, times, 0

    def heal(self) -> None:
        self.fault = None

    def forward(self, body: bytes) -> Any:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def fire(self) -> bool:
        if self.left <= 0:
            return False
        self.left -= 1
        self.fired += 1
        return True


def _is(method: str) -> Callable[[Item, Any], bool]:
    return lambda question, result: question["method"] == method and bool(result)


def _is_latest(question: Item, result: Any) -> bool:
    return question["method"] == "eth_getBlockByNumber" and question["params"][0] == "latest"


# Fault -> (which answers, what becomes of the result).
ANSWER_FAULTS: dict[str, tuple[Callable[[Item, Any], bool], Callable[[Any], Any]]] = {
    "null-receipt": (_is("eth_getTransactionReceipt"), lambda result: None),
    "wrong-chain-id": (_is("eth_chainId"), lambda result: "0x2a"),
    "missing-logs": (_is("eth_getLogs"), lambda result: result[:-1]),
}
SEND_FAULTS = ("accepted-then-error", "already-known", "nonce-too-low")
SOCKET_FAULTS = ("refused", "timeout", "reset-mid-body", "http-500", "malformed-json")
FAULTS = (*SOCKET_FAULTS, "wrong-id", "error-object", "stale-head", *SEND_FAULTS, *ANSWER_FAULTS)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    proxy: FaultProxy

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        proxy, fault = self.proxy, self.proxy.fault
        if fault in ("refused", "timeout", "http-500", "malformed-json") and proxy.fire():
            self._socket_fault(str(fault))
            return
        questions = json.loads(body)
        items = questions if isinstance(questions, list) else [questions]
        sends = any(item["method"] == "eth_sendRawTransaction" for item in items)
        if fault == "nonce-too-low" and sends and proxy.fire():
            self._reply([_error(item, "nonce too low") for item in items], questions)
            return
        answers = proxy.forward(body)
        by_id = {a["id"]: a for a in (answers if isinstance(answers, list) else [answers])}
        ordered = [by_id[item["id"]] for item in items]
        if fault in ("accepted-then-error", "already-known") and sends and proxy.fire():
            message = "already known" if fault == "already-known" else "internal error"
            ordered = [_error(item, message) for item in items]
        if fault in ("wrong-id", "error-object") and proxy.fire():
            ordered = [_spoil(item, str(fault)) for item in ordered]
        ordered = [self._spoil_answer(q, a) for q, a in zip(items, ordered, strict=True)]
        if fault == "reset-mid-body" and proxy.fire():
            self._cut(json.dumps(ordered).encode())
            return
        self._reply(ordered, questions)

    def _spoil_answer(self, question: Item, answer: Item) -> Item:
        proxy, fault = self.proxy, self.proxy.fault
        if _is_latest(question, None):
            if fault == "stale-head" and proxy.stale is not None and proxy.fire():
                return {**answer, "result": proxy.stale}
            if fault is None:
                proxy.stale = answer["result"]
        if fault in ANSWER_FAULTS:
            applies, change = ANSWER_FAULTS[fault]
            if applies(question, answer.get("result")) and proxy.fire():
                return {**answer, "result": change(answer["result"])}
        return answer

    def _socket_fault(self, fault: str) -> None:
        if fault == "http-500":
            self._send(500, b"<html>sorry</html>")
        elif fault == "malformed-json":
            self._send(200, b'{"jsonrpc":"2.0","id":1,"result":')
        else:
            if fault == "timeout":
                threading.Event().wait(HOLD_S)
            self._drop()

    def _drop(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def _cut(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        self._drop()

    def _reply(self, answers: list[Item], questions: Any) -> None:
        self._send(200, json.dumps(answers if isinstance(questions, list) else answers[0]).encode())

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        with suppress(ConnectionError, ValueError, OSError):
            super().handle()

    def finish(self) -> None:
        with suppress(ConnectionError, ValueError, OSError):
            super().finish()


def _error(question: Item, message: str) -> Item:
    return {
        "jsonrpc": "2.0",
        "id": question["id"],
        "error": {"code": -32000, "message": message},
    }


def _spoil(answer: Item, fault: str) -> Item:
    if fault == "wrong-id":
        return {**answer, "id": answer["id"] + 1_000_000}
    return _error(answer, "internal error")


@contextmanager
def running_proxy(target: str) -> Iterator[tuple[str, FaultProxy]]:
    """A proxy on a free port; ends with the block."""
    proxy = FaultProxy(target)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
