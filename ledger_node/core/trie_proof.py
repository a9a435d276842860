"""Walking down a Merkle Patricia trie from its root, over exactly the nodes a proof carries.

Step 9 of the data flow (no node at hand). Spec: Ethereum yellow paper, appendix D;
docs/spec/receipt-v1.md, "Trie proofs". Vectors: tests/vectors/qbft/ (recorded proofs). The tests
compare with the trie library of py-evm.

Invariants:
    * Every node is bound by the hash its parent holds, the first by the root.
    * A proof has exactly the nodes of the path, in order: none missing, none left over. So nothing
      in it can be changed, and absence is proven as strictly as presence.
Not here: what keys and values mean (storage_proof.py, log_proof.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from ledger_node.core.errors import VerificationError
from ledger_node.core.rlp_items import RlpItem, decode_rlp
from ledger_node.core.types import HASH_BYTES

EMPTY_TRIE_ROOT = keccak(b"\x80")
MAX_NODES = 65  # one per nibble of a hashed key, and the leaf
_BRANCH_ITEMS, _SHORT_ITEMS = 17, 2
_ODD, _LEAF = 1, 2
_WHAT = "trie node"


class TrieProofError(VerificationError):
    """The nodes do not lead from the root along the key.

    Fields: reason.
    """

    code = "trie_proof_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "状态树证明不成立。", f"the trie proof does not hold: {reason}.", reason=reason
        )


@dataclass(slots=True)
class _Path:
    """What is left of the key, in nibbles, and of the proof."""

    nibbles: tuple[int, ...]
    nodes: list[bytes]

    def take(self, expected_hash: bytes) -> RlpItem:
        """The next node of the proof, which must have this hash."""
        if not self.nodes:
            raise TrieProofError("a node is missing")
        node = self.nodes.pop(0)
        if keccak(node) != expected_hash:
            raise TrieProofError("a node is not the one its parent names")
        return decode_rlp(node, what=_WHAT)


def verify_trie_proof(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """Value under `key` in the trie with this root; None if it is proven absent.

    Args:
        root: 32 bytes.
        key: As the trie has it (already hashed, for state and storage).
        nodes: RLP of the nodes from the root on; none for an empty trie.

    Raises:
        TrieProofError: A node is missing, another's, left over, or has no such form.
        MalformedRlpError: A node is not RLP.
    """
    if not nodes and root == EMPTY_TRIE_ROOT:
        return None
    nibbles = tuple(nibble for byte in key for nibble in divmod(byte, 16))
    path = _Path(nibbles, list(nodes))
    value = _descend(path.take(root), path)
    if path.nodes:
        raise TrieProofError("nodes are left over")
    return value


def _descend(node: RlpItem, path: _Path) -> bytes | None:
    for _ in range(MAX_NODES):
        if isinstance(node, bytes):
            if node:
                raise TrieProofError("a node is neither branch, extension nor leaf")
            return None  # an empty slot
        if len(node) == _BRANCH_ITEMS:
            if not path.nibbles:
                return _read_value(node[-1])
            child = node[path.nibbles[0]]
            path.nibbles = path.nibbles[1:]
        elif len(node) == _SHORT_ITEMS:
            leaf, part = _read_part(node[0])
            if path.nibbles[: len(part)] != part or (leaf and path.nibbles != part):
                return None  # the key parts from this node's path: it is not in the trie
            path.nibbles = path.nibbles[len(part) :]
            child = node[1]
            if leaf:
                return _read_value(child, empty=False)
            if child == b"":
                raise TrieProofError("an extension leads nowhere")
        else:
            raise TrieProofError("a node has another number of items")
        # A child shorter than a hash stands in its parent itself.
        node = path.take(child) if isinstance(child, bytes) and _is_hash(child) else child
    raise TrieProofError("the path is longer than any key")


def _is_hash(child: bytes) -> bool:
    return len(child) == HASH_BYTES


def _read_value(item: RlpItem, *, empty: bool = True) -> bytes | None:
    if not isinstance(item, bytes) or not (item or empty):
        raise TrieProofError("a value is not bytes")
    return item or None


def _read_part(item: RlpItem) -> tuple[bool, tuple[int, ...]]:
    """Whether a short node is a leaf, and its nibbles (hex-prefix encoding)."""
    if not isinstance(item, bytes) or not item:
        raise TrieProofError("a node has no path")
    nibbles = tuple(nibble for byte in item for nibble in divmod(byte, 16))
    flags = nibbles[0]
    if flags > (_ODD | _LEAF) or (not flags & _ODD and nibbles[1]):
        raise TrieProofError("a node's path is misspelt")
    part = nibbles[1:] if flags & _ODD else nibbles[2:]
    if not part and not flags & _LEAF:
        raise TrieProofError("an extension has no path")
    return bool(flags & _LEAF), part
