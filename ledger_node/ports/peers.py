"""Signed messages to other member cities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ledger_node.core.types import CityId


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """One HTTP message as it was signed, kept as evidence.

    Attributes:
        start_line: `POST https://…` of a request, or the status code of an answer.
        headers: Covered and signature headers, lower-case names.
        body: Exact bytes.
    """

    start_line: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """A verified answer of another city together with the request that caused it."""

    status: int
    body: bytes
    request: SignedMessage
    answer: SignedMessage


class Peers(Protocol):
    """Promises: only addresses and keys from `Membership` are used; no redirects; the answer's
    signature is verified against the request's before it is returned; a problem+json answer is
    raised as the typed error its code names; silence raises `PeerUnavailableError`.
    """

    def send(self, city: CityId, path: str, body: bytes, *, timeout_s: float = 10.0) -> PeerAnswer:
        """POST a canonical JSON body, signed."""
        ...

    def fetch_blob(
        self, city: CityId, path: str, body: bytes, *, max_bytes: int
    ) -> Iterator[bytes]:
        """POST, signed; stream a large answer in chunks. Its digest is the caller's to check."""
        ...

    def fetch_log_file(self, city: CityId, path: str, *, max_bytes: int = 1 << 20) -> bytes:
        """GET a public file of another city's log (unsigned: it proves itself)."""
        ...
