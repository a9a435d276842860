"""A chain whose blocks wear QBFT headers that four test keys sealed, over one that has no seals.

Every block above a height gets mix hash, validators and seals, names the rewritten parent, and so
has another hash; roots, logs and state are those of the chain below. What flows follow and prove is
therefore a sealed chain that holds the product's own contracts.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import rlp

from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash
from ledger_node.ports.chain import BlockRef, RawLog, TxOutcome
from tests.reference.blocks import SET, block_hash, reseal

VALIDATORS = tuple(sorted(Address(each) for each in SET))


class ResealedChain:
    """`ports.chain.Chain`; blocks up to `below` are left as they are."""

    def __init__(self, chain: Any, below: BlockRef) -> None:
        self._chain, self._below = chain, below
        self._headers: list[list[bytes]] = []
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def fetch_header(self, number: BlockNumber) -> bytes:
        if number <= self._below.number:
            return bytes(self._chain.fetch_header(number))
        encoded: bytes = rlp.encode(self._fields(number))
        return encoded

    def fetch_head(self) -> BlockRef:
        return self._dress(self._chain.fetch_head())

    def fetch_blocks(self, numbers: Sequence[BlockNumber]) -> list[BlockRef | None]:
        found = self._chain.fetch_blocks(numbers)
        return [None if each is None else self._dress(each) for each in found]

    def fetch_logs(
        self, first: BlockNumber, last: BlockNumber, addresses: Sequence[Address]
    ) -> list[RawLog]:
        logs = self._chain.fetch_logs(first, last, addresses)
        return [
            replace(log, block_hash=self._hash(log.block_number, log.block_hash)) for log in logs
        ]

    def fetch_outcomes(self, tx_hashes: Sequence[TxHash]) -> list[TxOutcome | None]:
        found = self._chain.fetch_outcomes(tx_hashes)
        return [
            None
            if each is None
            else replace(each, block_hash=self._hash(each.block_number, each.block_hash))
            for each in found
        ]

    def _dress(self, block: BlockRef) -> BlockRef:
        if block.number <= self._below.number:
            return block
        fields = self._fields(block.number)
        return replace(
            block,
            hash=BlockHash(block_hash(fields)),
            parent_hash=BlockHash(fields[0]),
            validators=VALIDATORS,
        )

    def _hash(self, number: BlockNumber, real: BlockHash) -> BlockHash:
        if number <= self._below.number:
            return real
        return BlockHash(block_hash(self._fields(number)))

    def _fields(self, number: BlockNumber) -> list[bytes]:
        with self._lock:
            while len(self._headers) < number - self._below.number:
                at = BlockNumber(self._below.number + len(self._headers) + 1)
                fields = rlp.decode(self._chain.fetch_header(at))
                parent = block_hash(self._headers[-1]) if self._headers else self._below.hash
                self._headers.append(reseal([parent, *fields[1:]], further=fields[15:]))
            return self._headers[number - self._below.number - 1]
