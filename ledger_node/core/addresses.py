"""Addresses of contracts, as the EVM gives them.

Governance (deploying). Spec: Ethereum yellow paper, section 7.
"""

from __future__ import annotations

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak

from ledger_node.core.types import Address

_ADDRESS_BYTES = 20


def compute_contract_address(creator: Address, nonce: int) -> Address:
    """Address of the contract that `creator` makes with the transaction of this nonce."""
    return Address(keccak(rlp.encode([bytes(creator), nonce]))[-_ADDRESS_BYTES:])
