"""The code printed on a consent slip, with which a grant is taken back at any window.

Twenty Crockford base32 characters in five groups: recording city (4, its division code), selector
(4, names the row, no secret), secret (11, 55 bits) and a check character (value modulo 37: finds
every wrong character and every swap of neighbours before it). Of the secret only a salted slow
hash is kept.
Spec: docs/spec/revocation.md. Vectors: tests/vectors/revocation/.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from ledger_node.core.errors import MalformedInputError
from ledger_node.core.types import CityId

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CITY_CHARS, SELECTOR_CHARS, SECRET_CHARS = 4, 4, 11
CODE_CHARS: Final = CITY_CHARS + SELECTOR_CHARS + SECRET_CHARS + 1
GROUP_CHARS: Final = 4
SALT_BYTES: Final = 16
ENTROPY_BYTES: Final = 16
MODULUS: Final = 37
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**14, 8, 1
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_IGNORED: Final = str.maketrans(dict.fromkeys(" -\u2010\u2013\u2014\u3000"))


class RevocationCodeError(MalformedInputError):
    """What was typed is no revocation code: a character is missing, unknown or wrong."""

    code = "revocation_code_mistyped"

    def __init__(self) -> None:
        super().__init__(
            "撤回码输入有误，请对照凭条逐组核对。",
            "This is not how a withdrawal code reads; compare it with the slip, group by group.",
        )


@dataclass(frozen=True, slots=True)
class RevocationCode:
    """A code, taken apart.

    Attributes:
        city: Recording city, which alone can judge the rest.
        selector: Names the row there.
        secret: What the slip proves.
    """

    city: CityId
    selector: str
    secret: str

    @property
    def text(self) -> str:
        """All twenty characters."""
        body = _encode(int(self.city), CITY_CHARS) + self.selector + self.secret
        return body + ALPHABET[_value_of(body) % MODULUS]

    @property
    def printed(self) -> str:
        """In groups, as it stands on the slip."""
        return "-".join(
            self.text[at : at + GROUP_CHARS] for at in range(0, CODE_CHARS, GROUP_CHARS)
        )

    @property
    def public_part(self) -> str:
        """City and selector: what a QR code may carry."""
        return self.text[: CITY_CHARS + SELECTOR_CHARS]


def build_code(city: CityId, entropy: bytes) -> RevocationCode | None:
    """A code of 16 random bytes; None where its check would need a sign beyond the alphabet (five
    in thirty-seven): the caller tries again."""
    value = int.from_bytes(entropy, "big")
    selector = _encode(value % 32**SELECTOR_CHARS, SELECTOR_CHARS)
    secret = _encode((value >> 40) % 32**SECRET_CHARS, SECRET_CHARS)
    body = _encode(int(city), CITY_CHARS) + selector + secret
    if _value_of(body) % MODULUS >= len(ALPHABET):
        return None
    return RevocationCode(city, selector, secret)


def parse_code(text: str) -> RevocationCode:
    """Read a code as typed: blanks, hyphens and case do not matter, O is 0, I and L are 1.

    Raises:
        RevocationCodeError: Another length, another character, or the check does not hold.
    """
    plain = text.upper().translate(_IGNORED).translate(_LOOKALIKES)
    if len(plain) != CODE_CHARS or any(char not in ALPHABET for char in plain):
        raise RevocationCodeError
    body, check = plain[:-1], plain[-1]
    number = _value_of(body[:CITY_CHARS])
    if _value_of(body) % MODULUS != ALPHABET.index(check) or number > 999_999:
        raise RevocationCodeError
    at = CITY_CHARS + SELECTOR_CHARS
    return RevocationCode(CityId(f"{number:06}"), body[CITY_CHARS:at], body[at:])


def compute_verifier(secret: str, salt: bytes) -> bytes:
    """Slow hash of a secret, 32 bytes: scrypt, N = 2^14, r = 8, p = 1 (16 MiB)."""
    return hashlib.scrypt(
        secret.encode("ascii"), salt=salt, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, dklen=32
    )


def matches(secret: str, salt: bytes, verifier: bytes) -> bool:
    """Whether a secret is the one kept as (salt, verifier)."""
    return hmac.compare_digest(compute_verifier(secret, salt), verifier)


def _encode(value: int, chars: int) -> str:
    return "".join(ALPHABET[value >> 5 * at & 31] for at in range(chars - 1, -1, -1))


def _value_of(text: str) -> int:
    value = 0
    for char in text:
        value = value * 32 + ALPHABET.index(char)
    return value
