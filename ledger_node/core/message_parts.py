"""Parts of a signed message between cities: request, answer, stamp, URL and Content-Digest.

Spec: design section 8, docs/spec/messages.md; RFC 9530 for Content-Digest.

Not here: signing and verifying (message.py), key ids (message_key.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger_node.core.canonical import MalformedEncodingError, encode_base64, parse_base64
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_problem import MessageSignatureError
from ledger_node.core.types import HASH_BYTES, CityId, Digest

MAX_AGE_S = 300
MAX_FUTURE_S = 5
NONCE_BYTES = 16

_URL = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?/?")
_PATH = re.compile(r"/[A-Za-z0-9._/-]*(?:\?[A-Za-z0-9._~=&%/-]*)?")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")

HeaderLines = Sequence[tuple[str, str]]
KeyCheck = Callable[[MessageKeyId], bool]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it is signed.

    Attributes:
        method: Upper case.
        registered_url: Address of the asked node as `Membership` holds it.
        path: Path and query as sent.
        headers: All field lines in order, a repeated name as often as it was sent.
    """

    method: str
    registered_url: str
    path: str
    headers: HeaderLines


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it is signed: status code and all field lines."""

    status: int
    headers: HeaderLines


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """What a signature vouches for.

    Attributes:
        key_id: City and key that signed.
        nonce: 16 bytes, unique per key; the caller stores it before acting.
        created_at_s, expires_at_s: Unix time.
        body_digest: SHA-256 of the exact body.
    """

    key_id: MessageKeyId
    nonce: bytes
    created_at_s: int
    expires_at_s: int
    body_digest: Digest

    @property
    def city(self) -> CityId:
        """City whose message key signed."""
        return self.key_id.city


@dataclass(frozen=True, slots=True)
class MessageStamp:
    """What the sender adds.

    Attributes:
        key_id: Own city and message key.
        created_at_s: Own clock, Unix time.
        nonce: 16 random bytes.
        sign: Makes an Ed25519 signature, 64 bytes, with that key.
    """

    key_id: MessageKeyId
    created_at_s: int
    nonce: bytes
    sign: Callable[[bytes], bytes]


def build_url(registered_url: str, path: str) -> str:
    """URL that is signed: scheme and authority of the registered address, path as sent.

    Raises:
        MessageSignatureError: The address has a path, query, credentials or fragment, or the path
            is not plain ASCII beginning with a slash.
    """
    if _URL.fullmatch(registered_url) is None or _PATH.fullmatch(path) is None:
        raise MessageSignatureError("URL")
    return registered_url.rstrip("/") + path


def encode_content_digest(digest: Digest) -> str:
    """Value of the Content-Digest field."""
    return f"sha-256=:{encode_base64(digest)}:"


def parse_content_digest(text: str) -> Digest:
    """Read a Content-Digest field with exactly one member, `sha-256`.

    Raises:
        MessageSignatureError: Another algorithm, several, or another spelling.
    """
    match = _DIGEST.fullmatch(text)
    if match is None:
        raise MessageSignatureError("Content-Digest")
    try:
        return Digest(parse_base64(match[1], what="Content-Digest", length_bytes=HASH_BYTES))
    except MalformedEncodingError as error:
        raise MessageSignatureError("Content-Digest") from error
