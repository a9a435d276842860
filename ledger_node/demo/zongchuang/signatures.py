"""Checking that an event was signed by the city, as any foreign system would (RFC 9421)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger_node.core.message import verify_request
from ledger_node.core.message_key import MessageKeyId, parse_key_id
from ledger_node.core.message_parts import HeaderLines, HttpRequest

MAX_NONCES: Final = 10_000


class EventCheck:
    """The city's message keys, given when the systems were paired, and the nonces seen."""

    def __init__(self, origin: str, path: str, key_ids: Iterable[str]) -> None:
        """Take the keys.

        Args:
            origin: Our address as the node has it in its settings.
            path: Path of the callback.
            key_ids: `<city>/message/<key>`.

        Raises:
            MessageSignatureError: A key id of another spelling.
        """
        self._origin = origin
        self._path = path
        self._keys: frozenset[MessageKeyId] = frozenset(parse_key_id(each) for each in key_ids)
        self._nonces: dict[bytes, None] = {}

    def verify(self, headers: HeaderLines, body: bytes, now_s: int) -> bool:
        """Check an event; False when exactly this message was seen before.

        Raises:
            LedgerError: It is not signed by the city, for this address, about this body, now.
        """
        request = HttpRequest("POST", self._origin, self._path, headers)
        message = verify_request(request, body, self._keys.__contains__, now_s)
        if message.nonce in self._nonces:
            return False
        self._nonces[message.nonce] = None
        while len(self._nonces) > MAX_NONCES:
            del self._nonces[next(iter(self._nonces))]
        return True
