"""Receipts: one signed file that a person or a clerk keeps, and its seal.

Steps 2 and 9 of the data flow. Spec: design section 10, docs/spec/receipt.md. Vectors:
tests/vectors/receipt/.

A receipt is `{"v", "kind", "body", "keyid", "signature", "seal"}`. The city signs everything but
signature and seal; the seal (inclusion proof to an anchored head, and where that head was
anchored) is added later and needs no signature, because it proves itself. Without it the receipt
is *pending*.

Invariants:
    * RFC 8785 bytes, no unknown member: a flipped bit anywhere is refused or breaks a check.
    * One kind never passes for the other: version and kind are under the signature.
Not here: what the bodies hold (receipt_registration.py, receipt_reliance.py), checks (verify.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64,
    encode_canonical,
    parse_base64,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.chain_facts_format import encode_position, read_position
from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.event_types import Position
from ledger_node.core.message_key import MessageKeyId, encode_key_id, parse_key_id
from ledger_node.core.place import encode_place, read_place
from ledger_node.core.placement import (
    PLACEMENT_MEMBERS,
    Placement,
    encode_placement,
    read_placement,
)
from ledger_node.core.receipt_chain import ChainEvidence
from ledger_node.core.shapes import read_bytes32, read_choice, read_version, refuse_shape
from ledger_node.core.signed_body import compute_signed_message, verify_signed
from ledger_node.core.types import Salt

RECEIPT_VERSION = "tongban/receipt/v0"
RECEIPT_VERSION_1 = "tongban/receipt/v1"  # with evidence of the chain: receipt_v1.py
MAX_RECEIPT_BYTES = 16 * 1024 * 1024
SIGNATURE_BYTES = 64
MAX_POSITION = 2**16 - 2
_WHAT = "receipt"
_MEMBERS = ("v", "kind", "body", "keyid", "signature", "seal")


class NotAReceiptError(MalformedInputError):
    """The bytes are not exactly a receipt: spelling, version, a member.

    Fields: reason (code of the error below).
    """

    code = "receipt_not_canonical"


class ReceiptKind(StrEnum):
    """What a receipt is about."""

    REGISTRATION = "registration"
    RELIANCE = "reliance"


@dataclass(frozen=True, slots=True)
class Seal:
    """What makes a receipt final.

    Attributes:
        placement: Inclusion of the entry in an anchored head.
        anchored: The `CheckpointAnchored` event of that head.
        salt: Opens the `reliance` entry's commitment; None for a registration, whose entry is
            the material's own.
    """

    placement: Placement
    anchored: Position
    salt: Salt | None


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A receipt with its body still plain JSON.

    Attributes:
        kind: What it is about.
        body: As signed.
        key_id: City and message key that signed.
        signature: Ed25519, 64 bytes.
        seal: None while pending.
        chain: Evidence of the chain; None in version 0, and while there is none.
        version: Under the signature.
    """

    kind: ReceiptKind
    body: JsonObject
    key_id: MessageKeyId
    signature: bytes
    seal: Seal | None
    chain: ChainEvidence | None = None
    version: str = RECEIPT_VERSION


def compute_receipt_message(
    kind: ReceiptKind, body: JsonObject, key_id: MessageKeyId, version: str = RECEIPT_VERSION
) -> bytes:
    """Bytes the city signs with its message key."""
    return compute_signed_message(version, encode_unsigned(kind, body, key_id, version))


def build_receipt(
    kind: ReceiptKind,
    body: JsonObject,
    key_id: MessageKeyId,
    sign: Callable[[bytes], bytes],
    seal: Seal | None = None,
) -> ReceiptFile:
    """Receipt over a body.

    Args:
        kind: What it is about.
        body: From `encode_registration_body` or `encode_reliance_body`.
        key_id: City and message key that signs.
        sign: Makes the Ed25519 signature with that key.
        seal: If the entry is anchored already.
    """
    signature = sign(compute_receipt_message(kind, body, key_id))
    return ReceiptFile(kind, body, key_id, signature, seal)


def encode_receipt(receipt: ReceiptFile) -> bytes:
    """Write a receipt as RFC 8785 bytes."""
    return encode_canonical(_encode_object(receipt))


def parse_receipt(data: bytes) -> ReceiptFile:
    """Read a receipt of either kind; its body is read by the module of its kind.

    Raises:
        NotAReceiptError: Not exactly a receipt.
    """
    with refuse_as_receipt():
        value = parse_canonical(data, what=_WHAT, max_bytes=MAX_RECEIPT_BYTES)
        return read_envelope(value, RECEIPT_VERSION, _MEMBERS)


def read_envelope(value: JsonValue, version: str, names: tuple[str, ...]) -> ReceiptFile:
    """Read what every version has; `names` are the members this one has.

    Raises:
        MalformedInputError: Another version, or a member missing, unknown or not well formed.
    """
    read_version(value, version, what=_WHAT)
    m = require_members(value, names, what=_WHAT)
    kind = read_choice(m["kind"], ReceiptKind, what=f"{_WHAT} kind")
    body = m["body"]
    if not isinstance(body, dict):
        raise refuse_shape(f"{_WHAT} body", "应为对象", "an object is expected")
    key_id = parse_key_id(require_text(m["keyid"], what=f"{_WHAT} keyid"))
    text = require_text(m["signature"], what=f"{_WHAT} signature")
    signature = parse_base64(text, what=f"{_WHAT} signature", length_bytes=SIGNATURE_BYTES)
    return ReceiptFile(
        kind, body, key_id, signature, read_seal(m["seal"], kind, version), version=version
    )


def verify_receipt_signature(receipt: ReceiptFile) -> None:
    """Check the signature by the key the receipt names; whose key it was is another question.

    Raises:
        SignedBodyError: It is not the signature of this body.
    """
    unsigned = encode_unsigned(receipt.kind, receipt.body, receipt.key_id, receipt.version)
    signature = encode_base64(receipt.signature)
    verify_signed(receipt.version, {**unsigned, "signature": signature})


@contextmanager
def refuse_as_receipt() -> Iterator[None]:
    """Turn what the readers refuse into the one error of a malformed receipt."""
    try:
        yield
    except (MalformedInputError, VerificationError) as error:
        raise NotAReceiptError(
            f"凭证格式不对：{error.message_zh}",
            f"not a receipt: {error.message_en}",
            reason=error.code,
        ) from error


def encode_disclosed(disclosed: Mapping[int, str]) -> JsonValue:
    """Write disclosures by position, rising."""
    return [{"position": at, "text": text} for at, text in sorted(disclosed.items())]


def read_disclosed(value: JsonValue, *, what: str) -> dict[int, str]:
    """Read disclosures by position.

    Raises:
        UnexpectedShapeError: A member is missing or unknown, or positions do not rise.
    """
    texts: dict[int, str] = {}
    for item in require_list(value, what=what):
        m = require_members(item, ("position", "text"), what=what)
        position = require_int(m["position"], what=what, maximum=MAX_POSITION)
        if texts and position <= max(texts):
            raise refuse_shape(what, "位置须递增", "positions must rise")
        texts[position] = require_text(m["text"], what=what)
    return texts


def encode_event(position: Position, version: str) -> JsonObject:
    """Write where an event stands, as receipts of a version do."""
    return encode_place(position) if version == RECEIPT_VERSION_1 else encode_position(position)


def read_event(value: JsonValue, version: str, *, what: str) -> Position:
    """Read where an event stands, as receipts of a version write it.

    Raises:
        UnexpectedShapeError, MalformedEncodingError: A member is missing, unknown or misspelt.
    """
    read = read_place if version == RECEIPT_VERSION_1 else read_position
    return read(value, what=what)


def encode_unsigned(
    kind: ReceiptKind, body: JsonObject, key_id: MessageKeyId, version: str
) -> JsonObject:
    """The members under the signature."""
    return {"v": version, "kind": kind.value, "body": body, "keyid": encode_key_id(key_id)}


def _encode_object(receipt: ReceiptFile) -> JsonObject:
    return {
        **encode_unsigned(receipt.kind, receipt.body, receipt.key_id, receipt.version),
        "signature": encode_base64(receipt.signature),
        "seal": encode_seal(receipt.seal),
    }


def encode_seal(seal: Seal | None, version: str = RECEIPT_VERSION) -> JsonValue:
    """Write a seal, or null while pending."""
    if seal is None:
        return None
    salt: JsonObject = {} if seal.salt is None else {"salt": seal.salt.hex()}
    anchored = encode_event(seal.anchored, version)
    return {**salt, **encode_placement(seal.placement), "anchored": anchored}


def read_seal(value: JsonValue, kind: ReceiptKind, version: str = RECEIPT_VERSION) -> Seal | None:
    """Read the seal of a receipt of this kind.

    Raises:
        UnexpectedShapeError, MalformedEncodingError: A member is missing, unknown or misspelt.
    """
    if value is None:
        return None
    what = "receipt seal"
    salted = kind is ReceiptKind.RELIANCE
    names = (*PLACEMENT_MEMBERS, "anchored", *(["salt"] if salted else []))
    m = require_members(value, names, what=what)
    return Seal(
        placement=read_placement(m, what=what),
        anchored=read_event(m["anchored"], version, what=f"{what} anchored"),
        salt=Salt(read_bytes32(m["salt"], what=f"{what} salt")) if salted else None,
    )
