"""Disclosures: one salted field of a statement, in the SD-JWT form.

Steps 1 and 2 of the data flow. A disclosure is the unpadded base64url text of the RFC 8785 bytes
of `[salt, name, value]`; its digest is SHA-256 over the ASCII of that text. Whoever holds the text
can show one field; whoever holds only the digest learns nothing, because the salt has 256 bits.
Spec: docs/spec/statement.md (after SD-JWT, RFC 9901, section 4.2). Vectors:
tests/vectors/disclosure/.

Not here: which name belongs at which position (statement.py), where salts come from
(derivation.py).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ledger_node.core.canonical import (
    JsonValue,
    encode_base64url,
    encode_canonical,
    parse_base64url,
    parse_canonical,
)
from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.types import HASH_BYTES, Salt

MAX_DISCLOSURE_CHARS = 64 * 1024


class MalformedDisclosureError(MalformedInputError):
    """The text is not a disclosure: not three elements, wrong types, salt or spelling."""

    code = "malformed_disclosure"


class DisclosureNameError(VerificationError):
    """A disclosure carries another name than the one that belongs at its position.

    Fields: expected, found.
    """

    code = "disclosure_name_mismatch"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One shown field.

    Attributes:
        salt: 32 secret bytes.
        name: Field name as fixed by the type version.
        value: JSON value; None for an absent field.
    """

    salt: Salt
    name: str
    value: JsonValue


def encode_disclosure(salt: Salt, name: str, value: JsonValue) -> str:
    """Write a disclosure.

    Raises:
        NotCanonicalError: The value cannot be written as RFC 8785 with integers only.
    """
    return encode_base64url(encode_canonical([encode_base64url(salt), name, value]))


def compute_disclosure_digest(text: str) -> bytes:
    """SHA-256 over the ASCII of the base64url text, 32 bytes.

    Raises:
        MalformedDisclosureError: The text is not ASCII.
    """
    try:
        return hashlib.sha256(text.encode("ascii")).digest()
    except UnicodeEncodeError as error:
        raise MalformedDisclosureError(
            "披露项含有 ASCII 以外的字符。", "a disclosure holds characters other than ASCII."
        ) from error


def parse_disclosure(text: str, expected_name: str) -> Disclosure:
    """Read a disclosure strictly and check its name.

    Args:
        text: Unpadded base64url.
        expected_name: The name the type version has at this position.

    Raises:
        MalformedEncodingError: Text or salt is not canonical base64url, or the salt is not
            32 bytes.
        NotCanonicalError: The bytes are not the RFC 8785 form of their value.
        MalformedDisclosureError: Too long, not three elements, or salt or name is not text.
        DisclosureNameError: Another name.
    """
    if len(text) > MAX_DISCLOSURE_CHARS:
        raise MalformedDisclosureError(
            f"披露项超过 {MAX_DISCLOSURE_CHARS} 个字符。",
            f"a disclosure is longer than {MAX_DISCLOSURE_CHARS} characters.",
        )
    data = parse_base64url(text, what="disclosure")
    parsed = parse_canonical(data, what="disclosure")
    if not isinstance(parsed, list) or len(parsed) != 3:
        raise MalformedDisclosureError(
            "披露项须恰为三个元素：盐、名称、值。",
            "a disclosure has exactly three elements: salt, name, value.",
        )
    salt, name, value = parsed
    if not isinstance(salt, str) or not isinstance(name, str):
        raise MalformedDisclosureError(
            "披露项的盐和名称须为文本。", "salt and name of a disclosure must be text."
        )
    salt_bytes = parse_base64url(salt, what="disclosure salt", length_bytes=HASH_BYTES)
    if name != expected_name:
        raise DisclosureNameError(
            f"该位置应披露“{expected_name}”，实为“{name}”。",
            f"this position discloses {expected_name!r}, found {name!r}.",
            expected=expected_name,
            found=name,
        )
    return Disclosure(Salt(salt_bytes), name, value)
