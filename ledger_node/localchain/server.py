"""HTTP on 127.0.0.1: one POST, one JSON-RPC answer. One thread per connection."""

from __future__ import annotations

import errno
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ledger_node.localchain.errors import AddressInUseError
from ledger_node.localchain.rpc.dispatch import Dispatcher, encode_failure
from ledger_node.localchain.rpc.errors import INVALID_REQUEST, RpcError

HOST = "127.0.0.1"
MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_DRAINED_BYTES = 64 * 1024 * 1024
IDLE_TIMEOUT_S = 120
ALLOWED_HOSTS = frozenset({"127.0.0.1", "localhost"})
_LENGTH = re.compile(r"[0-9]{1,15}\Z")


class RpcServer(ThreadingHTTPServer):
    """Serves one dispatcher."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise AddressInUseError(f"port {port} is in use") from error

    @property
    def url(self) -> str:
        """Address of the service."""
        return f"http://{HOST}:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that broke off is no event of the chain."""


class _Handler(BaseHTTPRequestHandler):
    server: RpcServer
    protocol_version = "HTTP/1.1"
    server_version = "tongban-localchain"
    sys_version = ""
    timeout = IDLE_TIMEOUT_S
    disable_nagle_algorithm = True
    wbufsize = -1  # header and body leave in one segment

    def do_POST(self) -> None:
        """Answer one request body."""
        refusal = self._refusal()
        if refusal is not None:
            self._refuse(*refusal)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.dispatcher.answer(body)
        if answer is None:
            self._send(HTTPStatus.NO_CONTENT, b"")
        else:
            self._send(HTTPStatus.OK, answer)

    def _refusal(self) -> tuple[HTTPStatus, str] | None:
        """What is wrong with the head of the request, if anything.

        A foreign `Host` or a body that is not JSON is what a web page open on this machine could
        send without being asked; both are refused.
        """
        host = self.headers.get("Host", "").rsplit(":", 1)[0].lower()
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        length = self.headers.get("Content-Length", "")
        if host not in ALLOWED_HOSTS:
            return HTTPStatus.FORBIDDEN, "host not allowed"
        if kind != "application/json":
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content type must be application/json"
        if self.headers.get("Transfer-Encoding") or not _LENGTH.match(length):
            return HTTPStatus.LENGTH_REQUIRED, "content length required"
        if int(length) > MAX_BODY_BYTES:
            self._drain(int(length))
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body exceeds {MAX_BODY_BYTES} bytes"
        return None

    def _drain(self, length: int) -> None:
        """Read a refused body away, so that its sender gets to read the answer."""
        left = min(length, MAX_DRAINED_BYTES)
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 16))):
            left -= len(chunk)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True
        self._send(status, encode_failure(RpcError(INVALID_REQUEST, message)))

    def send_error(self, code: int, message: str | None = None, _: str | None = None) -> None:
        """The base class calls this for what is no valid HTTP or not a POST."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else code
        self._refuse(HTTPStatus(status), message or "bad request")

    def _send(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Access lines are left out."""
