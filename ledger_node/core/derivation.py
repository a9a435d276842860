"""Keys derived from a material key: salts, sealing key, document secrets.

Steps 1 and 2 of the data flow. Spec: HKDF-SHA-256 (RFC 5869) with the fixed extract salt
`tongban/material-key/v1` and one info label per purpose; docs/spec/derivation.md, decision 0006.
Vectors: tests/vectors/derivation/.

Invariants:
    * One label per purpose; a position or index stands in the label as uint16.
    * Destroying the material key destroys salts, sealing key and document secrets with it.
    * A derived value shown to somebody (a salt, a document secret) says nothing about the others.
Not here: wrapping and storing material keys (edges/keys), sealing (edges/documents), the text form
of a document secret (age_identity.py).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from ledger_node.core.errors import MalformedInputError
from ledger_node.core.types import Salt

MATERIAL_KEY_BYTES = 32
MAX_POSITION = 2**16 - 1

_EXTRACT_SALT = b"tongban/material-key/v1"
_SALT_LABEL = b"tongban/salt/v1\n"
_SEAL_LABEL = b"tongban/statement-seal/v1\n"
_DOCUMENT_LABEL = b"tongban/document/v1\n"
_BLOCK_BYTES = 64  # of SHA-256, for HMAC (RFC 2104)
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


class MalformedKeyError(MalformedInputError):
    """A key has the wrong length, or a position is no uint16."""

    code = "malformed_key"


def _extract(material_key: bytes) -> bytes:
    if len(material_key) != MATERIAL_KEY_BYTES:
        raise MalformedKeyError("材料密钥须为 32 字节。", "a material key has 32 bytes.")
    return hmac.digest(_EXTRACT_SALT, material_key, "sha256")


def _expand(pseudorandom_key: bytes, info: bytes) -> bytes:
    """First 32 bytes of HKDF-Expand: T(1) = HMAC(PRK, info || 0x01)."""
    return _key_expand(pseudorandom_key)(info)


def _key_expand(pseudorandom_key: bytes) -> Callable[[bytes], bytes]:
    """HKDF-Expand under one key, for many labels: keyed once, 0.6 µs a value instead of 1.6."""
    block = pseudorandom_key.ljust(_BLOCK_BYTES, b"\0")
    inner = hashlib.sha256(block.translate(_INNER_PAD))
    outer = hashlib.sha256(block.translate(_OUTER_PAD))

    def expand(info: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(info + b"\x01")
        second.update(first.digest())
        return second.digest()

    return expand


def _demand_position(position: int) -> None:
    if not 0 <= position <= MAX_POSITION:
        raise MalformedKeyError("位置须为 16 位无符号整数。", "a position is a uint16.")


def derive_salts(material_key: bytes, count: int) -> list[Salt]:
    """Salts of the disclosures at positions 0 to count - 1, 32 bytes each.

    Raises:
        MalformedKeyError: The material key is not 32 bytes, or count exceeds 65,536.
    """
    _demand_position(count - 1 if count else 0)
    expand = _key_expand(_extract(material_key))
    return [Salt(expand(_SALT_LABEL + position.to_bytes(2, "big"))) for position in range(count)]


def derive_sealing_key(material_key: bytes) -> bytes:
    """AES-256-GCM key that seals the statement's values, 32 bytes.

    Raises:
        MalformedKeyError: The material key is not 32 bytes.
    """
    return _expand(_extract(material_key), _SEAL_LABEL)


def derive_document_secret(material_key: bytes, document_index: int) -> bytes:
    """X25519 secret of one document's age identity, 32 bytes (clamped by X25519 itself).

    Args:
        material_key: 32 bytes.
        document_index: i of `document.i`.

    Raises:
        MalformedKeyError: The material key is not 32 bytes, or the index is no uint16.
    """
    _demand_position(document_index)
    info = _DOCUMENT_LABEL + document_index.to_bytes(2, "big")
    return _expand(_extract(material_key), info)
