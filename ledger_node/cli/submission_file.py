"""A fields file of `tongban register` and the documents beside it, as a submission.

Members: docs/cli.md, "register". What values mean is checked by the intake flow; here only shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from ledger_node.cli.fields import FieldReader, MalformedFieldsError
from ledger_node.cli.inputs import FileUnreadableError
from ledger_node.core.statement_parts import Extent
from ledger_node.core.types import MaterialId
from ledger_node.flows.submission import (
    DocumentFile,
    DocumentTooLargeError,
    EmptyDocumentError,
    Subject,
    Submission,
)

_MEMBERS: Final = (
    "subjects",
    "grade",
    "issuer",
    "number",
    "issued_on",
    "valid_from",
    "valid_until",
    "original_check",
    "retention",
    "attributes",
    "predecessor",
    "documents",
)
_SUBJECT: Final = ("role", "scheme", "number", "name")
_DOCUMENT: Final = ("media_type", "pages", "extent", "concerns")
_UNKNOWN_MEDIA_TYPE: Final = "application/octet-stream"
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".ofd": "application/ofd",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".xml": "application/xml",
}


def build_submission(
    type_code: str, fields: Mapping[str, Any], files: Sequence[Path], limit_bytes: int
) -> Submission:
    """The submission that files and fields describe; opens every document once to look at it.

    Args:
        type_code: Material type of the catalogue.
        fields: Object of the fields file.
        files: The documents, in order.
        limit_bytes: Largest document this city takes.

    Raises:
        MalformedFieldsError: A member is missing, unknown or of another type.
        FileUnreadableError, EmptyDocumentError, DocumentTooLargeError: Of a document.
    """
    reader = FieldReader(fields, "", _MEMBERS)
    predecessor = reader.optional_text("predecessor")
    issuer = reader.optional_object("issuer")
    return Submission(
        type_code=type_code,
        subjects=tuple(
            _read_subject(item, f"subjects.{at}")
            for at, item in enumerate(reader.items("subjects"))
        ),
        grade=reader.text("grade"),
        documents=_read_documents(reader, files, limit_bytes),
        issuer=None if issuer is None else _read_issuer(issuer),
        number=reader.optional_text("number"),
        issued_on=reader.optional_text("issued_on"),
        valid_from=reader.optional_text("valid_from"),
        valid_until=reader.optional_text("valid_until"),
        original_check=reader.optional_object("original_check"),
        retention=reader.optional_text("retention"),
        attributes=reader.optional_object("attributes") or {},
        predecessor=None if predecessor is None else MaterialId(predecessor),
    )


def _read_subject(value: object, name: str) -> Subject:
    reader = FieldReader(value, name, _SUBJECT)
    role = reader.optional_text("role") or "holder"
    return Subject(role, *(reader.text(member) for member in _SUBJECT[1:]))


def _read_issuer(value: object) -> dict[str, str]:
    reader = FieldReader(value, "issuer", ("code", "name"))
    return {member: reader.text(member) for member in ("code", "name")}


def _read_documents(
    reader: FieldReader, files: Sequence[Path], limit_bytes: int
) -> tuple[DocumentFile, ...]:
    described = reader.items("documents") or [{}] * len(files)
    if len(described) != len(files):
        raise reader.refuse("documents", "与文件数不符", "as many as files are expected")
    return tuple(
        _read_document(at, path, item, limit_bytes)
        for at, (path, item) in enumerate(zip(files, described, strict=True))
    )


def _read_document(at: int, path: Path, value: object, limit_bytes: int) -> DocumentFile:
    reader = FieldReader(value, f"documents.{at}", _DOCUMENT)
    extent = reader.optional_text("extent") or Extent.COMPLETE.value
    if extent not in {each.value for each in Extent}:
        allowed = ", ".join(each.value for each in Extent)
        raise reader.refuse("extent", f"应为 {allowed} 之一", f"one of {allowed} is expected")
    concerns = reader.items("concerns")
    if any(isinstance(each, bool) or not isinstance(each, int) for each in concerns):
        raise MalformedFieldsError(
            reader.path("concerns"), "应为当事人序号数组", "positions of subjects are expected"
        )
    guessed = MEDIA_TYPES.get(path.suffix.lower(), _UNKNOWN_MEDIA_TYPE)
    return DocumentFile(
        _opener(at, path, limit_bytes),
        reader.optional_text("media_type") or guessed,
        reader.optional_int("pages"),
        Extent(extent),
        tuple(concerns),
    )


def _opener(at: int, path: Path, limit_bytes: int) -> Callable[[], BinaryIO]:
    """Opens the document later; size and readability are looked at now."""
    _open(path).close()
    if not path.is_file():
        raise FileUnreadableError(path)
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise EmptyDocumentError(at)
    if size_bytes > limit_bytes:
        raise DocumentTooLargeError(at, limit_bytes)
    return partial(_open, path)


def _open(path: Path) -> BinaryIO:
    try:
        return cast(BinaryIO, path.open("rb"))
    except OSError as error:
        raise FileUnreadableError(path) from error
