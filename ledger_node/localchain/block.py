"""Making one block from waiting transactions. Writes into an overlay only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eth.abc import BlockHeaderAPI, ReceiptAPI
from eth.chains.base import MiningChain
from eth_utils.exceptions import ValidationError

from ledger_node.localchain.overlay import OverlayDB
from ledger_node.localchain.store import BlockWrite, LogRow
from ledger_node.localchain.transaction import PoolTransaction


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A block and what became of the transactions offered to it.

    Attributes:
        header: Final header.
        taken: Transactions in it, in order, with their receipts.
        refused: Transactions that can no longer be executed (for example for want of balance).
        write: Everything the store must commit.
    """

    header: BlockHeaderAPI
    taken: tuple[tuple[PoolTransaction, ReceiptAPI], ...]
    refused: tuple[PoolTransaction, ...]
    write: BlockWrite


def build_block(
    chain_class: type[MiningChain],
    overlay: OverlayDB,
    timestamp_s: int,
    offered: Iterable[PoolTransaction],
) -> SealedBlock:
    """Execute what fits under the gas limit on top of the head and seal the block."""
    chain = chain_class(overlay)
    header = chain.create_header_from_parent(chain.get_canonical_head(), timestamp=timestamp_s)
    vm = chain.get_vm(header)
    taken: list[tuple[PoolTransaction, ReceiptAPI]] = []
    refused: list[PoolTransaction] = []
    left_out: set[bytes] = set()
    for tx in offered:
        if tx.sender in left_out:
            continue
        if header.gas_used + tx.signed.gas > header.gas_limit:
            left_out.add(tx.sender)
            continue
        try:
            receipt, _ = vm.apply_transaction(header, tx.signed)
        except ValidationError:
            refused.append(tx)
            left_out.add(tx.sender)
            continue
        header = vm.add_receipt_to_header(header, receipt)
        taken.append((tx, receipt))
    filled = vm.set_block_transactions_and_withdrawals(
        vm.get_block(), header, [tx.signed for tx, _ in taken], [receipt for _, receipt in taken]
    )
    block = vm.mine_block(filled).block
    chain.persist_block(block)
    settled = [tx.hash for tx, _ in taken] + [tx.hash for tx in refused]
    write = BlockWrite(
        block.number,
        block.hash,
        block.header.timestamp,
        overlay.changes,
        _collect_logs(block.number, taken),
        settled,
    )
    return SealedBlock(block.header, tuple(taken), tuple(refused), write)


def _collect_logs(
    block_number: int, taken: Iterable[tuple[PoolTransaction, ReceiptAPI]]
) -> list[LogRow]:
    rows: list[LogRow] = []
    for tx_index, (tx, receipt) in enumerate(taken):
        for log in receipt.logs:
            topics = tuple(topic.to_bytes(32, "big") for topic in log.topics)
            rows.append(
                LogRow(block_number, len(rows), tx_index, tx.hash, log.address, topics, log.data)
            )
    return rows
