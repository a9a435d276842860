"""Columns of an import table and how a row becomes a submission. docs/spec/import.md lists them.

Subjects and documents after the first carry their number in the column name: `subject2_name`,
`file2`. Particulars of the type stand in `attribute.<name>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, cast

from ledger_node.core.canonical import JsonValue
from ledger_node.core.types import HASH_BYTES, Digest
from ledger_node.flows.submission import (
    MAX_DOCUMENT_BYTES,
    Document,
    DocumentDigest,
    DocumentFile,
    DocumentTooLargeError,
    EmptyDocumentError,
    MalformedSubmissionError,
    Subject,
    Submission,
)
from ledger_node.flows.table_reader import SURPLUS, MalformedTableError

PLAIN: Final = (
    "type_code",
    "grade",
    "number",
    "issuer_code",
    "issuer_name",
    "issued_on",
    "valid_from",
    "valid_until",
    "retention",
    "check_officer",
    "check_device",
    "check_at",
    "check_pages",
)
REQUIRED: Final = ("type_code", "grade", "subject_scheme", "subject_number", "subject_name")
MAX_GROUPS: Final = 9

_ATTRIBUTE = re.compile(r"attribute\.[a-z][a-z0-9_]{0,47}")
_SUBJECT = re.compile(r"subject[2-9]?_(role|scheme|number|name)")
_DOCUMENT = re.compile(r"(file|digest|media_type|pages|size_bytes)[2-9]?")
_DIGEST = re.compile(r"(?:sha-256:)?([0-9a-f]{64})")
_ORIGINAL_CHECK = {
    "check_officer": "officer",
    "check_device": "device",
    "check_at": "checked_at",
    "check_pages": "pages",
}
_FIELD_COLUMNS = {
    "subjects": "subject_number",
    "documents": "file",
    "original_check": "check_officer",
    "issuer": "issuer_code",
    "issuer.code": "issuer_code",
    "issuer.name": "issuer_name",
    "attributes": "attribute",
}


def demand_known_columns(header: Sequence[str]) -> None:
    """Refuse a table whose columns this program would have to ignore or guess.

    Raises:
        MalformedTableError: Names the column that is unknown or missing.
    """
    for name in header:
        known = name in PLAIN or any(p.fullmatch(name) for p in (_ATTRIBUTE, _SUBJECT, _DOCUMENT))
        if not known:
            raise MalformedTableError(f"没有名为“{name}”的列", f"no column {name!r}", column=name)
    for name in REQUIRED:
        if name not in header:
            raise MalformedTableError(f"缺少列“{name}”", f"column {name!r} is missing", column=name)
    if not any(name.startswith(("file", "digest")) for name in header):
        raise MalformedTableError("缺少列“file”或“digest”", "a file or digest column is missing")


def column_of(field: str) -> str:
    """The column a refused field came from; the field's own name where they are equal."""
    group, _, rest = field.partition(".")
    index, _, member = rest.partition(".")
    if group == "subjects" and index.isdecimal():
        return f"subject{_suffix(int(index))}_{member or 'number'}"
    if group == "document" and index.isdecimal():
        return f"file{_suffix(int(index))}"
    return _FIELD_COLUMNS.get(field, field)


def build_submission(cells: Mapping[str, str], folder: Path) -> Submission:
    """The submission a row describes.

    Args:
        cells: Non-empty cells by column.
        folder: Where relative file paths begin.

    Raises:
        MalformedSubmissionError: A required cell is empty or a cell is not readable.
        EmptyDocumentError, DocumentTooLargeError: A file is empty or too large.
    """
    if SURPLUS in cells:
        raise MalformedSubmissionError("(row)", "单元格多于列数", "more cells than columns")
    for name in REQUIRED:
        if name not in cells:
            raise MalformedSubmissionError(name, "不能为空", "must not be empty")
    issuer = {k: cells[f"issuer_{k}"] for k in ("code", "name") if f"issuer_{k}" in cells}
    return Submission(
        type_code=cells["type_code"],
        subjects=tuple(_subjects(cells)),
        grade=cells["grade"],
        documents=tuple(_documents(cells, folder)),
        issuer=issuer or None,
        number=cells.get("number"),
        issued_on=cells.get("issued_on"),
        valid_from=cells.get("valid_from"),
        valid_until=cells.get("valid_until"),
        original_check=_original_check(cells),
        retention=cells.get("retention"),
        attributes={
            name.removeprefix("attribute."): text
            for name, text in cells.items()
            if name.startswith("attribute.")
        },
    )


def _suffix(index: int) -> str:
    return "" if index == 0 else str(index + 1)


def _subjects(cells: Mapping[str, str]) -> list[Subject]:
    found: list[Subject] = []
    for index in range(MAX_GROUPS):
        prefix = f"subject{_suffix(index)}_"
        given = {k: cells[prefix + k] for k in ("scheme", "number", "name") if prefix + k in cells}
        if not given:
            continue
        if len(given) < 3 or len(found) < index:
            raise MalformedSubmissionError(
                f"subjects.{index}", "须填全证件类型、号码与姓名", "scheme, number and name belong"
            )
        found.append(Subject(cells.get(prefix + "role", "holder"), **given))
    return found


def _documents(cells: Mapping[str, str], folder: Path) -> list[Document]:
    found: list[Document] = []
    for index in range(MAX_GROUPS):
        suffix = _suffix(index)
        file, digest = cells.get(f"file{suffix}"), cells.get(f"digest{suffix}")
        if file is None and digest is None:
            continue
        name = f"document.{index}"
        if len(found) < index or (file is not None and digest is not None):
            raise MalformedSubmissionError(name, "须填文件或摘要之一", "either file or digest")
        media_type = cells.get(f"media_type{suffix}", "application/octet-stream")
        pages = _number(cells, f"pages{suffix}")
        if digest is not None:
            size = _number(cells, f"size_bytes{suffix}")
            found.append(DocumentDigest(_digest(index, digest), media_type, size, pages))
        elif file is not None:
            found.append(DocumentFile(_opener(index, folder / file), media_type, pages))
    return found


def _digest(index: int, text: str) -> Digest:
    match = _DIGEST.fullmatch(text)
    if match is None:
        raise MalformedSubmissionError(
            f"digest{_suffix(index)}", "须为 SHA-256 摘要", "a SHA-256 digest in hex is expected"
        )
    digest = Digest(bytes.fromhex(match.group(1)))
    assert len(digest) == HASH_BYTES
    return digest


def _opener(index: int, path: Path) -> Callable[[], BinaryIO]:
    """Opens the file later; its size is looked at now, so that a check finds what it can."""
    name = f"file{_suffix(index)}"
    try:
        status = path.stat()
    except OSError as error:
        raise MalformedSubmissionError(name, "文件不存在或不可读", "no such file") from error
    if not path.is_file():
        raise MalformedSubmissionError(name, "不是普通文件", "not a regular file")
    if status.st_size == 0:
        raise EmptyDocumentError(index)
    if status.st_size > MAX_DOCUMENT_BYTES:
        raise DocumentTooLargeError(index, MAX_DOCUMENT_BYTES)
    return partial(_open, name, path)


def _open(name: str, path: Path) -> BinaryIO:
    try:
        return cast(BinaryIO, path.open("rb"))
    except OSError as error:
        raise MalformedSubmissionError(name, "文件不可读", "the file cannot be read") from error


def _number(cells: Mapping[str, str], name: str) -> int | None:
    text = cells.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise MalformedSubmissionError(name, "须为整数", "a whole number is expected")
    return int(text)


def _original_check(cells: Mapping[str, str]) -> dict[str, JsonValue] | None:
    given: dict[str, JsonValue] = {
        field: cells[column] for column, field in _ORIGINAL_CHECK.items() if column in cells
    }
    if "check_pages" in cells:
        given["pages"] = _number(cells, "check_pages")
    return given or None
