"""Text form of a document's age identity.

Step 1 of the data flow. The age format wants its X25519 secret as Bech32 (BIP 173) with the prefix
`AGE-SECRET-KEY-` in upper case. Spec: docs/spec/derivation.md. Vectors: tests/vectors/derivation/.

Not here: deriving the secret (derivation.py), opening documents with it (edges/documents).
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger_node.core.derivation import MalformedKeyError

AGE_SECRET_BYTES = 32

_PREFIX = "age-secret-key-"
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_DIGITS = 6


def encode_age_identity(secret: bytes) -> str:
    """Write an X25519 secret as `AGE-SECRET-KEY-1…`.

    Raises:
        MalformedKeyError: The secret is not 32 bytes.
    """
    if len(secret) != AGE_SECRET_BYTES:
        raise MalformedKeyError("文件密钥须为 32 字节。", "a document secret has 32 bytes.")
    # 256 bits are 52 digits of 5 bits with 4 zero bits at the end.
    number = int.from_bytes(secret, "big") << 4
    digits = [number >> shift & 31 for shift in range(255, -1, -5)]
    expanded = [ord(char) >> 5 for char in _PREFIX] + [0] + [ord(char) & 31 for char in _PREFIX]
    checksum = _compute_polymod([*expanded, *digits, *[0] * _CHECKSUM_DIGITS]) ^ 1
    digits += [checksum >> shift & 31 for shift in range(25, -1, -5)]
    return (_PREFIX + "1" + "".join(_ALPHABET[digit] for digit in digits)).upper()


def _compute_polymod(digits: Iterable[int]) -> int:
    """BCH checksum of BIP 173."""
    checksum = 1
    for digit in digits:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ digit
        for bit, generator in enumerate(_GENERATORS):
            if top >> bit & 1:
                checksum ^= generator
    return checksum
