"""Sealing small private values for the database: AES-256-GCM under a key of the key store.

Sealed bytes: version byte 0x01, nonce (12 bytes), ciphertext with its tag (16 bytes). The
associated data names the row the bytes belong to, so that rows cannot be exchanged.
Spec: docs/spec/database.md. Documents are sealed elsewhere (port `documents`).
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger_node.core.errors import CiphertextAuthError
from ledger_node.ports.clock import Entropy

SEALED_VERSION: Final = b"\x01"
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class SealedValueDamagedError(CiphertextAuthError):
    """A sealed value does not open, or opens to what its row contradicts; `what` names the row."""

    code = "sealed_value_damaged"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def seal_value(entropy: Entropy, key: bytes, plaintext: bytes, what: str) -> bytes:
    """Seal `plaintext` for the row named `what` (`<table>/<id>`) under a 32-byte key."""
    nonce = entropy(NONCE_BYTES)
    return SEALED_VERSION + nonce + AESGCM(key).encrypt(nonce, plaintext, what.encode())


def open_value(key: bytes, sealed: bytes, what: str) -> bytes:
    """Open what `seal_value` made for the same row.

    Raises:
        SealedValueDamagedError: Changed bytes, another row's bytes, another key or version.
    """
    if sealed[:1] != SEALED_VERSION or len(sealed) < 1 + NONCE_BYTES + TAG_BYTES:
        raise SealedValueDamagedError(what)
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, what.encode())
    except InvalidTag as error:
        raise SealedValueDamagedError(what) from error
