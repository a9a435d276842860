"""What a person brings to the verification page, read as it arrives; nothing touches the disk.

The receipt and a trust file are kept in memory up to their caps; a document is hashed and
forgotten chunk by chunk. The framework's own form parser would spool files to disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from ledger_node.core.catalogue import Necessity
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.types import Digest

MAX_RECEIPT_BYTES: Final = 4 * 1024 * 1024  # of the page; larger ones go through the command line
MAX_TRUST_BYTES: Final = 32 * 1024 * 1024
MAX_TEXT_BYTES: Final = 256
MAX_PARTS: Final = 16
MAX_HEADER_BYTES: Final = 4096
READING_S: Final = 300.0
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class BroughtMalformedError(MalformedInputError):
    """The form of the verification page did not arrive whole, or is not that form."""

    code = "brought_malformed"

    def __init__(self) -> None:
        super().__init__(
            "提交的内容不完整，请重新选择文件再试。",
            "What was sent is not whole; choose the files again.",
        )


class BroughtTooLargeError(MalformedInputError):
    """A file is larger than the page takes.

    Fields: field, max_bytes.
    """

    code = "brought_too_large"

    def __init__(self, name: str, max_bytes: int) -> None:
        super().__init__(
            f"文件超过 {max_bytes // 2**20} MiB，请改用命令行核验。",
            f"The file is larger than {max_bytes // 2**20} MiB; use the command line instead.",
            field=name,
            max_bytes=max_bytes,
        )


class NoReceiptError(MalformedInputError):
    """No receipt was chosen; a document alone is never looked up."""

    code = "no_receipt"

    def __init__(self) -> None:
        super().__init__(
            "请先选择凭证文件。只凭文件不能查询。",
            "Choose a receipt first; a document alone is never looked up.",
        )


@dataclass(frozen=True, slots=True)
class Brought:
    """What was brought.

    Attributes:
        receipt: Bytes of the receipt file.
        trust: Bytes of a trust file; None if none was chosen.
        document: Digest of a document, hashed here or in the browser; None if none was chosen.
        action: Which button was pressed.
        necessity: Of the material for the item at hand; required unless said otherwise.
    """

    receipt: bytes
    trust: bytes | None
    document: Digest | None
    action: str
    necessity: Necessity


async def read_brought(request: Request, max_document_bytes: int) -> Brought:
    """Read the form.

    Raises:
        BroughtMalformedError: Not that form, cut off, or too slow.
        BroughtTooLargeError: A file is larger than its cap.
        NoReceiptError: There is no receipt in it.
    """
    caps = {
        "receipt": MAX_RECEIPT_BYTES,
        "trust": MAX_TRUST_BYTES,
        "document": max_document_bytes,
    }
    form = _Form(caps)
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BroughtMalformedError
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async with asyncio.timeout(READING_S):
            async for chunk in request.stream():
                parser.write(chunk)
        parser.finalize()
    except (MultipartParseError, TimeoutError) as error:
        raise BroughtMalformedError from error
    return form.finish()


@dataclass
class _Form:
    """Callbacks of the multipart parser."""

    caps: dict[str, int]
    kept: dict[str, bytearray] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    hasher: Any = field(default_factory=hashlib.sha256)
    parts: int = 0
    name: str = ""
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    whole: bool = False

    def callbacks(self) -> Any:
        """What the parser calls."""
        named: dict[str, Callable[..., None]] = {
            "on_part_begin": self.begin,
            "on_header_field": self.add_header,
            "on_header_value": self.add_value,
            "on_header_end": self.end_header,
            "on_part_data": self.add_data,
            "on_end": self.end,
        }
        return named

    def begin(self) -> None:
        """A part begins."""
        self.parts += 1
        self.name = ""
        if self.parts > MAX_PARTS:
            raise BroughtMalformedError

    def add_header(self, data: bytes, start: int, end: int) -> None:
        """Some of a header's name."""
        self.header += data[start:end]
        self._demand_short()

    def add_value(self, data: bytes, start: int, end: int) -> None:
        """Some of a header's value."""
        self.value += data[start:end]
        self._demand_short()

    def _demand_short(self) -> None:
        if len(self.header) + len(self.value) > MAX_HEADER_BYTES:
            raise BroughtMalformedError

    def end_header(self) -> None:
        """The part's field; a name that comes twice is refused."""
        if self.header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self.value))
            self.name = options.get(b"name", b"").decode("ascii", "replace")
            if self.name in self.sizes:
                raise BroughtMalformedError
            self.sizes[self.name] = 0
        self.header, self.value = bytearray(), bytearray()

    def add_data(self, data: bytes, start: int, end: int) -> None:
        """Some of a part."""
        if self.name not in self.sizes:
            raise BroughtMalformedError
        self.sizes[self.name] += end - start
        cap = self.caps.get(self.name, MAX_TEXT_BYTES)
        if self.sizes[self.name] > cap:
            raise BroughtTooLargeError(self.name, cap)
        if self.name == "document":
            self.hasher.update(data[start:end])
        else:
            self.kept.setdefault(self.name, bytearray()).extend(data[start:end])

    def end(self) -> None:
        """The closing boundary."""
        self.whole = True

    def finish(self) -> Brought:
        """What the form held; a file field left empty counts as absent."""
        if not self.whole:
            raise BroughtMalformedError
        receipt = bytes(self.kept.get("receipt", b""))
        if not receipt:
            raise NoReceiptError
        action = self.kept.get("action", bytearray()).decode("ascii", "replace")
        trust = bytes(self.kept.get("trust", b"")) or None
        return Brought(receipt, trust, self._document(), action, self._necessity())

    def _necessity(self) -> Necessity:
        given = self.kept.get("necessity", bytearray()).decode("ascii", "replace")
        try:
            return Necessity(given) if given else Necessity.REQUIRED
        except ValueError as error:
            raise BroughtMalformedError from error

    def _document(self) -> Digest | None:
        if self.sizes.get("document"):
            return Digest(self.hasher.digest())
        given = self.kept.get("document_digest", bytearray()).decode("ascii", "replace").strip()
        if not given:
            return None
        if not _DIGEST.fullmatch(given):
            raise BroughtMalformedError
        return Digest(bytes.fromhex(given))
