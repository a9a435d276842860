"""Narrow readers shared by the formats that cities exchange: hashes, cities, names, openings.

Each takes a value that `parse_canonical` has read and the name of the place it stands in; each
refuses with a typed error that names the place and never repeats the value, which may be private.
Spec: docs/spec/terms.md, section "Common members".

Not here: which members a format has (terms.py, evidence.py, query.py, release_request.py …).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    UnexpectedShapeError,
    parse_hex,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.commitment import CommitmentKind, verify_commitment
from ledger_node.core.errors import UnknownVersionError
from ledger_node.core.types import HASH_BYTES, Address, CityId, Commitment, Salt

MAX_TIME_S = 2**40  # far beyond any window, far below 2**53
MAX_NAME_CHARS = 64
MAX_TEXT_CHARS = 256

_CITY = re.compile(r"[0-9]{6}")
_NAME = re.compile(rf"[A-Za-z0-9](?:[A-Za-z0-9._/-]{{0,{MAX_NAME_CHARS - 1}}})")

_Choice = TypeVar("_Choice", bound=StrEnum)


def refuse_shape(what: str, reason_zh: str, reason_en: str) -> UnexpectedShapeError:
    """Build the error for a member that is readable but not acceptable."""
    return UnexpectedShapeError(f"{what}：{reason_zh}。", f"{what}: {reason_en}.", what=what)


def read_version(value: JsonValue, version: str, *, what: str) -> None:
    """Check member `v` before anything else is read.

    Raises:
        UnexpectedShapeError: Not an object.
        UnknownVersionError: No `v`, or another one.
    """
    if not isinstance(value, dict):
        raise refuse_shape(what, "应为对象", "an object is expected")
    if value.get("v") != version:
        raise UnknownVersionError(
            f"{what}：不认识的格式版本，应为 {version}。",
            f"{what}: unknown format version, {version} is expected.",
            what=what,
        )


def read_bytes32(value: JsonValue, *, what: str) -> bytes:
    """Read 32 bytes in lower-case hex."""
    return parse_hex(require_text(value, what=what), what=what, length_bytes=HASH_BYTES)


def read_hashes(value: JsonValue, *, what: str, maximum: int) -> tuple[bytes, ...]:
    """Read an array of at most `maximum` 32-byte values."""
    items = require_list(value, what=what)
    if len(items) > maximum:
        raise refuse_shape(what, f"最多 {maximum} 项", f"at most {maximum} items")
    return tuple(read_bytes32(item, what=what) for item in items)


def read_city(value: JsonValue, *, what: str) -> CityId:
    """Read a six-digit division code."""
    text = require_text(value, what=what)
    if _CITY.fullmatch(text) is None:
        raise refuse_shape(what, "应为六位区划码", "a six-digit division code is expected")
    return CityId(text)


def read_address(value: JsonValue, *, what: str) -> Address:
    """Read a chain address: `0x` and 40 lower-case hex digits."""
    text = require_text(value, what=what)
    if not text.startswith("0x"):
        raise refuse_shape(what, "地址须以 0x 开头", "an address begins with 0x")
    return Address(parse_hex(text[2:], what=what, length_bytes=20))


def encode_address(address: Address) -> str:
    """Write a chain address."""
    return "0x" + address.hex()


def read_name(value: JsonValue, *, what: str) -> str:
    """Read a code or pseudonym: ASCII letters, digits and `. _ / -`, at most 64."""
    text = require_text(value, what=what)
    if _NAME.fullmatch(text) is None:
        raise refuse_shape(what, "不是合格的代码", "not an acceptable code")
    return text


def read_short_text(value: JsonValue, *, what: str) -> str:
    """Read printable text of 1 to 256 characters."""
    text = require_text(value, what=what)
    if not 0 < len(text) <= MAX_TEXT_CHARS or not text.isprintable():
        raise refuse_shape(
            what,
            f"应为 1–{MAX_TEXT_CHARS} 个可见字符",
            f"1 to {MAX_TEXT_CHARS} printable characters",
        )
    return text


def read_flag(value: JsonValue, *, what: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise refuse_shape(what, "应为 true 或 false", "true or false is expected")
    return value


def read_choice(value: JsonValue, choices: type[_Choice], *, what: str) -> _Choice:
    """Read one of the values of an enumeration."""
    text = require_text(value, what=what)
    try:
        return choices(text)
    except ValueError:
        allowed = ", ".join(choice.value for choice in choices)
        raise refuse_shape(what, f"应为 {allowed} 之一", f"one of {allowed} is expected") from None


def demand_distinct(items: Sequence[object], *, what: str) -> None:
    """Refuse a list in which something stands twice."""
    if len(set(items)) != len(items):
        raise refuse_shape(what, "有重复项", "an item stands twice")


def demand_not_empty(items: Sequence[object], *, what: str) -> None:
    """Refuse an empty list: nothing asked for is never "all satisfied"."""
    if not items:
        raise refuse_shape(what, "不能为空", "must not be empty")


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens a salted commitment.

    Attributes:
        salt: 32 secret bytes.
        body: JSON value that was committed to.
    """

    salt: Salt
    body: JsonValue


def encode_opening(opening: Opening) -> JsonObject:
    """Write an opening as `{"salt", "body"}`."""
    return {"salt": opening.salt.hex(), "body": opening.body}


def read_opening(value: JsonValue, *, what: str) -> Opening:
    """Read an opening; its body is checked against the commitment by `verify_opening`."""
    members = require_members(value, ("salt", "body"), what=what)
    return Opening(Salt(read_bytes32(members["salt"], what=f"{what} salt")), members["body"])


def verify_opening(
    kind: CommitmentKind, origin: str, opening: Opening, expected: Commitment
) -> None:
    """Check that an opening opens `expected`.

    Raises:
        CommitmentMismatchError: It opens something else.
    """
    verify_commitment(kind, origin, opening.salt, opening.body, expected)
