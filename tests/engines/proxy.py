"""Stands between a store and its server on the loopback, and spoils what passes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_PIECE = 16_384


@dataclass
class Plan:
    """What happens to connections from now on.

    Attributes:
        cut_up_after: Bytes that may go to the server before a connection is cut; None: all.
        cut_down_after: Bytes that may come back before it is cut; None: all.
        answer: Given instead of the server's, after the first bytes of the question.
        on_cut: Called once at the first cut.
        cuts: How often something was spoilt.
    """

    cut_up_after: int | None = None
    cut_down_after: int | None = None
    answer: bytes | None = None
    on_cut: Callable[[], None] | None = None
    cuts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self) -> None:
        with self.lock:
            self.cuts += 1
            action, self.on_cut = self.on_cut, None
        if action is not None:
            action()


@contextmanager
def run_proxy(target_port: int, plan: Plan) -> Iterator[int]:
    """Yields the port to call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not stop.is_set():
                try:
                    client, _ = listener.accept()
                except TimeoutError:
                    continue
                except OSError:
                    return
                thread = threading.Thread(target=_serve, args=(client, target_port, plan, stop))
                threads.append(thread)
                thread.start()

        listener.settimeout(0.1)
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            acceptor.join(5)
            for thread in threads:
                thread.join(5)


def _serve(client: socket.socket, port: int, plan: Plan, stop: threading.Event) -> None:
    with client, contextlib.suppress(OSError):
        if plan.answer is not None:
            client.recv(_PIECE)
            plan.note()
            client.sendall(plan.answer)
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            _pass_on(client, server, plan, stop)


def _pass_on(
    client: socket.socket, server: socket.socket, plan: Plan, stop: threading.Event
) -> None:
    passed = {client: 0, server: 0}
    limits = {client: plan.cut_up_after, server: plan.cut_down_after}
    with selectors.DefaultSelector() as selector:
        for each in (client, server):
            selector.register(each, selectors.EVENT_READ)
        while not stop.is_set():
            for key, _ in selector.select(0.1):
                source = client if key.fileobj is client else server
                data = source.recv(_PIECE)
                if not data:
                    return
                limit = limits[source]
                room = len(data) if limit is None else max(0, limit - passed[source])
                (server if source is client else client).sendall(data[:room])
                passed[source] += len(data)
                if room < len(data):
                    plan.note()
                    return
