"""Merkle tree over log entries: root, inclusion and consistency proofs.

Step 3 of the data flow (entries -> tree head). Pure.
Spec: RFC 6962 section 2.1, RFC 9162 sections 2.1.3 and 2.1.4, SHA-256; docs/spec/log.md.
Vectors: tests/vectors/merkle/.

Invariants:
    * A leaf hash never equals a node hash (prefixes 0x00 and 0x01).
    * Left and right are never swapped or sorted: position is part of the proof.
    * A proof has exactly as many hashes as (index, size) or (old size, new size) say.
Not here: which nodes a proof is built from (proof_nodes.py), where they are kept (tiles.py),
signing heads (checkpoint.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger_node.core.errors import MalformedInputError, VerificationError
from ledger_node.core.types import HASH_BYTES, LeafHash, LeafIndex, NodeHash, RootHash, TreeSize

MAX_TREE_SIZE = 2**64 - 1  # sizes are uint64 on chain
EMPTY_ROOT = RootHash(hashlib.sha256(b"").digest())


class MalformedProofError(MalformedInputError):
    """A proof has the wrong number or length of hashes, or index and sizes are out of range."""

    code = "malformed_proof"


class MalformedTreeHeadError(MalformedInputError):
    """A tree head whose size is no uint64 or whose root is not 32 bytes."""

    code = "malformed_tree_head"


class RootMismatchError(VerificationError):
    """The root computed from a proof is not the one expected.

    Fields: tree_size, expected, computed.
    """

    code = "root_mismatch"

    def __init__(self, tree_size: int, expected: bytes, computed: bytes) -> None:
        super().__init__(
            "证明推算出的根与日志头的根不符，证明不成立。",
            f"the proof leads to root {computed.hex()}, the head of size {tree_size} "
            f"has {expected.hex()}.",
            tree_size=tree_size,
            expected=expected,
            computed=computed,
        )
        self.tree_size = tree_size
        self.expected = expected
        self.computed = computed


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Size in leaves and root hash of a tree.

    Raises:
        MalformedTreeHeadError: On construction, if the size is no uint64 or the root not 32 bytes.
    """

    size: TreeSize
    root: RootHash

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_TREE_SIZE or len(self.root) != HASH_BYTES:
            raise MalformedTreeHeadError(
                "日志头格式不对：大小须为 64 位无符号整数，根须为 32 字节。",
                "a tree head has a uint64 size and a root of 32 bytes.",
            )


EMPTY_TREE_HEAD = TreeHead(TreeSize(0), EMPTY_ROOT)


def hash_leaf(entry: bytes) -> LeafHash:
    """SHA-256(0x00 || entry)."""
    return LeafHash(hashlib.sha256(b"\x00" + entry).digest())


def hash_leaves(entries: Iterable[bytes]) -> bytes:
    """Leaf hashes of many entries, one after the other, 32 bytes each."""
    sha256 = hashlib.sha256
    return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])


def hash_children(left: bytes, right: bytes) -> NodeHash:
    """SHA-256(0x01 || left || right)."""
    return NodeHash(hashlib.sha256(b"\x01" + left + right).digest())


def hash_pairs(nodes: bytes) -> bytes:
    """Parents of neighbouring nodes: 64 bytes in, 32 bytes out; length a multiple of 64."""
    sha256 = hashlib.sha256
    return b"".join(
        [sha256(b"\x01" + nodes[at : at + 64]).digest() for at in range(0, len(nodes), 64)]
    )


def _malformed(reason_zh: str, reason_en: str) -> MalformedProofError:
    return MalformedProofError(f"证明格式不对：{reason_zh}。", f"malformed proof: {reason_en}.")


def _demand_hashes(proof: Sequence[bytes], count: int) -> None:
    if len(proof) != count:
        raise _malformed(
            f"应有 {count} 个哈希，实有 {len(proof)} 个",
            f"{count} hashes wanted, {len(proof)} found",
        )
    if any(len(item) != HASH_BYTES for item in proof):
        raise _malformed("每个哈希须为 32 字节", "every hash has 32 bytes")


def compute_inclusion_proof_length(leaf_index: int, tree_size: int) -> int:
    """Number of hashes in the inclusion proof; requires 0 <= leaf_index < tree_size."""
    inner = (leaf_index ^ (tree_size - 1)).bit_length()
    return inner + (leaf_index >> inner).bit_count()


def compute_consistency_proof_length(old_size: int, new_size: int) -> int:
    """Number of hashes in the consistency proof; requires 0 <= old_size <= new_size."""
    if old_size in (0, new_size):
        return 0
    shift = _trailing_zeros(old_size)
    seed = 0 if old_size == 1 << shift else 1
    index, last = (old_size - 1) >> shift, (new_size - 1) >> shift
    return seed + compute_inclusion_proof_length(index, last + 1)


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def compute_root_of_inclusion(
    leaf_hash: LeafHash, leaf_index: LeafIndex, tree_size: TreeSize, proof: Sequence[bytes]
) -> RootHash:
    """Root that an inclusion proof leads to.

    Args:
        leaf_hash: Hash of the entry, 32 bytes.
        leaf_index: 0-based position; requires 0 <= leaf_index < tree_size.
        tree_size: Number of leaves, at most 2**64 - 1.
        proof: Sibling hashes, leaf level first, 32 bytes each.

    Raises:
        MalformedProofError: Wrong number or length of hashes, or index or size out of range.
    """
    if not 0 <= leaf_index < tree_size <= MAX_TREE_SIZE:
        raise _malformed("序号不在树内", f"index {leaf_index} is not in a tree of size {tree_size}")
    if len(leaf_hash) != HASH_BYTES:
        raise _malformed("叶哈希须为 32 字节", "a leaf hash has 32 bytes")
    _demand_hashes(proof, compute_inclusion_proof_length(leaf_index, tree_size))
    inner = (leaf_index ^ (tree_size - 1)).bit_length()
    node: bytes = leaf_hash
    for level, sibling in enumerate(proof):
        if level >= inner or leaf_index >> level & 1:
            node = hash_children(sibling, node)
        else:
            node = hash_children(node, sibling)
    return RootHash(node)


def verify_inclusion(
    leaf_hash: LeafHash, leaf_index: LeafIndex, proof: Sequence[bytes], tree_head: TreeHead
) -> None:
    """Check that a leaf is at `leaf_index` of the tree with head `tree_head`.

    Spec: RFC 9162 section 2.1.3.2.

    Args:
        leaf_hash: Hash of the entry, 32 bytes.
        leaf_index: 0-based position; requires 0 <= leaf_index < tree_head.size.
        proof: Sibling hashes, leaf level first, 32 bytes each.
        tree_head: Size in leaves and root hash; the caller has already trusted it.

    Raises:
        MalformedProofError: Wrong number or length of hashes, or index out of range.
        RootMismatchError: The computed root differs; carries both roots.
    """
    root = compute_root_of_inclusion(leaf_hash, leaf_index, tree_head.size, proof)
    if root != tree_head.root:
        raise RootMismatchError(tree_head.size, tree_head.root, root)


def verify_consistency(old_head: TreeHead, new_head: TreeHead, proof: Sequence[bytes]) -> None:
    """Check that the tree of `new_head` begins with the tree of `old_head`.

    Spec: RFC 9162 section 2.1.4.2. Old size 0 and equal sizes want an empty proof; for a power of
    two the old root itself is the seed. (The contract refuses equal sizes; here equal heads are
    consistent.)

    Args:
        old_head: The smaller head, already trusted.
        new_head: The larger head.
        proof: Hashes of 32 bytes, in the order of RFC 9162.

    Raises:
        MalformedProofError: New size below old, or wrong number or length of hashes.
        RootMismatchError: The proof leads to another old or new root; carries both.
    """
    old_size, new_size = old_head.size, new_head.size
    if new_size < old_size:
        raise _malformed("新日志头比旧的小", f"new size {new_size} is below old size {old_size}")
    _demand_hashes(proof, compute_consistency_proof_length(old_size, new_size))
    if old_size == 0 and old_head.root != EMPTY_ROOT:
        raise RootMismatchError(0, old_head.root, EMPTY_ROOT)
    if old_size == new_size and new_head.root != old_head.root:
        raise RootMismatchError(new_size, old_head.root, new_head.root)
    if old_size in (0, new_size):
        return
    old_root, new_root = _compute_roots_of_consistency(old_head, new_size, proof)
    if old_root != old_head.root:
        raise RootMismatchError(old_size, old_head.root, old_root)
    if new_root != new_head.root:
        raise RootMismatchError(new_size, new_head.root, new_root)


def _compute_roots_of_consistency(
    old_head: TreeHead, new_size: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Old and new root a proof of the right length leads to; requires 0 < old size < new size."""
    shift = _trailing_zeros(old_head.size)
    index, last = (old_head.size - 1) >> shift, (new_size - 1) >> shift
    hashes = list(proof)
    seed: bytes = old_head.root if index == 0 else hashes.pop(0)
    inner = (index ^ last).bit_length()
    old_root = new_root = seed
    for level, sibling in enumerate(hashes):
        if level >= inner or index >> level & 1:
            old_root = hash_children(sibling, old_root)
            new_root = hash_children(sibling, new_root)
        else:
            new_root = hash_children(new_root, sibling)
    return old_root, new_root


@dataclass(frozen=True, slots=True)
class CompactRange:
    """The right edge of a tree: enough to append leaves and to compute the root.

    Attributes:
        size: Number of leaves.
        peaks: Roots of the perfect subtrees, one per set bit of `size`, smallest subtree first.
    """

    size: TreeSize
    peaks: tuple[bytes, ...]

    def append(self, leaf_hashes: bytes) -> CompactRange:
        """The range after appending leaf hashes (32 bytes each, one after the other).

        Works level by level on byte strings: about one SHA-256 per leaf and no object per node.
        """
        peaks, kept = list(self.peaks), []
        size, nodes = int(self.size), leaf_hashes
        while nodes:
            if size & 1:
                nodes = peaks.pop(0) + nodes
            size >>= 1
            if len(nodes) // HASH_BYTES & 1:
                kept.append(nodes[-HASH_BYTES:])
                nodes = nodes[:-HASH_BYTES]
            nodes = hash_pairs(nodes)
        return CompactRange(TreeSize(self.size + len(leaf_hashes) // HASH_BYTES), (*kept, *peaks))

    def compute_root(self) -> RootHash:
        """Root of the whole tree; `EMPTY_ROOT` for size 0."""
        return fold_peaks(self.peaks)

    def compute_head(self) -> TreeHead:
        """Size and root together."""
        return TreeHead(self.size, self.compute_root())


EMPTY_RANGE = CompactRange(TreeSize(0), ())


def fold_peaks(peaks: Sequence[bytes]) -> RootHash:
    """Root of neighbouring perfect subtrees, given from right to left (smallest first)."""
    if not peaks:
        return EMPTY_ROOT
    node = peaks[0]
    for left in peaks[1:]:
        node = hash_children(left, node)
    return RootHash(node)


def compute_root(leaf_hashes: bytes) -> RootHash:
    """Root of the tree over leaf hashes given one after the other, 32 bytes each."""
    return EMPTY_RANGE.append(leaf_hashes).compute_root()
