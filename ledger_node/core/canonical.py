"""Canonical bytes: one byte string for one JSON value, and strict text encodings of bytes.

Everything that is hashed or signed as JSON passes through here, in both directions. Spec: RFC 8785
(JCS), restricted to integers: a number with a fraction is refused when written and when read, so
that implementations in other languages never have to agree on printing floats.
Vectors: tests/vectors/canonical/.

Invariants:
    * `parse_canonical` accepts exactly the outputs of `encode_canonical`: it re-encodes what it
      read and demands equal bytes, so no flipped bit can decode to the same value.
    * base64, base64url and hex have one accepted spelling for each byte string.
Not here: which members a format has; each format checks its own with the `require_` helpers.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Mapping, Sequence
from json.encoder import JSONEncoder
from typing import TypeAlias, cast

import rfc8785

from ledger_node.core.errors import MalformedInputError
from ledger_node.core.nesting import is_nested_deeper

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"

MAX_INT = 2**53 - 1
MAX_DEPTH = 32
MAX_JSON_BYTES = 4 * 1024 * 1024

_ENCODER = JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_HEX = re.compile(r"[0-9a-f]*")
_TO_URL = bytes.maketrans(b"+/", b"-_")


class NotCanonicalError(MalformedInputError):
    """The JSON is not what RFC 8785 (integers only) would write."""

    code = "not_canonical"


class MalformedEncodingError(MalformedInputError):
    """A base64, base64url or hex text is not the one accepted spelling of its bytes."""

    code = "malformed_encoding"


class UnexpectedShapeError(MalformedInputError):
    """The JSON is canonical, but a member is missing, unknown, or of another type."""

    code = "unexpected_shape"


def _refuse(what: str, reason_zh: str, reason_en: str) -> NotCanonicalError:
    return NotCanonicalError(f"{what}：{reason_zh}。", f"{what}: {reason_en}.", what=what)


def _has_plain_keys(value: object, depth: int) -> bool:
    """Check that a value can be written; True if every object key is ASCII."""
    if value is None or isinstance(value, (str, bool)):
        return True
    if isinstance(value, int):
        if not -MAX_INT <= value <= MAX_INT:
            raise _refuse("JSON", "整数超出安全范围", "an integer is beyond the safe range")
        return True
    if depth >= MAX_DEPTH:
        raise _refuse("JSON", "嵌套过深", f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, (list, tuple)):
        plain = True
        for item in value:
            plain &= _has_plain_keys(item, depth + 1)
        return plain
    if isinstance(value, dict):
        plain = True
        for key, item in value.items():
            if not isinstance(key, str):
                raise _refuse("JSON", "成员名不是文本", "a member name is not text")
            plain &= key.isascii() & _has_plain_keys(item, depth + 1)
        return plain
    kind = type(value).__name__
    raise _refuse("JSON", f"不支持 {kind} 类型的值", f"values of type {kind} are not supported")


def encode_canonical(value: JsonValue) -> bytes:
    """Write a JSON value as RFC 8785 bytes.

    Args:
        value: None, bool, int within ±(2**53-1), str, list or tuple, dict with str keys;
            at most `MAX_DEPTH` levels.

    Raises:
        NotCanonicalError: A float, another type, an integer out of range, a lone surrogate,
            or deeper nesting.
    """
    plain = _has_plain_keys(value, 0)
    try:
        if plain:
            # With ASCII names and no floats the C encoder writes the same bytes as RFC 8785:
            # code point order equals UTF-16 order, and the escapes are the same.
            return _ENCODER.encode(value).encode()
        return rfc8785.dumps(cast("dict[str, None]", value))
    except (UnicodeEncodeError, rfc8785.CanonicalizationError) as error:
        raise _refuse("JSON", "文本中有孤立的代理码元", "text holds a lone surrogate") from error


def _read_object(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member name stands twice")
    return members


def _read_int(text: str) -> int:
    if len(text) > 17:
        raise ValueError("an integer is too long")
    return int(text)


def _refuse_number(text: str) -> JsonValue:
    raise ValueError(f"the number {text[:32]} is not an integer")


def parse_canonical(data: bytes, *, what: str, max_bytes: int = MAX_JSON_BYTES) -> JsonValue:
    """Read RFC 8785 bytes strictly.

    Args:
        data: The bytes as received.
        what: What they should be ("grant terms"), for the message.
        max_bytes: Longer input is refused unread.

    Raises:
        NotCanonicalError: Not UTF-8, not JSON, a name twice, a number that is no safe integer,
            too large, too deep, or any spelling other than the canonical one.
    """
    if len(data) > max_bytes:
        raise _refuse(what, f"超过 {max_bytes} 字节", f"more than {max_bytes} bytes")
    if is_nested_deeper(data, MAX_DEPTH):
        raise _refuse(what, "嵌套过深", f"nested deeper than {MAX_DEPTH} levels")
    try:
        value: JsonValue = json.loads(
            data.decode(),
            object_pairs_hook=_read_object,
            parse_int=_read_int,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise _refuse(what, "不是合格的 JSON", f"not acceptable JSON ({error})") from error
    if encode_canonical(value) != data:
        raise _refuse(what, "不是 RFC 8785 规范写法", "not spelled as RFC 8785 writes it")
    return value


def encode_base64url(data: bytes) -> str:
    """Write bytes as unpadded base64url (RFC 4648 section 5)."""
    text = binascii.b2a_base64(data, newline=False).translate(_TO_URL)
    return text.rstrip(b"=").decode("ascii")


def parse_base64url(text: str, *, what: str, length_bytes: int | None = None) -> bytes:
    """Read unpadded base64url; exactly the spelling `encode_base64url` writes.

    Raises:
        MalformedEncodingError: Padding, other characters, stray bits, or another length.
    """
    if _BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise _misspelt(what, "base64url")
    standard = text.replace("-", "+").replace("_", "/")
    data = binascii.a2b_base64(standard + "=" * (-len(text) % 4), strict_mode=True)
    if encode_base64url(data) != text:
        raise _misspelt(what, "base64url")
    return _demand_length(data, length_bytes, what)


def encode_base64(data: bytes) -> str:
    """Write bytes as padded standard base64 (RFC 4648 section 4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def parse_base64(text: str, *, what: str, length_bytes: int | None = None) -> bytes:
    """Read padded standard base64; exactly the spelling `encode_base64` writes.

    Raises:
        MalformedEncodingError: Missing padding, other characters, stray bits, or another length.
    """
    if _BASE64.fullmatch(text) is None or len(text) % 4 != 0:
        raise _misspelt(what, "base64")
    data = binascii.a2b_base64(text, strict_mode=True)
    if encode_base64(data) != text:
        raise _misspelt(what, "base64")
    return _demand_length(data, length_bytes, what)


def parse_hex(text: str, *, what: str, length_bytes: int | None = None) -> bytes:
    """Read lower-case hex without prefix.

    Raises:
        MalformedEncodingError: Upper case, a prefix, an odd number of digits, or another length.
    """
    if _HEX.fullmatch(text) is None or len(text) % 2 != 0:
        raise _misspelt(what, "hex")
    return _demand_length(bytes.fromhex(text), length_bytes, what)


def _misspelt(what: str, encoding: str) -> MalformedEncodingError:
    return MalformedEncodingError(
        f"{what}：不是规范的 {encoding} 写法。",
        f"{what}: not the canonical spelling of {encoding}.",
        what=what,
        encoding=encoding,
    )


def _demand_length(data: bytes, length_bytes: int | None, what: str) -> bytes:
    if length_bytes is not None and len(data) != length_bytes:
        raise MalformedEncodingError(
            f"{what}：应为 {length_bytes} 字节，实为 {len(data)} 字节。",
            f"{what}: {length_bytes} bytes expected, {len(data)} found.",
            what=what,
            length_bytes=length_bytes,
        )
    return data


def _misshapen(what: str, reason_zh: str, reason_en: str) -> UnexpectedShapeError:
    return UnexpectedShapeError(f"{what}：{reason_zh}。", f"{what}: {reason_en}.", what=what)


def require_members(value: JsonValue, names: Sequence[str], *, what: str) -> JsonObject:
    """Check that a parsed value is an object with exactly the members `names`.

    Raises:
        UnexpectedShapeError: Not an object, a member missing, or an unknown one.
    """
    if not isinstance(value, dict):
        raise _misshapen(what, "应为对象", "an object is expected")
    if value.keys() != set(names):
        missing, unknown = sorted(set(names) - value.keys()), sorted(value.keys() - set(names))
        raise _misshapen(
            what,
            f"成员不符（缺 {missing}，多 {unknown}）",
            f"members differ (missing {missing}, unknown {unknown})",
        )
    return value


def require_list(value: JsonValue, *, what: str) -> list[JsonValue]:
    """Check that a parsed value is an array.

    Raises:
        UnexpectedShapeError: It is something else.
    """
    if not isinstance(value, list):
        raise _misshapen(what, "应为数组", "an array is expected")
    return value


def require_text(value: JsonValue, *, what: str) -> str:
    """Check that a parsed value is text.

    Raises:
        UnexpectedShapeError: It is something else.
    """
    if not isinstance(value, str):
        raise _misshapen(what, "应为文本", "text is expected")
    return value


def require_int(value: JsonValue, *, what: str, minimum: int = 0, maximum: int = MAX_INT) -> int:
    """Check that a parsed value is an integer within [minimum, maximum]; true is not 1.

    Raises:
        UnexpectedShapeError: It is something else or out of range.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise _misshapen(what, "应为整数", "an integer is expected")
    if not minimum <= value <= maximum:
        raise _misshapen(
            what, f"应在 {minimum} 与 {maximum} 之间", f"must be within {minimum} and {maximum}"
        )
    return value
