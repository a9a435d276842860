"""Fields files: JSON a person wrote, read strictly, refused by the name of the member.

The registered or signed bytes are made from it later and are canonical; this file need not be.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ledger_node.cli.inputs import read_input
from ledger_node.cli.output import is_text
from ledger_node.core.errors import MalformedInputError

MAX_FIELDS_BYTES = 1024 * 1024
MAX_DEPTH = 16


class MalformedFieldsError(MalformedInputError):
    """A fields file is not JSON, or a member is missing, unknown or of another type.

    Fields: field (path of the member, as `subjects.0.number`).
    """

    code = "malformed_fields"

    def __init__(self, name: str, reason_zh: str, reason_en: str) -> None:
        super().__init__(
            f"字段文件“{name}”{reason_zh}。", f"fields file, {name}: {reason_en}.", field=name
        )


def read_fields(path: Path) -> dict[str, Any]:
    """A JSON object a person wrote; members are checked by `FieldReader`.

    Raises:
        FileUnreadableError, FileTooLargeError: As `read_input`.
        MalformedFieldsError: Not UTF-8, not JSON, no object, a name twice.
    """
    data = read_input(path, MAX_FIELDS_BYTES)
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_demand_distinct,
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
        if isinstance(value, str) and not is_text(value):
            raise self.refuse(member, "含有不合格的字符", "holds a character that is none")
        return value

    def optional_int(self, member: str, minimum: int = 0) -> int | None:
        """A whole number from `minimum`, or None."""
        value = self._members.get(member)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value < 2**53:
            raise self.refuse(
                member, f"应为不小于 {minimum} 的整数", f"a whole number from {minimum} is expected"
            )
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
        if not all(isinstance(item, str) and is_text(item) for item in found):
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


def _demand_distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member name stands twice")
    return members


def _is_plain(value: object, depth: int) -> bool:
    if depth == 0:
        return False
    if isinstance(value, dict):
        return all(is_text(k) and _is_plain(v, depth - 1) for k, v in value.items())
    if isinstance(value, list):
        return all(_is_plain(item, depth - 1) for item in value)
    if isinstance(value, str):
        return is_text(value)
    if isinstance(value, int):  # true and false among them
        return -(2**53) < value < 2**53
    return value is None
