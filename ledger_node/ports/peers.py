"""Signed messages to other member cities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ledger_node.core.errors import NotPermittedError, UnavailableError
from ledger_node.core.signed_head import SignedAnswerHead
from ledger_node.core.types import CityId, PublicKey


class PeerUnavailableError(UnavailableError):
    """The other city's node gave no usable answer in time."""

    code = "peer_unavailable"

    def __init__(self, city: str, reason: str) -> None:
        super().__init__(
            f"{city} 的节点没有应答（{reason}）。可稍后重试，或请申请人提交原件。",
            f"The node of {city} gave no usable answer ({reason}); retry later.",
            city=city,
            reason=reason,
        )


class LogFileRefusedError(PeerUnavailableError):
    """The other city's node answers, but does not serve this file of its log."""

    code = "log_file_refused"


class PeerRefusedError(NotPermittedError):
    """The other city refused, in a signed answer; `code` on the instance is the city's own code.

    Attributes:
        status: HTTP status of the answer.
        peer_code: Stable code the other city gave.
    """

    code = "peer_refused"

    def __init__(self, city: str, status: int, peer_code: str, zh: str, en: str) -> None:
        super().__init__(zh, en, city=city, status=status, peer_code=peer_code)
        self.status = status
        self.peer_code = peer_code


class Journal(Protocol):
    """Notes a message in the city's message log before it is sent: to whom, which route, digest
    of its body (32 bytes)."""

    def __call__(self, city: CityId, kind: str, digest: bytes, /) -> None: ...


class Directory(Protocol):
    """Who is a member, at which address, with which keys: what the followed chain says now."""

    def url_of(self, city: CityId) -> str:
        """Registered address, without a trailing slash.

        Raises:
            NotAMemberError: The consortium has no such city.
        """
        ...

    def is_message_key(self, city: CityId, key: PublicKey) -> bool:
        """Whether `key` is the city's current, trusted message key and the city is a member."""
        ...


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """A verified answer of another city, with what of it and its request is kept as evidence."""

    body: bytes
    head: SignedAnswerHead

    @property
    def status(self) -> int:
        """HTTP status, 200 to 299."""
        return self.head.status


class Peers(Protocol):
    """Promises: only addresses and keys from `Membership` are used; no redirects; the answer's
    signature is verified against the request's before it is returned; a signed problem answer is
    raised as `PeerRefusedError` with the city's code; silence, and an answer nobody signed, raise
    `PeerUnavailableError`.
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
        """GET a public file of another city's log (unsigned: it proves itself).

        Raises:
            LogFileRefusedError: The node answers and does not serve it.
        """
        ...
