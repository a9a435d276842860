"""Merkle-Patricia proofs of accounts and storage slots (EIP-1186)."""

from __future__ import annotations

from dataclasses import dataclass

import rlp  # type: ignore[import-untyped]
from eth.abc import BlockHeaderAPI
from eth.rlp.accounts import Account
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.overlay import OverlayDB


@dataclass(frozen=True, slots=True)
class StorageProof:
    """One slot: position, value (zero if absent), nodes from the storage root down."""

    slot: int
    value: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """One account (empty if absent), nodes from the state root down, and its slots."""

    account: Account
    nodes: tuple[bytes, ...]
    storage: tuple[StorageProof, ...]


def build_proof(
    chain: LocalChain, header: BlockHeaderAPI, address: bytes, slots: list[int]
) -> AccountProof:
    """Prove an account and some of its slots under the state root of `header`."""
    overlay = OverlayDB(chain.store)
    state_trie = HexaryTrie(overlay, header.state_root)
    key = keccak(address)
    encoded = state_trie[key]
    account = rlp.decode(encoded, Account) if encoded else Account()
    storage_trie = HexaryTrie(overlay, account.storage_root)
    return AccountProof(
        account,
        _nodes(state_trie, key),
        tuple(_prove_slot(storage_trie, slot) for slot in slots),
    )


def _prove_slot(storage_trie: HexaryTrie, slot: int) -> StorageProof:
    key = keccak(slot.to_bytes(32, "big"))
    encoded = storage_trie[key]
    value = rlp.decode(encoded, rlp.sedes.big_endian_int) if encoded else 0
    return StorageProof(slot, value, _nodes(storage_trie, key))


def _nodes(found: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """Nodes from the root down; keys are hashes, so none is short enough to stand in its parent."""
    path = found.get_proof(key)  # type: ignore[no-untyped-call]
    return tuple(rlp.encode(node) for node in path)
