"""Which nodes of a tree a proof is made of, and proofs built from a function that reads nodes.

Step 3 of the data flow. A node is addressed by (level, index): it covers the leaves
[index << level, (index + 1) << level). Proof hashes cover ranges that are not always perfect
subtrees; such a range is folded from the perfect ones inside it. Spec: RFC 6962 sections 2.1.1
and 2.1.2.

Not here: checking proofs (merkle.py), finding nodes in tiles (tiles.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger_node.core.errors import NotFoundError
from ledger_node.core.merkle import fold_peaks
from ledger_node.core.types import NodeHash, RootHash

NodeAddress = tuple[int, int]  # (level, index): level 0 is a leaf hash, index counts from the left
ReadNodes = Callable[[Sequence[NodeAddress]], Sequence[bytes]]


class LeafOutOfRangeError(NotFoundError):
    """A proof was asked for a leaf or size the log does not have."""

    code = "leaf_out_of_range"


@dataclass(frozen=True, slots=True)
class LeafRange:
    """Leaves [begin, end); begin is a multiple of the smallest power of two >= end - begin."""

    begin: int
    end: int

    def list_nodes(self) -> list[NodeAddress]:
        """Perfect subtrees of the range, right to left (smallest first)."""
        nodes: list[NodeAddress] = []
        end = self.end
        while end > self.begin:
            level = _largest_step(end, end - self.begin)
            end -= 1 << level
            nodes.append((level, end >> level))
        return nodes


def _largest_step(end: int, room: int) -> int:
    """Level of the largest perfect subtree that ends at `end` and has at most `room` leaves."""
    return min((end & -end).bit_length(), room.bit_length()) - 1


def _split(count: int) -> int:
    """Largest power of two smaller than `count` (RFC 6962: k < n <= 2k); requires count > 1."""
    return 1 << (count - 1).bit_length() - 1


def list_inclusion_ranges(leaf_index: int, tree_size: int) -> list[LeafRange]:
    """Ranges of an inclusion proof, leaf level first.

    Raises:
        LeafOutOfRangeError: Unless 0 <= leaf_index < tree_size.
    """
    if not 0 <= leaf_index < tree_size:
        raise LeafOutOfRangeError(
            f"日志只有 {tree_size} 条，没有序号 {leaf_index}。",
            f"the log has {tree_size} entries, none at index {leaf_index}.",
        )
    begin, end, ranges = 0, tree_size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if leaf_index < middle:
            ranges.append(LeafRange(middle, end))
            end = middle
        else:
            ranges.append(LeafRange(begin, middle))
            begin = middle
    return ranges[::-1]


def list_consistency_ranges(old_size: int, new_size: int) -> list[LeafRange]:
    """Ranges of a consistency proof, in proof order; none for old size 0 or equal sizes.

    Raises:
        LeafOutOfRangeError: Unless 0 <= old_size <= new_size.
    """
    if not 0 <= old_size <= new_size:
        raise LeafOutOfRangeError(
            f"日志只有 {new_size} 条，不能从 {old_size} 条起证明一致。",
            f"the log has {new_size} entries, no consistency proof starts at {old_size}.",
        )
    if old_size == 0:
        return []
    begin, end, ranges = 0, new_size, []
    while end != old_size:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            ranges.append(LeafRange(middle, end))
            end = middle
        else:
            ranges.append(LeafRange(begin, middle))
            begin = middle
    if begin > 0:  # otherwise the seed is the old root, which the verifier has
        ranges.append(LeafRange(begin, end))
    return ranges[::-1]


def compute_ranges(ranges: Sequence[LeafRange], read_nodes: ReadNodes) -> tuple[NodeHash, ...]:
    """Hash of every range, reading all nodes in one call."""
    per_range = [leaf_range.list_nodes() for leaf_range in ranges]
    hashes = iter(read_nodes([address for nodes in per_range for address in nodes]))
    return tuple(NodeHash(fold_peaks([next(hashes) for _ in nodes])) for nodes in per_range)


def build_inclusion_proof_of_nodes(
    read_nodes: ReadNodes, leaf_index: int, tree_size: int
) -> tuple[NodeHash, ...]:
    """Inclusion proof from a function that reads nodes.

    Raises:
        LeafOutOfRangeError: Unless 0 <= leaf_index < tree_size.
    """
    return compute_ranges(list_inclusion_ranges(leaf_index, tree_size), read_nodes)


def build_consistency_proof_of_nodes(
    read_nodes: ReadNodes, old_size: int, new_size: int
) -> tuple[NodeHash, ...]:
    """Consistency proof from a function that reads nodes.

    Raises:
        LeafOutOfRangeError: Unless 0 <= old_size <= new_size.
    """
    return compute_ranges(list_consistency_ranges(old_size, new_size), read_nodes)


def compute_root_of_nodes(read_nodes: ReadNodes, tree_size: int) -> RootHash:
    """Root of the tree of `tree_size` leaves from a function that reads nodes."""
    return fold_peaks(list(read_nodes(LeafRange(0, tree_size).list_nodes())))
