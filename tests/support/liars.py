"""Cities that lie about their log: a wrapper around a node's ASGI application, switched by a file.

The wrapper has the city's own keys, as the city would. Every lie notes that it was told, so that a
test can prove that its fault fired.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ledger_node import running
from ledger_node.core.checkpoint import Checkpoint, encode_checkpoint, parse_checkpoint
from ledger_node.core.merkle import TreeHead
from ledger_node.core.signed_note import build_note, parse_note
from ledger_node.core.types import RootHash, TreeSize
from ledger_node.edges.keys.city_keys import CityKeysFile
from ledger_node.ports.keys import KeyRole
from ledger_node.wiring import keys_path

WITHHOLD, FORK, FORK_TILES, SHRINK = "withhold", "fork", "fork-tiles", "shrink"
LATE, LATE_SHRINK = "late", "late-shrink:"  # the latter with a size signed before
Send = Callable[[Any], Awaitable[None]]


class Liar:
    """The lie of one city, told by its process and set by the test."""

    def __init__(self, city: Path) -> None:
        """Keep the lie beside the city's directory."""
        self._city = city
        self._lie = city.with_suffix(".lie")
        self._told = city.with_suffix(".told")

    def tell(self, lie: str) -> None:
        """Begin to lie."""
        self._told.unlink(missing_ok=True)
        self._lie.with_suffix(".next").write_text(lie)
        os.replace(self._lie.with_suffix(".next"), self._lie)

    def stop(self) -> None:
        """Tell the truth again; returns when a lie was told."""
        self._lie.unlink()

    @property
    def was_told(self) -> bool:
        """Whether somebody heard the lie."""
        return self._told.exists()

    def around(self, app: Any) -> Any:
        """Wrap the application inside the city's process; while it is late it anchors nothing."""
        running.PAUSE_S = 0.0  # every growth of the log is anchored at once
        is_time = running.ChainTurns._is_time

        def is_time_unless_late(turns: Any) -> bool:
            if self._now().startswith(LATE):
                self._told.touch()
                return False
            return is_time(turns)

        running.ChainTurns._is_time = is_time_unless_late  # type: ignore[method-assign]

        async def serve(scope: Any, receive: Any, send: Send) -> None:
            path = scope.get("path", "")
            lie = self._now() if path.startswith("/log/") else ""
            if lie == WITHHOLD and "/tile/" in path:
                await self._refuse(send)
            elif lie.startswith(LATE_SHRINK) and path.endswith("/checkpoint"):
                self._told.touch()
                aimed = f"{path}/{lie.removeprefix(LATE_SHRINK)}"
                await app({**scope, "path": aimed, "raw_path": aimed.encode()}, receive, send)
            elif lie in (FORK, SHRINK) and path.endswith("/checkpoint"):
                await app(scope, receive, self._changed(send, self._sign_other(lie)))
            elif lie == FORK_TILES and "/tile/" in path:
                await app(scope, receive, self._changed(send, _flip))
            else:
                await app(scope, receive, send)

        return serve

    def _now(self) -> str:
        try:
            return self._lie.read_text()
        except FileNotFoundError:
            return ""

    async def _refuse(self, send: Send) -> None:
        self._told.touch()
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _changed(self, send: Send, change: Callable[[bytes], bytes]) -> Send:
        """Changes a body that comes in one piece and keeps its length where the head stands."""
        held: list[Any] = []

        async def send_changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                held.append(message)
                return
            body = message.get("body", b"")
            if held:
                body = change(body) if held[0]["status"] == 200 else body
                kept = [h for h in held[0]["headers"] if h[0].lower() != b"content-length"]
                length = (b"content-length", str(len(body)).encode())
                await send({**held.pop(), "headers": [*kept, length]})
                self._told.touch()
            await send({**message, "body": body})

        return send_changed

    def _sign_other(self, lie: str) -> Callable[[bytes], bytes]:
        keys = CityKeysFile(keys_path(self._city))

        def change(note: bytes) -> bytes:
            true = parse_checkpoint(parse_note(note).text)
            head = true.tree_head
            size = head.size if lie == FORK else head.size - 1
            other = TreeHead(TreeSize(size), RootHash(bytes(31) + bytes([size % 251])))
            text = encode_checkpoint(Checkpoint(true.origin, other))
            signature = keys.sign(KeyRole.CHECKPOINT, text.encode())
            public = keys.public_key(KeyRole.CHECKPOINT)
            return build_note(text, true.origin, public, signature)

        return change


def _flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])
