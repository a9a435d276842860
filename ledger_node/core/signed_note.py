"""Signed notes: a text with signature lines, and verifier keys in their text form.

Spec: C2SP signed-note; only Ed25519 (type byte 0x01) is verified here, lines of other keys are
carried along unread. docs/spec/log.md. Vectors: tests/vectors/signed_note/.

Invariants:
    * At least one signature by a trusted key holds, and none by a trusted key fails or repeats.
    * Every base64 has one spelling, so no flipped bit leaves a note valid.
Not here: what the text says (checkpoint.py), making signatures (edges/keys): a made signature is
an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger_node.core.canonical import encode_base64, parse_base64, parse_hex
from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.types import PublicKey

ALGORITHM_ED25519 = 0x01
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64
MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64

_LINE_START = "\u2014 "


class MalformedNoteError(MalformedInputError):
    """The bytes are not a signed note, or a key name or verifier key is not well formed."""

    code = "malformed_note"


class NoteSignatureError(VerificationError):
    """No trusted key signed the note, or a signature of a trusted key does not hold.

    Fields: key_name (of the failing key, empty when none is trusted).
    """

    code = "note_signature_invalid"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 key that signs notes.

    Attributes:
        name: Key name; for a city's log its origin.
        public_key: 32 bytes.
    """

    name: str
    public_key: PublicKey

    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name || LF || 0x01 || public key)."""
        return compute_key_id(self.name, self.public_key)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line.

    Attributes:
        name: Key name.
        key_id: 4 bytes; a hint, not a proof.
        signature: Bytes after the key id.
    """

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A parsed note.

    Attributes:
        text: The signed text, with its closing line break.
        signatures: At least one, in the order of the lines.
    """

    text: str
    signatures: tuple[NoteSignature, ...]


def compute_key_id(name: str, public_key: bytes) -> bytes:
    """Key id of an Ed25519 key, 4 bytes.

    Raises:
        MalformedNoteError: Name or key is not well formed.
    """
    _demand_name(name)
    if len(public_key) != 32:
        raise _malformed("公钥须为 32 字节", "a public key has 32 bytes")
    framed = name.encode() + b"\n" + bytes([ALGORITHM_ED25519]) + public_key
    return hashlib.sha256(framed).digest()[:KEY_ID_BYTES]


def encode_verifier_key(key: VerifierKey) -> str:
    """Text form `<name>+<key id in hex>+<base64 of 0x01 || public key>`.

    Raises:
        MalformedNoteError: Name or key is not well formed.
    """
    data = bytes([ALGORITHM_ED25519]) + key.public_key
    return f"{key.name}+{key.key_id().hex()}+{encode_base64(data)}"


def parse_verifier_key(text: str) -> VerifierKey:
    """Read the text form of a verifier key.

    Raises:
        MalformedNoteError: Not three parts, another algorithm, or the key id of another key.
        MalformedEncodingError: Hex or base64 is not canonical.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise _malformed("验证密钥须有三段", "a verifier key has three parts")
    name, key_id, key = parts
    data = parse_base64(key, what="verifier key", length_bytes=33)
    if data[0] != ALGORITHM_ED25519:
        raise _malformed("密钥算法不是 Ed25519", "the key is not Ed25519")
    verifier_key = VerifierKey(name, PublicKey(data[1:]))
    if parse_hex(key_id, what="key id", length_bytes=KEY_ID_BYTES) != verifier_key.key_id():
        raise _malformed("密钥编号与密钥不符", "the key id is not that of the key")
    return verifier_key


def build_note(text: str, name: str, public_key: PublicKey, signature: bytes) -> bytes:
    """A note with one signature line; `signature` was made over the UTF-8 of `text`.

    Raises:
        MalformedNoteError: Text, name or signature is not well formed.
    """
    unsigned = text.encode("utf-8", "surrogatepass") + b"\n"  # parse_note refuses surrogates
    return add_signature(unsigned, VerifierKey(name, public_key), signature)


def add_signature(note: bytes, key: VerifierKey, signature: bytes) -> bytes:
    """The note with one more signature line at its end.

    Raises:
        MalformedNoteError: The result would not be a signed note.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise _malformed("签名须为 64 字节", "a signature has 64 bytes")
    line = f"{_LINE_START}{key.name} {encode_base64(key.key_id() + signature)}\n"
    result = note + line.encode()
    parse_note(result)
    return result


def parse_note(data: bytes) -> SignedNote:
    """Read a note without trusting it.

    Raises:
        MalformedNoteError: Not UTF-8, control characters, no blank line before the signatures,
            a line that is no signature, too long, or too many signatures.
        MalformedEncodingError: A signature is not canonical base64.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise _malformed("超过长度上限", f"longer than {MAX_NOTE_BYTES} bytes")
    try:
        note = data.decode()
    except UnicodeDecodeError as error:
        raise _malformed("不是 UTF-8 文本", "not UTF-8") from error
    if any(char < " " and char != "\n" for char in note):
        raise _malformed("含控制字符", "control characters in the text")
    text, blank, tail = note.rpartition("\n\n")
    if not text or not blank or not tail.endswith("\n"):
        raise _malformed("缺少正文、空行或签名行", "text, blank line or signature line is missing")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise _malformed("签名行过多", f"more than {MAX_SIGNATURES} signatures")
    return SignedNote(text + "\n", tuple(_parse_signature_line(line) for line in lines))


def _parse_signature_line(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_LINE_START).partition(" ")
    if not line.startswith(_LINE_START):
        raise _malformed("签名行格式不对", "a signature line is malformed")
    _demand_name(name)
    data = parse_base64(encoded, what="note signature")
    if len(data) <= KEY_ID_BYTES:
        raise _malformed("签名为空", "a signature is empty")
    return NoteSignature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def verify_note(data: bytes, trusted_keys: Collection[VerifierKey]) -> SignedNote:
    """Check a note's signatures against keys the caller trusts.

    Args:
        data: The note.
        trusted_keys: At least one; lines of other keys are ignored.

    Returns:
        The note, of which only the text and the lines of trusted keys are vouched for.

    Raises:
        MalformedNoteError: Not a note, or a trusted key signs twice.
        NoteSignatureError: No line is by a trusted key, or one of them does not hold.
    """
    note = parse_note(data)
    keys = {(key.name, key.key_id()): key for key in trusted_keys}
    seen: set[tuple[str, bytes]] = set()
    for line in note.signatures:
        key = keys.get((line.name, line.key_id))
        if key is None:
            continue
        if (line.name, line.key_id) in seen:
            raise _malformed("同一密钥重复签名", "the same key signs twice")
        seen.add((line.name, line.key_id))
        _verify_signature(key, note.text, line.signature)
    if not seen:
        raise NoteSignatureError(
            "没有受信任的密钥的签名。", "no trusted key has signed this.", key_name=""
        )
    return note


def _verify_signature(key: VerifierKey, text: str, signature: bytes) -> None:
    try:
        public_key = Ed25519PublicKey.from_public_bytes(key.public_key)
        public_key.verify(signature, text.encode())
    except (InvalidSignature, ValueError) as error:
        raise NoteSignatureError(
            f"{key.name} 的签名不成立。",
            f"the signature of {key.name} does not hold.",
            key_name=key.name,
        ) from error


def _demand_name(name: str) -> None:
    # isprintable also refuses control characters, other blanks and lone surrogates.
    if not name or not name.isprintable() or "+" in name or " " in name:
        raise _malformed("密钥名称不合格", "a key name is empty or holds blanks or a plus sign")


def _malformed(reason_zh: str, reason_en: str) -> MalformedNoteError:
    return MalformedNoteError(f"签名文本格式不对：{reason_zh}。", f"malformed note: {reason_en}.")
