"""Cosignatures: what a city says of another city's tree head, with the time at which it said so.

Spec: C2SP tlog-cosignature, the Ed25519 form (type byte 0x04); docs/spec/mirror.md. Vectors:
tests/vectors/cosignature/. The line stands under the same text as the log's own signature:
base64 of key id, timestamp as big-endian uint64, and the signature over a header line, a time
line and the text.

Invariants:
    * The key id tells a cosigner's key from a log's key, the signed header tells the messages.
    * The time is signed with the head and cannot be changed alone.
Not here: when a city may cosign (witness.py), making signatures (edges/keys).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger_node.core.canonical import encode_base64, parse_base64, parse_hex
from ledger_node.core.checkpoint import (
    Checkpoint,
    OriginMismatchError,
    build_origin,
    encode_checkpoint,
    parse_checkpoint,
)
from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.signed_note import (
    KEY_ID_BYTES,
    SIGNATURE_BYTES,
    SignedNote,
    parse_note,
)
from ledger_node.core.types import CityId, PublicKey

ALGORITHM_COSIGNATURE = 0x04
TIMESTAMP_BYTES = 8
MAX_TIMESTAMP_S = 2**63 - 1
_BODY_BYTES = TIMESTAMP_BYTES + SIGNATURE_BYTES


class MalformedCosignatureError(MalformedInputError):
    """A cosignature line has another length, a time out of range, or stands there twice."""

    code = "malformed_cosignature"


class CosignatureError(VerificationError):
    """The cosigner's key has not signed this head at this time.

    Fields: key_name.
    """

    code = "cosignature_invalid"


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A key that cosigns.

    Attributes:
        name: Key name, `<consortium domain>/witness/<division code>`.
        public_key: Ed25519, 32 bytes.
    """

    name: str
    public_key: PublicKey

    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name || LF || 0x04 || public key)."""
        framed = self.name.encode() + b"\n" + bytes([ALGORITHM_COSIGNATURE]) + self.public_key
        return hashlib.sha256(framed).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class Cosignature:
    """What a cosigner said.

    Attributes:
        checkpoint: The head.
        cosigned_at_s: Unix time at which it was the largest the cosigner knew.
    """

    checkpoint: Checkpoint
    cosigned_at_s: int


def build_cosigner_name(domain: str, city: CityId) -> str:
    """Name of a member's cosigner key.

    Raises:
        MalformedOriginError: Domain or division code is not well formed.
    """
    build_origin(domain, city, 0)
    return f"{domain}/witness/{city}"


def encode_cosigner_key(key: CosignerKey) -> str:
    """Text form `<name>+<key id in hex>+<base64 of 0x04 || public key>`."""
    data = bytes([ALGORITHM_COSIGNATURE]) + key.public_key
    return f"{key.name}+{key.key_id().hex()}+{encode_base64(data)}"


def parse_cosigner_key(text: str) -> CosignerKey:
    """Read the text form of a cosigner key.

    Raises:
        MalformedCosignatureError: Not three parts, a name that is none, another algorithm, or the
            id of another key.
        MalformedEncodingError: Hex or base64 is not canonical.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise _malformed("见证公钥须有三段", "a cosigner key has three parts")
    name = parts[0]  # isprintable also refuses other blanks and lone surrogates
    if not name or not name.isprintable() or " " in name:
        raise _malformed("见证方名称不合格", "a cosigner's name is empty or holds blanks")
    data = parse_base64(parts[2], what="cosigner key", length_bytes=33)
    key = CosignerKey(name, PublicKey(data[1:]))
    key_id = parse_hex(parts[1], what="key id", length_bytes=KEY_ID_BYTES)
    if data[0] != ALGORITHM_COSIGNATURE or key_id != key.key_id():
        raise _malformed("见证公钥与其编号不符", "algorithm or key id is not that of the key")
    return key


def hash_origin(origin: str) -> str:
    """Name under which a mirror serves a log (C2SP tlog-mirror): SHA-256 in lower-case hex."""
    return hashlib.sha256(origin.encode()).hexdigest()


def build_cosigned_message(text: str, cosigned_at_s: int) -> bytes:
    """Bytes that a cosigner signs for the text of a checkpoint.

    Raises:
        MalformedCosignatureError: The time is no uint63.
    """
    _demand_time(cosigned_at_s)
    return f"cosignature/v1\ntime {cosigned_at_s}\n{text}".encode()


def encode_cosignature(key: CosignerKey, cosigned_at_s: int, signature: bytes) -> str:
    """Signature line, with its line break.

    Raises:
        MalformedCosignatureError: The signature is not 64 bytes, or the time is no uint63.
    """
    _demand_time(cosigned_at_s)
    if len(signature) != SIGNATURE_BYTES:
        raise _malformed("签名须为 64 字节", "a signature has 64 bytes")
    body = key.key_id() + cosigned_at_s.to_bytes(TIMESTAMP_BYTES, "big") + signature
    return f"\u2014 {key.name} {encode_base64(body)}\n"


def build_cosigned_note(checkpoint: Checkpoint, lines: list[str]) -> bytes:
    """A checkpoint with signature lines, each as it stands in a note.

    Raises:
        MalformedNoteError: The result would be no signed note.
    """
    note = f"{encode_checkpoint(checkpoint)}\n{''.join(lines)}".encode()
    parse_note(note)
    return note


def split_signature_lines(note: bytes) -> list[str]:
    """The signature lines of a note, each with its line break.

    Raises:
        MalformedNoteError, MalformedEncodingError: The bytes are no signed note.
    """
    parse_note(note)
    return note.decode().rpartition("\n\n")[2].splitlines(keepends=True)


def verify_cosignature(note: bytes, origin: str, key: CosignerKey) -> Cosignature:
    """Check that a cosigner signed a head of a log.

    Args:
        note: Checkpoint with the cosigner's line; other lines are carried along unread.
        origin: The log it must belong to.
        key: The cosigner's key.

    Raises:
        MalformedNoteError, MalformedCheckpointError, MalformedOriginError,
        MalformedEncodingError, MalformedCosignatureError: The bytes are not a cosigned checkpoint.
        CosignatureError: The key has not signed it.
        OriginMismatchError: It belongs to another log.
    """
    parsed = parse_note(note)
    cosigned_at_s = verify_cosigned_text(parsed, key)
    checkpoint = parse_checkpoint(parsed.text)
    if checkpoint.origin != origin:
        raise OriginMismatchError(
            f"日志头属于 {checkpoint.origin}，不是 {origin}。",
            f"the checkpoint belongs to {checkpoint.origin}, not to {origin}.",
            expected=origin,
            found=checkpoint.origin,
        )
    return Cosignature(checkpoint, cosigned_at_s)


def verify_cosigned_text(note: SignedNote, key: CosignerKey) -> int:
    """Check the cosigner's one line under any text; returns its time.

    Raises:
        MalformedCosignatureError: The line has another length, or stands there twice.
        CosignatureError: The key has not signed it.
    """
    wanted = (key.name, key.key_id())
    lines = [line for line in note.signatures if (line.name, line.key_id) == wanted]
    if not lines:
        raise _refuse(key)
    if len(lines) > 1:
        raise _malformed("同一见证密钥重复签名", "the same cosigner signs twice")
    body = lines[0].signature
    if len(body) != _BODY_BYTES:
        raise _malformed("长度不对", f"{_BODY_BYTES} bytes follow the key id")
    cosigned_at_s = int.from_bytes(body[:TIMESTAMP_BYTES], "big")
    message = build_cosigned_message(note.text, cosigned_at_s)
    try:
        public_key = Ed25519PublicKey.from_public_bytes(key.public_key)
        public_key.verify(body[TIMESTAMP_BYTES:], message)
    except (InvalidSignature, ValueError) as error:
        raise _refuse(key) from error
    return cosigned_at_s


def _demand_time(cosigned_at_s: int) -> None:
    if not 0 <= cosigned_at_s <= MAX_TIMESTAMP_S:
        raise _malformed("时间超出范围", "the time is no 63-bit number")


def _refuse(key: CosignerKey) -> CosignatureError:
    return CosignatureError(
        f"{key.name} 没有见证这个日志头。",
        f"{key.name} has not cosigned this head.",
        key_name=key.name,
    )


def _malformed(reason_zh: str, reason_en: str) -> MalformedCosignatureError:
    return MalformedCosignatureError(
        f"见证签名格式不对：{reason_zh}。", f"malformed cosignature: {reason_en}."
    )
