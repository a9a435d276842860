"""One entry of a log with its proof, as any transparency client reads it: C2SP tlog-proof.

Step 9 of the data flow: a material of a receipt, exported. Spec: C2SP tlog-proof;
docs/spec/receipt-v1.md, "Export". Vectors: tests/vectors/tlog_proof/.

Invariants:
    * Exactly the lines of the format, one spelling for each number and hash.
    * `extra` is the 34-byte entry, or absent. It is not authenticated as such: it counts because
      its hash leads to the signed head.
Not here: cosignatures (cosignature.py): their lines are carried along inside the checkpoint.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ledger_node.core.canonical import encode_base64, parse_base64
from ledger_node.core.checkpoint import Checkpoint, verify_checkpoint
from ledger_node.core.entry import ENTRY_BYTES
from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.merkle import MAX_TREE_SIZE, hash_leaf, verify_inclusion
from ledger_node.core.placement import MAX_PROOF_HASHES
from ledger_node.core.signed_note import MAX_NOTE_BYTES, VerifierKey, parse_note
from ledger_node.core.types import HASH_BYTES, LeafIndex

HEADER = "c2sp.org/tlog-proof@v1"
MAX_TLOG_PROOF_BYTES = MAX_NOTE_BYTES + 8 * 1024
_EXTRA, _INDEX = "extra ", "index "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")


class MalformedTlogProofError(MalformedInputError):
    """The bytes are not a tlog proof of one of our entries."""

    code = "malformed_tlog_proof"


class TlogProofEntryError(VerificationError):
    """The proof is of another entry than the one expected."""

    code = "tlog_proof_entry"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as it stands in the file.

    Attributes:
        entry: 34 bytes, or None if the file has no extra line.
        leaf_index: 0-based.
        proof: Inclusion proof, 32 bytes each, leaf level first.
        checkpoint: The signed note, verbatim, with all its cosignatures.
    """

    entry: bytes | None
    leaf_index: LeafIndex
    proof: tuple[bytes, ...]
    checkpoint: bytes


def encode_tlog_proof(proof: TlogProof) -> bytes:
    """Write a proof."""
    lines = [HEADER]
    if proof.entry is not None:
        lines.append(_EXTRA + encode_base64(proof.entry))
    lines.append(f"{_INDEX}{proof.leaf_index}")
    lines += [encode_base64(each) for each in proof.proof]
    return "\n".join([*lines, "", ""]).encode() + proof.checkpoint


def parse_tlog_proof(data: bytes) -> TlogProof:
    """Read a proof without trusting it.

    Raises:
        MalformedTlogProofError: Not the lines of the format, or too long.
        MalformedNoteError, MalformedEncodingError: The checkpoint is no signed note, or a hash is
            not canonical base64.
    """
    if len(data) > MAX_TLOG_PROOF_BYTES:
        raise _malformed("过长", "too long")
    head, blank, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _malformed("不是 ASCII 文本", "not ASCII") from error
    if not blank or lines.pop(0) != HEADER:
        raise _malformed("首行或空行不对", "first line or blank line is missing")
    entry = None
    if lines and lines[0].startswith(_EXTRA):
        text = lines.pop(0).removeprefix(_EXTRA)
        entry = parse_base64(text, what="tlog proof extra", length_bytes=ENTRY_BYTES)
    leaf_index = _read_index(lines.pop(0) if lines else "")
    if len(lines) > MAX_PROOF_HASHES:
        raise _malformed("证明过长", "more hashes than any tree needs")
    parse_note(checkpoint)
    return TlogProof(entry, leaf_index, _read_hashes(lines), checkpoint)


def verify_tlog_proof(data: bytes, entry: bytes, origin: str, key: VerifierKey) -> Checkpoint:
    """Check that an entry is in a log under a head its key signed.

    Args:
        data: The file.
        entry: 34 bytes that should be in the log.
        origin: The log it must be.
        key: The city's checkpoint key.

    Returns:
        The checkpoint; whether its head was anchored is another question.

    Raises:
        MalformedTlogProofError, MalformedNoteError, MalformedEncodingError,
        MalformedCheckpointError, MalformedOriginError: Not a proof.
        TlogProofEntryError: It shows another entry.
        NoteSignatureError, OriginMismatchError: The key has not signed such a head of this log.
        MalformedProofError, RootMismatchError: The hashes do not lead to it.
    """
    proof = parse_tlog_proof(data)
    if proof.entry is not None and proof.entry != entry:
        raise TlogProofEntryError("证明的是另一个条目。", "the proof is of another entry.")
    checkpoint = verify_checkpoint(proof.checkpoint, origin, key)
    verify_inclusion(hash_leaf(entry), proof.leaf_index, proof.proof, checkpoint.tree_head)
    return checkpoint


def _read_index(line: str) -> LeafIndex:
    text = line.removeprefix(_INDEX)
    if not line.startswith(_INDEX) or _DECIMAL.fullmatch(text) is None:
        raise _malformed("序号行不对", "the index line is malformed")
    if int(text) >= MAX_TREE_SIZE:
        raise _malformed("序号过大", "the index is no uint64")
    return LeafIndex(int(text))


def _read_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    what = "tlog proof hash"
    return tuple(parse_base64(line, what=what, length_bytes=HASH_BYTES) for line in lines)


def _malformed(reason_zh: str, reason_en: str) -> MalformedTlogProofError:
    return MalformedTlogProofError(
        f"日志证明格式不对：{reason_zh}。", f"malformed tlog proof: {reason_en}."
    )
