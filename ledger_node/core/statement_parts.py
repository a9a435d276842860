"""Documents inside a statement, and a statement's values as they are sealed.

Step 2 of the data flow. Two small formats around statement.py (docs/spec/statement.md):
the value of a `document.i` field, and the bytes that hold all values of a statement, which the
city seals under the derived key and from which it rebuilds the disclosures.
Vectors: tests/vectors/statement/.

Not here: sealing (edges/documents), salts (derivation.py): they are derived again, not stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.canonical import (
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.digest import encode_digest, parse_digest
from ledger_node.core.errors import MalformedInputError, UnknownVersionError
from ledger_node.core.statement import StatementType, get_statement_type
from ledger_node.core.types import Digest

VALUES_FORMAT = "tongban/statement-values/v1"

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}")
_DOCUMENT_MEMBERS = ("concerns", "digest", "extent", "media_type", "pages", "size_bytes")
_VALUES_MEMBERS = ("code", "documents", "format", "values", "version")


class MalformedDocumentPartError(MalformedInputError):
    """The value of a `document.i` field is not well formed."""

    code = "malformed_document_part"


class Extent(StrEnum):
    """Whether a part is the whole paper or an extract of it."""

    COMPLETE = "complete"
    EXTRACT = "extract"


@dataclass(frozen=True, slots=True)
class DocumentPart:
    """One document of a material; sealed, disclosed and released by itself.

    Attributes:
        digest: SHA-256 of its bytes.
        media_type: Lower case, `type/subtype`.
        size_bytes: None if unknown (pre-hashed bulk import).
        pages: None if unknown or without pages.
        extent: Complete or extract.
        concerns: Indexes of the subjects it concerns, rising; empty means all.
    """

    digest: Digest
    media_type: str
    size_bytes: int | None = None
    pages: int | None = None
    extent: Extent = Extent.COMPLETE
    concerns: tuple[int, ...] = ()


def encode_document_part(part: DocumentPart) -> JsonValue:
    """Value of the `document.i` field."""
    return {
        "concerns": list(part.concerns),
        "digest": encode_digest(part.digest),
        "extent": part.extent.value,
        "media_type": part.media_type,
        "pages": part.pages,
        "size_bytes": part.size_bytes,
    }


def parse_document_part(value: JsonValue) -> DocumentPart:
    """Read the value of a `document.i` field.

    Raises:
        UnexpectedShapeError: A member is missing, unknown or of another type.
        MalformedDocumentPartError: Media type, extent or subject indexes are not well formed.
        MalformedEncodingError, UnknownDigestAlgorithmError: The digest is not well formed.
    """
    what = "document part"
    members = require_members(value, _DOCUMENT_MEMBERS, what=what)
    media_type = require_text(members["media_type"], what=what)
    extent = require_text(members["extent"], what=what)
    concerns = [
        require_int(item, what=what) for item in require_list(members["concerns"], what=what)
    ]
    if _MEDIA_TYPE.fullmatch(media_type) is None or extent not in list(Extent):
        raise _malformed("媒体类型或完整性不合格", "media type or extent is not well formed")
    if concerns != sorted(set(concerns)):
        raise _malformed("所涉主体序号须递增", "subject indexes must rise")
    return DocumentPart(
        parse_digest(require_text(members["digest"], what=what)),
        media_type,
        _optional_int(members["size_bytes"], what),
        _optional_int(members["pages"], what),
        Extent(extent),
        tuple(concerns),
    )


def _optional_int(value: JsonValue, what: str) -> int | None:
    return None if value is None else require_int(value, what=what)


@dataclass(frozen=True, slots=True)
class StatementValues:
    """Everything a statement is built from besides its salts.

    Attributes:
        statement_type: Its type version.
        values: By field name; absent fields are missing.
        documents: Values of `document.0` onwards.
    """

    statement_type: StatementType
    values: Mapping[str, JsonValue]
    documents: Sequence[JsonValue]


def encode_statement_values(statement: StatementValues) -> bytes:
    """RFC 8785 bytes to be sealed.

    Raises:
        NotCanonicalError: A value cannot be written as RFC 8785 with integers only.
    """
    return encode_canonical(
        {
            "code": statement.statement_type.code,
            "documents": list(statement.documents),
            "format": VALUES_FORMAT,
            "values": dict(statement.values),
            "version": statement.statement_type.version,
        }
    )


def parse_statement_values(data: bytes) -> StatementValues:
    """Read the opened bytes.

    Raises:
        NotCanonicalError: Not the RFC 8785 form.
        UnexpectedShapeError: A member or field is missing, unknown or of another type.
        MalformedStatementError: The type code is not well formed.
        UnknownVersionError: Another format or statement version.
    """
    what = "statement values"
    members = require_members(parse_canonical(data, what=what), _VALUES_MEMBERS, what=what)
    if members["format"] != VALUES_FORMAT:
        raise UnknownVersionError("不认识的材料值格式。", "unknown format of statement values.")
    statement_type = get_statement_type(
        require_text(members["code"], what=what), require_int(members["version"], what=what)
    )
    values = members["values"]
    names = values if isinstance(values, dict) else ()
    known = [name for name in statement_type.fields if name in names]
    return StatementValues(
        statement_type,
        require_members(values, known, what=what),
        require_list(members["documents"], what=what),
    )


def _malformed(reason_zh: str, reason_en: str) -> MalformedDocumentPartError:
    return MalformedDocumentPartError(
        f"文件说明不合格：{reason_zh}。", f"malformed document part: {reason_en}."
    )
