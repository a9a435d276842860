"""Revoking by code between cities: request, what is sealed in it, and the uniform answer.

Spec: docs/spec/revocation.md. Vectors: tests/vectors/revocation/.

Invariants:
    * Code and facts travel only sealed to the recording city.
    * Unknown code, wrong secret, wrong facts and a locked code are one answer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64,
    encode_canonical,
    parse_canonical,
    require_int,
    require_members,
    require_text,
)
from ledger_node.core.revocation_code import RevocationCode, RevocationCodeError, parse_code
from ledger_node.core.sealed import Subject, read_sealed
from ledger_node.core.shapes import (
    MAX_TIME_S,
    read_bytes32,
    read_choice,
    read_name,
    read_short_text,
    read_version,
    refuse_shape,
)
from ledger_node.core.types import Salt

REQUEST_VERSION: Final = "tongban/revocation-request/v1"
SECRET_VERSION: Final = "tongban/revocation-secret/v1"  # noqa: S105 (a format's name)
ANSWER_VERSION: Final = "tongban/revocation-answer/v1"
MAX_BYTES: Final = 16 * 1024
RESIDENT_ID: Final = "cn-resident-id"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LAST_FOUR = re.compile(r"[0-9A-Z]{4}")


class RevocationOutcome(StrEnum):
    """What came of it."""

    REVOKED = "revoked"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CardShown:
    """The identity document was read at the window; `number` normalised."""

    scheme: str
    number: str


@dataclass(frozen=True, slots=True)
class FactsTold:
    """Two facts the person tells: birth date (YYYY-MM-DD) and the number's last four characters."""

    born_on: str
    last_four: str


@dataclass(frozen=True, slots=True)
class RevocationRequest:
    """A request: salt (32 bytes; makes it unique and binds the seal), time, sealed part."""

    salt: Salt
    at_s: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class RevocationAnswer:
    """The answer: digest of the request, outcome, and how many grants were revoked."""

    request: bytes
    outcome: RevocationOutcome
    grants: int


def matches_subject(shown: CardShown | FactsTold, subject: Subject) -> bool:
    """Whether card or facts are those of the person the grants are about."""
    if isinstance(shown, CardShown):
        own = f"{subject.scheme}\n{subject.number}".encode()
        return hmac.compare_digest(own, f"{shown.scheme}\n{shown.number}".encode())
    if subject.scheme != RESIDENT_ID:
        return False  # only a resident id says when its holder was born: the card is needed
    digits = subject.number[6:14]
    own = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}\n{subject.number[-4:]}".encode()
    return hmac.compare_digest(own, f"{shown.born_on}\n{shown.last_four}".encode())


def encode_revocation_request(request: RevocationRequest) -> bytes:
    """Write a request as RFC 8785 bytes."""
    return encode_canonical(
        {
            "v": REQUEST_VERSION,
            "salt": request.salt.hex(),
            "at": request.at_s,
            "sealed": encode_base64(request.sealed),
        }
    )


def parse_revocation_request(data: bytes) -> RevocationRequest:
    """Read a request.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError.
    """
    what = "revocation request"
    value = parse_canonical(data, what=what, max_bytes=MAX_BYTES)
    read_version(value, REQUEST_VERSION, what=what)
    m = require_members(value, ("v", "salt", "at", "sealed"), what=what)
    return RevocationRequest(
        Salt(read_bytes32(m["salt"], what=what)),
        require_int(m["at"], what=what, maximum=MAX_TIME_S),
        read_sealed(m["sealed"], what=what),
    )


def compute_revocation_digest(request: bytes) -> bytes:
    """Digest of a request's bytes, 32 bytes: its id in both cities."""
    return hashlib.sha256(f"{REQUEST_VERSION}\n".encode("ascii") + request).digest()


def encode_revocation_secret(code: RevocationCode, shown: CardShown | FactsTold) -> bytes:
    """Bytes that are sealed: the code and what was shown or told."""
    facts: JsonObject = (
        {"kind": "card", "scheme": shown.scheme, "number": shown.number}
        if isinstance(shown, CardShown)
        else {"kind": "facts", "born_on": shown.born_on, "last_four": shown.last_four}
    )
    return encode_canonical({"v": SECRET_VERSION, "code": code.text, "shown": facts})


def parse_revocation_secret(data: bytes) -> tuple[RevocationCode, CardShown | FactsTold]:
    """Read what was sealed.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError: Not such bytes; neither code
            nor number is repeated.
        RevocationCodeError: The code's check does not hold.
    """
    what = "revocation secret"
    value = parse_canonical(data, what=what, max_bytes=MAX_BYTES)
    read_version(value, SECRET_VERSION, what=what)
    m = require_members(value, ("v", "code", "shown"), what=what)
    text = require_text(m["code"], what=what)
    code = parse_code(text)
    if code.text != text:
        raise RevocationCodeError
    return code, _read_shown(m["shown"])


def build_facts(born_on: str, last_four: str) -> FactsTold:
    """Two facts as typed.

    Raises:
        UnexpectedShapeError: No day, or not four characters.
    """
    last_four = last_four.strip().upper()
    if _DAY.fullmatch(born_on) is None or _LAST_FOUR.fullmatch(last_four) is None:
        raise refuse_shape(
            "revocation facts",
            "请填写出生日期和证件号码后四位",
            "a birth date and the last four characters of the number are expected",
        )
    return FactsTold(born_on, last_four)


def encode_revocation_answer(answer: RevocationAnswer) -> bytes:
    """Write an answer as RFC 8785 bytes."""
    return encode_canonical(
        {
            "v": ANSWER_VERSION,
            "request": answer.request.hex(),
            "outcome": answer.outcome.value,
            "grants": answer.grants,
        }
    )


def parse_revocation_answer(data: bytes) -> RevocationAnswer:
    """Read an answer.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError.
    """
    what = "revocation answer"
    value = parse_canonical(data, what=what, max_bytes=MAX_BYTES)
    read_version(value, ANSWER_VERSION, what=what)
    m = require_members(value, ("v", "request", "outcome", "grants"), what=what)
    return RevocationAnswer(
        read_bytes32(m["request"], what=what),
        read_choice(m["outcome"], RevocationOutcome, what=what),
        require_int(m["grants"], what=what, maximum=64),
    )


def _read_shown(value: JsonValue) -> CardShown | FactsTold:
    what = "revocation facts"
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "card":
        m = require_members(value, ("kind", "scheme", "number"), what=what)
        return CardShown(read_name(m["scheme"], what=what), read_short_text(m["number"], what=what))
    m = require_members(value, ("kind", "born_on", "last_four"), what=what)
    if kind != "facts":
        raise refuse_shape(what, "应为 card 或 facts", "card or facts is expected")
    told = require_text(m["last_four"], what=what)
    facts = build_facts(require_text(m["born_on"], what=what), told)
    if facts.last_four != told:
        raise refuse_shape(
            what, "后四位须为规范写法", "the last four are not spelt as they are sent"
        )
    return facts
