"""Statements: all fields of a material in a fixed order, and the one hash that stands for them.

Step 2 of the data flow (fields and digests -> statement commitment). Spec: design section 4,
docs/spec/statement.md. Vectors: tests/vectors/statement/.

Every field is a disclosure; d_i is the digest of the i-th. Position 0 discloses type and version,
the fields of the type version follow, then `document.0`, `document.1` and so on:
`SHA-256("tongban/statement/v1\\n" || origin || "\\n" || u16 n || d_0 || ... || d_n-1)`.

Invariants:
    * One name per position: no second value can hide behind a name.
    * An absent field is disclosed as null, so the number of digests tells nothing about it.
    * Field order of a version never changes; a new order or field is a new version.
Not here: names and positions (statement_type.py), what values mean and whether they are allowed
(catalogue.py), where salts come from (derivation.py), the log entry (entry.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger_node.core.canonical import (
    JsonValue,
    encode_base64url,
    encode_canonical,
    require_int,
    require_members,
    require_text,
)
from ledger_node.core.commitment import frame_origin
from ledger_node.core.disclosure import compute_disclosure_digest, parse_disclosure
from ledger_node.core.errors import VerificationError
from ledger_node.core.statement_type import (
    MAX_DOCUMENTS,
    STATEMENT_FIELDS_V1,
    MalformedStatementError,
    StatementType,
    get_statement_type,
    malformed_statement,
)
from ledger_node.core.types import HASH_BYTES, Commitment, Salt

__all__ = [
    "MAX_DOCUMENTS",
    "STATEMENT_FIELDS_V1",
    "DisclosureMismatchError",
    "MalformedStatementError",
    "Showing",
    "Statement",
    "StatementMismatchError",
    "StatementType",
    "build_statement",
    "compute_statement_commitment",
    "encode_disclosures",
    "get_statement_type",
    "verify_showing",
]

_LABEL = b"tongban/statement/v1\n"


class DisclosureMismatchError(VerificationError):
    """A shown field is not the one the statement holds at its position.

    Fields: position, expected, computed.
    """

    code = "disclosure_mismatch"


class StatementMismatchError(VerificationError):
    """The digests do not lead to the commitment.

    Fields: expected, computed.
    """

    code = "statement_mismatch"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as its city keeps it.

    Attributes:
        statement_type: Its type version.
        disclosures: Base64url texts by position.
        digests: Their SHA-256, 32 bytes each, by position.
        commitment: The hash that stands for all.
    """

    statement_type: StatementType
    disclosures: tuple[str, ...]
    digests: tuple[bytes, ...]
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class Showing:
    """What a verified showing says.

    Attributes:
        statement_type: Type version, as disclosed at position 0.
        values: Shown values by name, without `type`.
    """

    statement_type: StatementType
    values: Mapping[str, JsonValue]


def encode_disclosures(
    statement_type: StatementType,
    values: Mapping[str, JsonValue],
    documents: Sequence[JsonValue],
    salts: Sequence[Salt],
) -> list[str]:
    """Disclosures of all positions.

    Args:
        statement_type: The type version.
        values: By field name; a missing one is disclosed as null.
        documents: Values of `document.0` onwards, at most `MAX_DOCUMENTS`.
        salts: One per position, 1 + number of fields + number of documents.

    Raises:
        MalformedStatementError: An unknown name, too many documents, or another number or length
            of salts.
        NotCanonicalError: A value cannot be written as RFC 8785 with integers only.
    """
    fields = statement_type.fields
    if not values.keys() <= set(fields):
        unknown = sorted(values.keys() - set(fields))
        raise malformed_statement(f"没有这些字段：{unknown}", f"no fields are named {unknown}")
    if len(documents) > MAX_DOCUMENTS:
        raise malformed_statement("文件过多", f"more than {MAX_DOCUMENTS} documents")
    if len(salts) != 1 + len(fields) + len(documents) or any(len(s) != HASH_BYTES for s in salts):
        raise malformed_statement(
            "盐的个数或长度不对", "one salt of 32 bytes per position is expected"
        )
    kind: JsonValue = {"code": statement_type.code, "version": statement_type.version}
    ordered = [kind, *(values.get(name) for name in fields), *documents]
    return [
        # The RFC 8785 bytes of [salt, name, value], put together: half the time of encoding it.
        encode_base64url(
            f'["{encode_base64url(salt)}","{statement_type.name_at(position)}",'.encode()
            + encode_canonical(value)
            + b"]"
        )
        for position, (salt, value) in enumerate(zip(salts, ordered, strict=True))
    ]


def build_statement(
    origin: str,
    statement_type: StatementType,
    values: Mapping[str, JsonValue],
    documents: Sequence[JsonValue],
    salts: Sequence[Salt],
) -> Statement:
    """Statement of a material.

    Args:
        origin: Log origin of the registering city.
        statement_type: The type version.
        values: By field name; a missing one is disclosed as null.
        documents: Values of `document.0` onwards (`document_value`).
        salts: One per position (`derivation.derive_salts`).

    Raises:
        MalformedStatementError: Values, documents or salts do not fit the type version.
        MalformedCommitmentError: The origin cannot stand in a commitment.
        NotCanonicalError: A value cannot be written as RFC 8785 with integers only.
    """
    disclosures = encode_disclosures(statement_type, values, documents, salts)
    digests = [hashlib.sha256(text.encode()).digest() for text in disclosures]
    commitment = compute_statement_commitment(origin, digests)
    return Statement(statement_type, tuple(disclosures), tuple(digests), commitment)


def compute_statement_commitment(origin: str, digests: Sequence[bytes]) -> Commitment:
    """The hash over all disclosure digests.

    Args:
        origin: Log origin of the registering city.
        digests: d_0 to d_n-1, 32 bytes each; n is a uint16 and at least 1.

    Raises:
        MalformedStatementError: No digest, too many, or one of another length.
        MalformedCommitmentError: The origin cannot stand in a commitment.
    """
    if not 0 < len(digests) < 2**16 or any(len(digest) != HASH_BYTES for digest in digests):
        raise malformed_statement(
            "摘要的个数或长度不对", "1 to 65,535 digests of 32 bytes are expected"
        )
    framed = _LABEL + frame_origin(origin) + len(digests).to_bytes(2, "big") + b"".join(digests)
    return Commitment(hashlib.sha256(framed).digest())


def verify_showing(
    origin: str, commitment: Commitment, digests: Sequence[bytes], disclosed: Mapping[int, str]
) -> Showing:
    """Check that the disclosed fields are those of the committed statement.

    Args:
        origin: Log origin of the issuing city.
        commitment: As in the log entry; the caller has checked its inclusion.
        digests: All n digests, 32 bytes each.
        disclosed: Disclosure texts by position; position 0 (type and version) is a must.

    Returns:
        The values shown. Use these, not the texts.

    Raises:
        MalformedStatementError: Position 0 is missing, a position is out of range, or the digests
            are not well formed.
        StatementMismatchError: The digests do not lead to the commitment.
        DisclosureMismatchError: A text is not the one the statement holds there.
        DisclosureNameError: A text carries the name of another position.
        MalformedInputError: A text is not a disclosure (see `parse_disclosure`), or the type is
            not well formed or of an unknown version.
    """
    computed = compute_statement_commitment(origin, digests)
    if computed != commitment:
        raise StatementMismatchError(
            "字段摘要与已登记的承诺不符。",
            "the digests do not lead to the commitment in the log.",
            expected=commitment,
            computed=computed,
        )
    if 0 not in disclosed:
        raise malformed_statement("缺少类型与版本", "type and version (position 0) must be shown")
    for position, text in disclosed.items():
        _verify_position(digests, position, text)
    statement_type = _parse_type(disclosed[0])
    if len(digests) < 1 + len(statement_type.fields):
        raise malformed_statement("字段少于该类型版本", "fewer fields than the type version has")
    values: dict[str, JsonValue] = {}
    for position in sorted(disclosed.keys() - {0}):
        name = statement_type.name_at(position)
        values[name] = parse_disclosure(disclosed[position], name).value
    return Showing(statement_type, values)


def _verify_position(digests: Sequence[bytes], position: int, text: str) -> None:
    if not 0 <= position < len(digests):
        raise malformed_statement("披露位置超出范围", f"no field at position {position}")
    computed = compute_disclosure_digest(text)
    if computed != digests[position]:
        raise DisclosureMismatchError(
            "所出示的字段与登记的不符。",
            f"the field shown at position {position} is not the registered one.",
            position=position,
            expected=digests[position],
            computed=computed,
        )


def _parse_type(text: str) -> StatementType:
    what = "statement type"
    members = require_members(parse_disclosure(text, "type").value, ("code", "version"), what=what)
    code = require_text(members["code"], what=what)
    return get_statement_type(code, require_int(members["version"], what=what))
