"""Block 0: computed from the settings, stored once, compared at every start."""

from __future__ import annotations

from eth.abc import BlockHeaderAPI
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.typing import AccountState
from eth_typing import Address

from ledger_node.localchain.errors import StoreMismatchError
from ledger_node.localchain.rules import build_chain_class
from ledger_node.localchain.settings import GenesisSettings
from ledger_node.localchain.store import BlockWrite, Store

CHAIN_ID = "chain_id"
GENESIS_HASH = "genesis_hash"


def open_genesis(store: Store, settings: GenesisSettings) -> BlockHeaderAPI:
    """Store block 0 if the store is empty, otherwise check that it is this one.

    Raises:
        StoreMismatchError: The store holds a chain of another id or genesis.
    """
    header, nodes = _compute_genesis(settings)
    wanted = {CHAIN_ID: str(settings.chain_id), GENESIS_HASH: header.hash.hex()}
    meta = store.load_meta()
    if not meta:
        store.commit_block(BlockWrite(0, header.hash, header.timestamp, nodes, (), ()), wanted)
        return header
    for name, value in wanted.items():
        if meta.get(name) != value:
            raise StoreMismatchError(f"the store has {name} {meta.get(name)}, not {value}")
    return header


def _compute_genesis(settings: GenesisSettings) -> tuple[BlockHeaderAPI, dict[bytes, bytes]]:
    """Header of block 0 and every node it needs, computed on an empty database."""
    state: AccountState = {
        Address(address): {"balance": balance, "nonce": 0, "code": b"", "storage": {}}
        for address, balance in settings.balances_wei.items()
    }
    nodes: dict[bytes, bytes] = {}
    chain = build_chain_class(settings.chain_id).from_genesis(
        AtomicDB(MemoryDB(nodes)),
        {
            "gas_limit": settings.gas_limit,
            "timestamp": settings.timestamp_s,
            "extra_data": settings.extra_data,
        },
        state,
    )
    return chain.get_canonical_head(), nodes
