"""Salted commitments to bodies other than a material's statement.

Spec: design section 4, docs/spec/entry.md:
`SHA-256("tongban/<kind>/v1\\n" || origin || "\\n" || salt || SHA-256(RFC 8785 of body))`.
The kind keeps a commitment of one meaning from passing for another; the origin keeps another city
from logging it as its own; the 256-bit salt keeps anyone from guessing the body.
Vectors: tests/vectors/commitment/.

Not here: statement commitments (statement.py), terms and release commitments, which have their own
framing (grant.py, release.py).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from ledger_node.core.canonical import JsonValue, encode_canonical
from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.types import HASH_BYTES, Commitment, Salt

PUBLIC_SALT = Salt(bytes(HASH_BYTES))  # for bodies that are public anyway (generation entries)


class CommitmentKind(StrEnum):
    """What a commitment stands for. Kinds are added, never reused."""

    CREDENTIAL = "credential"
    ACCESS = "access"
    RELIANCE = "reliance"
    GENERATION = "generation"
    EVIDENCE = "evidence"
    SUCCESSOR = "successor"
    SUBJECT = "subject"
    CASE = "case"
    ITEM = "item"
    OBJECTION = "objection"
    OUTCOME = "outcome"


class MalformedCommitmentError(MalformedInputError):
    """A commitment was asked for over a salt or origin that cannot carry one."""

    code = "malformed_commitment"


class CommitmentMismatchError(VerificationError):
    """An opened commitment is another one.

    Fields: kind, expected, computed.
    """

    code = "commitment_mismatch"


def compute_commitment(
    kind: CommitmentKind, origin: str, salt: Salt, body: JsonValue
) -> Commitment:
    """Commit to a body.

    Args:
        kind: What the body is.
        origin: Log origin of the city that makes it, `<domain>/<city>/<generation>`.
        salt: 32 secret random bytes (`PUBLIC_SALT` for a public body).
        body: JSON value.

    Raises:
        MalformedCommitmentError: The salt is not 32 bytes, or the origin is empty, not ASCII, or
            holds a line break (which would shift the framing).
        NotCanonicalError: The body cannot be written as RFC 8785 with integers only.
    """
    if len(salt) != HASH_BYTES:
        raise MalformedCommitmentError("盐须为 32 字节。", "a salt has 32 bytes.")
    head = f"tongban/{kind.value}/v1\n".encode("ascii") + frame_origin(origin)
    return Commitment(
        hashlib.sha256(head + salt + hashlib.sha256(encode_canonical(body)).digest()).digest()
    )


def verify_commitment(
    kind: CommitmentKind, origin: str, salt: Salt, body: JsonValue, expected: Commitment
) -> None:
    """Check that `expected` is the commitment to this body.

    Raises:
        CommitmentMismatchError: It is not; carries both.
        MalformedCommitmentError, NotCanonicalError: As in `compute_commitment`.
    """
    computed = compute_commitment(kind, origin, salt, body)
    if computed != expected:
        raise CommitmentMismatchError(
            f"打开的内容与承诺不符（{kind.value}）。",
            f"the opened body is not the one committed to ({kind.value}).",
            kind=kind.value,
            expected=expected,
            computed=computed,
        )


def frame_origin(origin: str) -> bytes:
    """Origin as it stands inside a hashed frame, with its closing line break.

    Raises:
        MalformedCommitmentError: Empty, not printable ASCII, or with blanks or line breaks.
    """
    if not origin or not origin.isascii() or not origin.isprintable() or " " in origin:
        raise MalformedCommitmentError(
            "日志来源（origin）须为不含空白的 ASCII 文本。",
            "a log origin is ASCII text without blanks or line breaks.",
        )
    return origin.encode("ascii") + b"\n"
