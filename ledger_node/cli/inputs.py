"""What commands read from files and arguments: strict, capped, refused with a sentence.

Personal data never stands on a command line, where the shell keeps it: commands take it from a
file or from standard input (`-`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ledger_node.core.errors import MalformedInputError

if TYPE_CHECKING:
    from ledger_node.core.types import Digest

STDIN = Path("-")
CHUNK_BYTES = 1024 * 1024
_HEX32 = re.compile(r"[0-9a-f]{64}")


class FileUnreadableError(MalformedInputError):
    """A file given on the command line is not there, or is not a readable file."""

    code = "file_unreadable"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"读不了文件“{path.name}”。请核对路径与权限。",
            f"The file {path.name!r} cannot be read; check path and permissions.",
            file=path.name,
        )


class FileEmptyError(MalformedInputError):
    """A file has no bytes."""

    code = "file_empty"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"文件“{path.name}”是空的。请重新选择。",
            f"The file {path.name!r} is empty; choose it again.",
            file=path.name,
        )


class FileUnwritableError(MalformedInputError):
    """The place a result should be written to is not there or not writable."""

    code = "file_unwritable"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"写不了文件“{path.name}”。请核对目录与权限。",
            f"The file {path.name!r} cannot be written; check directory and permissions.",
            file=path.name,
        )


class FileTooLargeError(MalformedInputError):
    """A file is larger than anything it could be."""

    code = "file_too_large"

    def __init__(self, path: Path, limit_bytes: int) -> None:
        super().__init__(
            f"文件“{path.name}”超过 {limit_bytes} 字节。",
            f"The file {path.name!r} has more than {limit_bytes} bytes.",
            file=path.name,
            limit_bytes=limit_bytes,
        )


class MalformedArgumentError(MalformedInputError):
    """An argument is not of its form; it is not repeated."""

    code = "malformed_argument"

    def __init__(self, name: str, reason_zh: str, reason_en: str) -> None:
        super().__init__(f"参数 {name} {reason_zh}。", f"{name}: {reason_en}.", argument=name)


def read_input(path: Path, limit_bytes: int) -> bytes:
    """Bytes of a file, or of standard input for `-`.

    Raises:
        FileUnreadableError: It cannot be read.
        FileTooLargeError: It has more than `limit_bytes`.
    """
    try:
        if path == STDIN:
            data = _read_capped(sys.stdin.buffer, limit_bytes)
        else:
            with path.open("rb") as file:
                data = _read_capped(file, limit_bytes)
    except OSError as error:
        raise FileUnreadableError(path) from error
    if len(data) > limit_bytes:
        raise FileTooLargeError(path, limit_bytes)
    return data


def digest_file(path: Path) -> Digest:
    """Digest of a file, read in pieces.

    Raises:
        FileUnreadableError: It cannot be read.
        FileEmptyError: It has no bytes.
    """
    from ledger_node.core.digest import compute_digest

    try:
        with path.open("rb") as file:
            if not file.peek(1):
                raise FileEmptyError(path)
            return compute_digest(iter(lambda: file.read(CHUNK_BYTES), b""))
    except OSError as error:
        raise FileUnreadableError(path) from error


def parse_ids(texts: Sequence[str], name: str) -> list[bytes]:
    """32-byte ids in lower-case hex.

    Raises:
        MalformedArgumentError: One is not, or stands twice.
    """
    for text in texts:
        if _HEX32.fullmatch(text) is None:
            raise MalformedArgumentError(
                name, "应为 64 位小写十六进制", "64 lower-case hex digits are expected"
            )
    if len(set(texts)) != len(texts):
        raise MalformedArgumentError(name, "有重复", "one stands twice")
    return [bytes.fromhex(text) for text in texts]


def demand_writable(path: Path | None) -> None:
    """Refuse a place for the result before anything is done.

    Raises:
        FileUnwritableError: Its directory is not there, or it is a directory itself.
    """
    if path is not None and (not path.absolute().parent.is_dir() or path.is_dir()):
        raise FileUnwritableError(path)


def write_output(path: Path, data: bytes) -> None:
    """Put a result at `path`, whole or not at all, readable by its owner.

    Raises:
        FileUnwritableError: It cannot be written.
    """
    from ledger_node.edges.files import PRIVATE_FILE, replace_file

    try:
        replace_file(path.absolute(), data, mode=PRIVATE_FILE)
    except OSError as error:
        raise FileUnwritableError(path) from error


def _read_capped(file: BinaryIO, limit_bytes: int) -> bytes:
    return file.read(limit_bytes + 1)
