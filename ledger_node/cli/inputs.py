"""What commands read from files and arguments: strict, capped, refused with a sentence.

Personal data never stands on a command line, where the shell keeps it: commands take it from a
file or from standard input (`-`).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ledger_node.core.errors import MalformedInputError

STDIN = Path("-")
MAX_FIELDS_BYTES = 1024 * 1024
MAX_DEPTH = 16
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


class MalformedFieldsError(MalformedInputError):
    """A fields file is not JSON, or a member is missing, unknown or of another type.

    Fields: field (path of the member, as `subjects.0.number`).
    """

    code = "malformed_fields"

    def __init__(self, name: str, reason_zh: str, reason_en: str) -> None:
        super().__init__(
            f"字段文件“{name}”{reason_zh}。", f"fields file, {name}: {reason_en}.", field=name
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


def read_fields(path: Path) -> dict[str, Any]:
    """A JSON object a person wrote; members are checked by `FieldReader`.

    Raises:
        FileUnreadableError, FileTooLargeError: As `read_input`.
        MalformedFieldsError: Not UTF-8, not JSON, no object, a name twice, a fraction.
    """
    data = read_input(path, MAX_FIELDS_BYTES)
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_demand_distinct,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except UnicodeDecodeError as error:
        raise MalformedFieldsError("(file)", "不是 UTF-8 文本", "not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise MalformedFieldsError(
            "(file)",
            f"不是合格的 JSON(第 {error.lineno} 行第 {error.colno} 列)",
            f"not acceptable JSON (line {error.lineno}, column {error.colno})",
        ) from error
    except (RecursionError, ValueError) as error:
        raise MalformedFieldsError("(file)", "不是合格的 JSON", "not acceptable JSON") from error
    if not isinstance(value, dict):
        raise MalformedFieldsError("(file)", "应为 JSON 对象", "a JSON object is expected")
    return value


class FieldReader:
    """Members of one object of a fields file; whatever is not asked for is refused by name."""

    def __init__(self, value: object, name: str, known: Collection[str]) -> None:
        """Check that `value` is an object with no member outside `known`."""
        self._name = name
        if not isinstance(value, dict):
            raise MalformedFieldsError(name or "(file)", "应为对象", "an object is expected")
        self._members: Mapping[str, Any] = value
        for member in value:
            if member not in known:
                raise self.refuse(member[:64], "是未知字段", "unknown field")

    def refuse(self, member: str, reason_zh: str, reason_en: str) -> MalformedFieldsError:
        """The error for one member."""
        path = f"{self._name}.{member}" if self._name else member
        return MalformedFieldsError(path, reason_zh, reason_en)

    def path(self, member: str) -> str:
        """Name of a member for errors further inside."""
        return f"{self._name}.{member}" if self._name else member

    def text(self, member: str) -> str:
        """A text that must be there."""
        text = self.optional_text(member)
        if text is None:
            raise self.refuse(member, "缺少", "missing")
        return text

    def optional_text(self, member: str) -> str | None:
        """A text, or None when absent or null."""
        value = self._members.get(member)
        if value is not None and not isinstance(value, str):
            raise self.refuse(member, "应为文本", "text is expected")
        if isinstance(value, str) and not _is_encodable(value):
            raise self.refuse(member, "含有不合格的字符", "holds a character that is none")
        return value

    def optional_int(self, member: str) -> int | None:
        """A whole number from 0, or None."""
        value = self._members.get(member)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            raise self.refuse(member, "应为非负整数", "a whole number is expected")
        return value

    def flag(self, member: str, default: bool) -> bool:
        """True or false."""
        value = self._members.get(member, default)
        if not isinstance(value, bool):
            raise self.refuse(member, "应为 true 或 false", "true or false is expected")
        return value

    def items(self, member: str) -> list[Any]:
        """An array; empty when absent."""
        value = self._members.get(member)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.refuse(member, "应为数组", "an array is expected")
        return value

    def texts(self, member: str) -> tuple[str, ...]:
        """An array of texts."""
        found = self.items(member)
        if not all(isinstance(item, str) and _is_encodable(item) for item in found):
            raise self.refuse(member, "应为文本数组", "an array of texts is expected")
        return tuple(found)

    def optional_object(self, member: str) -> dict[str, Any] | None:
        """An object as it stands, of JSON values this program can write, or None."""
        value = self._members.get(member)
        if value is None:
            return None
        if not isinstance(value, dict) or not _is_plain(value, MAX_DEPTH):
            raise self.refuse(member, "应为对象", "an object is expected")
        return value


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


def _demand_distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member name stands twice")
    return members


def _refuse_number(_text: str) -> Any:
    raise ValueError("a number that is no integer")


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _is_plain(value: object, depth: int) -> bool:
    if depth == 0:
        return False
    if isinstance(value, dict):
        return all(_is_encodable(k) and _is_plain(v, depth - 1) for k, v in value.items())
    if isinstance(value, list):
        return all(_is_plain(item, depth - 1) for item in value)
    if isinstance(value, str):
        return _is_encodable(value)
    if isinstance(value, int):  # true and false among them
        return -(2**53) < value < 2**53
    return value is None
