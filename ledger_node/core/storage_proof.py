"""What a contract held after a block: account and storage proofs against a state root.

Step 9 of the data flow (no node at hand). Spec: EIP-1186 (`eth_getProof`), Ethereum yellow paper,
section 4.1; docs/spec/receipt-v1.md, "State". Vectors: tests/vectors/qbft/ (recorded proofs).

Invariants:
    * A slot that is proven absent holds zero; a slot without a proof holds nothing anybody knows.
Not here: which slot holds what (storage_layout.py), whose state root it is (qbft.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from ledger_node.core.rlp_items import (
    decode_rlp,
    demand_bytes,
    demand_items,
    demand_scalar,
    refuse_rlp,
)
from ledger_node.core.trie_proof import verify_trie_proof
from ledger_node.core.types import HASH_BYTES, Address

_WORD_MAX = 2**256 - 1


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account after a block.

    Attributes:
        storage_root: Of its storage trie, 32 bytes.
        code_hash: keccak-256 of its runtime code, 32 bytes.
    """

    storage_root: bytes
    code_hash: bytes


def verify_account(
    state_root: bytes, address: Address, nodes: Sequence[bytes]
) -> AccountState | None:
    """State of an account; None if there is proven to be none.

    Args:
        state_root: Of a block, 32 bytes.
        address: The account.
        nodes: `accountProof` of `eth_getProof`.

    Raises:
        TrieProofError: The nodes do not lead from the root along the address.
        MalformedRlpError: A node or the account is not readable.
    """
    value = verify_trie_proof(state_root, keccak(address), nodes)
    if value is None:
        return None
    what = "account"
    items = demand_items(decode_rlp(value, what=what), what=what)
    if len(items) != 4:
        raise refuse_rlp(what, "应有四项", "should have four items")
    for counter in items[:2]:
        demand_scalar(counter, what=what, maximum=_WORD_MAX)
    return AccountState(
        demand_bytes(items[2], what=what, length_bytes=HASH_BYTES),
        demand_bytes(items[3], what=what, length_bytes=HASH_BYTES),
    )


def verify_slot(storage_root: bytes, slot: bytes, nodes: Sequence[bytes]) -> int:
    """Word a storage slot holds; 0 if it is proven absent.

    Args:
        storage_root: Of an account, 32 bytes.
        slot: 32 bytes.
        nodes: `proof` of one item of `storageProof`.

    Raises:
        TrieProofError: The nodes do not lead from the root along the slot.
        MalformedRlpError: A node or the value is not readable.
    """
    value = verify_trie_proof(storage_root, keccak(slot), nodes)
    if value is None:
        return 0
    what = "storage value"
    word = demand_scalar(decode_rlp(value, what=what), what=what, maximum=_WORD_MAX)
    if not word:
        raise refuse_rlp(what, "零不应存放", "is a zero, which is never stored")
    return word
