"""What is handed in at step 1, and whether it may be registered at all.

Nothing here touches a store. Every refusal names the field, so that a form can mark it and a
table can name its column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, Final, TypeAlias

from ledger_node.core.canonical import JsonValue
from ledger_node.core.errors import LedgerError, MalformedInputError
from ledger_node.core.statement import MAX_DOCUMENTS
from ledger_node.core.statement_parts import Extent
from ledger_node.core.types import HASH_BYTES, Digest, MaterialId
from ledger_node.flows.node import Node

MAX_SUBJECTS: Final = 50
MAX_TEXT: Final = 200
MAX_ATTRIBUTES: Final = 64
MAX_DOCUMENT_BYTES: Final = 512 * 1024 * 1024
GRADES: Final = ("A", "B", "C", "D")

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ORIGINAL_CHECK = frozenset({"officer", "device", "checked_at", "pages"})


class MalformedSubmissionError(MalformedInputError):
    """A field of the submission is missing or not acceptable; `field` names it."""

    code = "malformed_submission"

    def __init__(self, name: str, reason_zh: str, reason_en: str) -> None:
        super().__init__(f"“{name}”{reason_zh}。", f"{name}: {reason_en}.", field=name)
        self.field = name


class UnknownMaterialTypeError(MalformedInputError):
    """The catalogue in force has no such material type."""

    code = "unknown_material_type"

    def __init__(self, type_code: str) -> None:
        super().__init__(
            f"目录中没有材料类型“{type_code[:64]}”。",
            f"The catalogue has no material type {type_code[:64]!r}.",
            field="type_code",
        )


class EmptyDocumentError(MalformedInputError):
    """A document has no bytes."""

    code = "document_empty"

    def __init__(self, position: int) -> None:
        super().__init__(
            f"第 {position + 1} 个文件是空文件。请重新选择。",
            f"Document {position + 1} is empty; choose it again.",
            field=f"document.{position}",
            position=position,
        )


class DocumentTooLargeError(MalformedInputError):
    """A document is larger than what one material may carry."""

    code = "document_too_large"

    def __init__(self, position: int, limit_bytes: int) -> None:
        super().__init__(
            f"第 {position + 1} 个文件超过 {limit_bytes // 1024 // 1024} MiB。请拆分后再交。",
            f"Document {position + 1} exceeds {limit_bytes} bytes; split it.",
            field=f"document.{position}",
            position=position,
            limit_bytes=limit_bytes,
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a material is about: role (`holder`, `spouse`, …), identifier scheme, number, name."""

    role: str
    scheme: str
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document to be sealed and stored; `open_source` opens its plaintext for reading."""

    open_source: Callable[[], BinaryIO]
    media_type: str = "application/octet-stream"
    pages: int | None = None
    extent: Extent = Extent.COMPLETE
    concerns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentDigest:
    """A document of which only the digest is registered (its bytes stay where they are)."""

    digest: Digest
    media_type: str = "application/octet-stream"
    size_bytes: int | None = None
    pages: int | None = None
    extent: Extent = Extent.COMPLETE
    concerns: tuple[int, ...] = ()


Document: TypeAlias = DocumentFile | DocumentDigest


@dataclass(frozen=True, slots=True)
class Submission:
    """One material as it is handed in.

    Attributes:
        type_code: Material type of the catalogue.
        grade: A to D (domain.md section 3).
        issuer: {code, name} of the issuing department; None when unknown.
        number: Document number as printed; None when the paper has none.
        issued_on, valid_from, valid_until: Days; None when the paper names none.
        original_check: Grade B: {officer, device, checked_at, pages}.
        retention: Code of the retention rule.
        attributes: What is particular to the type.
        predecessor: Material this one supersedes; without it a second registration of the same
            (subject, type, number) is refused.
    """

    type_code: str
    subjects: tuple[Subject, ...]
    grade: str
    documents: tuple[Document, ...] = ()
    issuer: Mapping[str, str] | None = None
    number: str | None = None
    issued_on: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    original_check: Mapping[str, JsonValue] | None = None
    retention: str | None = None
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)
    predecessor: MaterialId | None = None


@dataclass(frozen=True, slots=True)
class CheckedSubmission:
    """A submission that may be registered, with the normalised numbers its tags are made from.

    Attributes:
        submission: As handed in.
        numbers: Normalised number of each subject, in order.
        document_number: Normalised document number.
    """

    submission: Submission
    numbers: tuple[str, ...]
    document_number: str | None


def check_submission(node: Node, submission: Submission) -> CheckedSubmission:
    """Check everything that can be checked without reading the documents.

    Raises:
        UnknownMaterialTypeError: The type is not in the catalogue.
        MalformedSubmissionError: A field is missing or not acceptable.
        MalformedInputError: An identifier is not one of its scheme.
    """
    if submission.type_code not in node.material_types:
        raise UnknownMaterialTypeError(submission.type_code)
    if not 1 <= len(submission.subjects) <= MAX_SUBJECTS:
        raise MalformedSubmissionError(
            "subjects", f"须有 1 至 {MAX_SUBJECTS} 人", f"1 to {MAX_SUBJECTS} are expected"
        )
    numbers = tuple(_check_subject(node, i, s) for i, s in enumerate(submission.subjects))
    _check_fields(submission)
    _check_days(submission)
    if not 1 <= len(submission.documents) <= MAX_DOCUMENTS:
        raise MalformedSubmissionError(
            "documents", f"须有 1 至 {MAX_DOCUMENTS} 个", f"1 to {MAX_DOCUMENTS} are expected"
        )
    for position, document in enumerate(submission.documents):
        _check_document(position, document, len(submission.subjects))
    number = None if submission.number is None else normalise_document_number(submission.number)
    return CheckedSubmission(submission, numbers, number)


def normalise_document_number(number: str) -> str:
    """The form a document number is compared in: no white space, upper case."""
    return "".join(number.split()).upper()


def _check_subject(node: Node, position: int, subject: Subject) -> str:
    name = f"subjects.{position}"
    if _NAME.fullmatch(subject.role) is None:
        raise MalformedSubmissionError(
            f"{name}.role", "须为小写字母、数字或连字符", "lower-case letters, digits, hyphens"
        )
    _check_text(f"{name}.name", subject.name)
    _check_text(f"{name}.number", subject.number)
    try:
        return node.normalise_identifier(subject.scheme, subject.number)
    except LedgerError as error:
        error.fields.setdefault("field", f"{name}.number")
        raise


def _check_text(name: str, value: str) -> None:
    if not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
        raise MalformedSubmissionError(
            name, f"须为 1 至 {MAX_TEXT} 个可见字符", f"1 to {MAX_TEXT} printable characters"
        )


def _check_fields(submission: Submission) -> None:
    if submission.grade not in GRADES:
        raise MalformedSubmissionError("grade", "须为 A、B、C 或 D", "A, B, C or D")
    if (submission.grade == "B") != (submission.original_check is not None):
        raise MalformedSubmissionError(
            "original_check", "B 级须填写核对信息，其他等级不填", "grade B has it, no other grade"
        )
    if submission.original_check is not None and submission.original_check.keys() != (
        _ORIGINAL_CHECK
    ):
        raise MalformedSubmissionError(
            "original_check",
            "须含经办人、设备、时间、页数",
            "officer, device, checked_at and pages are expected",
        )
    if submission.issuer is not None and submission.issuer.keys() != {"code", "name"}:
        raise MalformedSubmissionError("issuer", "须含代码与名称", "code and name are expected")
    for name, value in (
        ("number", submission.number),
        ("retention", submission.retention),
        *((f"issuer.{k}", v) for k, v in (submission.issuer or {}).items()),
    ):
        if value is not None:
            _check_text(name, value)
    if len(submission.attributes) > MAX_ATTRIBUTES:
        raise MalformedSubmissionError(
            "attributes", f"不得超过 {MAX_ATTRIBUTES} 项", f"at most {MAX_ATTRIBUTES}"
        )


def _check_days(submission: Submission) -> None:
    days: dict[str, date] = {}
    for name in ("issued_on", "valid_from", "valid_until"):
        text = getattr(submission, name)
        if text is None:
            continue
        try:
            if _DATE.fullmatch(text) is None:
                raise ValueError(text)
            days[name] = date.fromisoformat(text)
        except ValueError as error:
            raise MalformedSubmissionError(
                name, "须为 YYYY-MM-DD 格式的日期", "a day as YYYY-MM-DD is expected"
            ) from error
    first = days.get("valid_from") or days.get("issued_on")
    if first and "valid_until" in days and days["valid_until"] < first:
        raise MalformedSubmissionError("valid_until", "早于起始日期", "before the first day")


def _check_document(position: int, document: Document, subjects: int) -> None:
    name = f"document.{position}"
    if _MEDIA_TYPE.fullmatch(document.media_type) is None:
        raise MalformedSubmissionError(name, "媒体类型不合格", "no media type")
    if isinstance(document, DocumentDigest) and len(document.digest) != HASH_BYTES:
        raise MalformedSubmissionError(name, "摘要须为 32 字节", "a digest has 32 bytes")
    if isinstance(document, DocumentDigest) and document.size_bytes == 0:
        raise EmptyDocumentError(position)
    if document.pages is not None and document.pages < 1:
        raise MalformedSubmissionError(name, "页数须为正数", "pages must be positive")
    if any(not 0 <= concerned < subjects for concerned in document.concerns):
        raise MalformedSubmissionError(name, "所涉主体不存在", "concerns an unknown subject")
