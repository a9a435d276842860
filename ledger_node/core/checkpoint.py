"""Checkpoints: a city's tree head as signed text, and the origin that names its log.

Step 3 of the data flow (tree head -> checkpoint). Spec: C2SP tlog-checkpoint; docs/spec/log.md.
The text has three lines: origin, size in decimal, root in base64. Vectors:
tests/vectors/checkpoint/.

Invariants:
    * The origin is `<consortium domain>/<six-digit division code>/<generation>`; it is also the
      name of the key that signs.
    * Extension lines are refused: nothing unread is ever signed or trusted.
Not here: whether a head is anchored. A signed checkpoint alone is pending.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger_node.core.canonical import encode_base64, parse_base64
from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.merkle import EMPTY_ROOT, MAX_TREE_SIZE, TreeHead
from ledger_node.core.signed_note import VerifierKey, verify_note
from ledger_node.core.types import HASH_BYTES, CityId, RootHash, TreeSize

MAX_GENERATION = 2**32 - 1

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_CITY = re.compile(r"[0-9]{6}")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")


class MalformedOriginError(MalformedInputError):
    """The text is not the origin of a city's log."""

    code = "malformed_origin"


class MalformedCheckpointError(MalformedInputError):
    """The text is not a checkpoint of three lines."""

    code = "malformed_checkpoint"


class OriginMismatchError(VerificationError):
    """The checkpoint belongs to another log.

    Fields: expected, found.
    """

    code = "origin_mismatch"


@dataclass(frozen=True, slots=True)
class LogOrigin:
    """Parts of an origin.

    Attributes:
        domain: The consortium's domain, lower case, for example `tongban.example`.
        city: Six-digit division code.
        generation: Counts from 0; a vote closes one and opens the next.
    """

    domain: str
    city: CityId
    generation: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head of one log.

    Attributes:
        origin: Names the log.
        tree_head: Size and root.
    """

    origin: str
    tree_head: TreeHead


def build_origin(domain: str, city: CityId, generation: int) -> str:
    """Origin of a city's log.

    Raises:
        MalformedOriginError: Not a lower-case domain of two labels or more, not six digits, or a
            generation that is no uint32.
    """
    if len(domain) > 253 or _DOMAIN.fullmatch(domain) is None:
        raise _bad_origin(domain)
    if _CITY.fullmatch(city) is None or not 0 <= generation <= MAX_GENERATION:
        raise _bad_origin(f"{city}/{generation}")
    return f"{domain}/{city}/{generation}"


def parse_origin(text: str) -> LogOrigin:
    """Read an origin; exactly what `build_origin` writes.

    Raises:
        MalformedOriginError: Anything else.
    """
    parts = text.split("/")
    if len(parts) != 3 or _DECIMAL.fullmatch(parts[2]) is None:
        raise _bad_origin(text)
    origin = LogOrigin(parts[0], CityId(parts[1]), int(parts[2]))
    build_origin(origin.domain, origin.city, origin.generation)
    return origin


def _bad_origin(text: str) -> MalformedOriginError:
    return MalformedOriginError(
        "日志来源须写作 <联盟域名>/<六位区划码>/<代次>。",
        f"a log origin is <consortium domain>/<six digits>/<generation>, not {text[:80]!r}.",
    )


def encode_checkpoint(checkpoint: Checkpoint) -> str:
    """Text to sign, three lines each with a line break.

    Raises:
        MalformedOriginError: The origin is not well formed.
    """
    parse_origin(checkpoint.origin)
    head = checkpoint.tree_head
    return f"{checkpoint.origin}\n{head.size}\n{encode_base64(head.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint.

    Raises:
        MalformedCheckpointError: Not three lines, a size that is no uint64, or size 0 with
            another root than that of the empty tree.
        MalformedOriginError: The first line is no origin.
        MalformedEncodingError: The root is not 32 bytes in canonical base64.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise _malformed("须恰为三行", "exactly three lines are expected")
    origin, size, root = lines[:3]
    parse_origin(origin)
    if _DECIMAL.fullmatch(size) is None or int(size) > MAX_TREE_SIZE:
        raise _malformed("大小不是 64 位无符号整数", "the size is no uint64")
    root_hash = RootHash(parse_base64(root, what="root hash", length_bytes=HASH_BYTES))
    if size == "0" and root_hash != EMPTY_ROOT:
        raise _malformed("空日志的根不对", "size 0 with another root than the empty tree's")
    return Checkpoint(origin, TreeHead(TreeSize(int(size)), root_hash))


def verify_checkpoint(note: bytes, origin: str, key: VerifierKey) -> Checkpoint:
    """Check a signed checkpoint.

    Args:
        note: The note as served.
        origin: The log it must belong to.
        key: The city's checkpoint key.

    Returns:
        The checkpoint the key has signed.

    Raises:
        MalformedNoteError, MalformedCheckpointError, MalformedOriginError,
        MalformedEncodingError: The bytes are not a signed checkpoint.
        NoteSignatureError: The key has not signed it.
        OriginMismatchError: It belongs to another log.
    """
    checkpoint = parse_checkpoint(verify_note(note, [key]).text)
    if checkpoint.origin != origin:
        raise OriginMismatchError(
            f"日志头属于 {checkpoint.origin}，不是 {origin}。",
            f"the checkpoint belongs to {checkpoint.origin}, not to {origin}.",
            expected=origin,
            found=checkpoint.origin,
        )
    return checkpoint


def _malformed(reason_zh: str, reason_en: str) -> MalformedCheckpointError:
    return MalformedCheckpointError(
        f"日志头格式不对：{reason_zh}。", f"malformed checkpoint: {reason_en}."
    )
