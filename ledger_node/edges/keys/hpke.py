"""Sealed messages between cities: HPKE (RFC 9180), base mode.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. Sealed bytes are the encapsulated key (32
bytes) and the ciphertext with its tag; `info` binds them to one message (docs/spec/keystore.md).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from ledger_node.core.derivation import MalformedKeyError
from ledger_node.core.types import PublicKey
from ledger_node.ports.keys import SealedMessageError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal_to(public_key: PublicKey, plaintext: bytes, info: bytes) -> bytes:
    """Seal for the holder of an X25519 key; fresh every time.

    Raises:
        MalformedKeyError: `public_key` is no X25519 key, or one of the few without security.
    """
    try:
        key = X25519PublicKey.from_public_bytes(public_key)
        return _SUITE.encrypt(plaintext, key, info)
    except ValueError as error:
        raise MalformedKeyError(
            "接收方的加密公钥不合格。", "the encryption key to seal to is no X25519 key."
        ) from error


def open_with(private_key: X25519PrivateKey, sealed: bytes, info: bytes) -> bytes:
    """Open what was sealed to a key with the same `info`.

    Raises:
        SealedMessageError: Another key, another info, or changed bytes.
    """
    try:
        return _SUITE.decrypt(sealed, private_key, info)
    except (InvalidTag, ValueError) as error:
        raise SealedMessageError from error
