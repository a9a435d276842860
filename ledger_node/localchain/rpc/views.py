"""Stored blocks as JSON-RPC objects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import rlp  # type: ignore[import-untyped]
from eth.abc import BlockHeaderAPI, LogAPI, ReceiptAPI, SignedTransactionAPI
from eth.exceptions import TransactionNotFound
from eth.vm.forks.paris.transactions import ParisTransactionBuilder
from eth_hash.auto import keccak
from eth_typing import Hash32

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.rpc.params import find_header
from ledger_node.localchain.rules import FreeGasVM
from ledger_node.localchain.store import LogRow
from ledger_node.localchain.transaction import PoolTransaction

CACHED_BLOCKS = 256
DYNAMIC_FEE_TYPE = 2
_EIP155_BASE = 35


def to_hex(value: bytes) -> str:
    """Data: two digits per byte."""
    return "0x" + value.hex()


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block read back and ready to be shown; lists run in block order."""

    header: BlockHeaderAPI
    transactions: tuple[SignedTransactionAPI, ...]
    receipts: tuple[ReceiptAPI, ...]
    first_log_index: tuple[int, ...]

    def gas_used(self, index: int) -> int:
        """Gas of one transaction; receipts hold running totals."""
        before = self.receipts[index - 1].gas_used if index else 0
        return self.receipts[index].gas_used - before


class BlockViews:
    """Reads blocks through a small cache."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain
        self._cached = lru_cache(maxsize=CACHED_BLOCKS)(self._read)

    def view(self, header: BlockHeaderAPI) -> BlockView:
        """The block of a stored header."""
        return self._cached(header.hash)

    def _read(self, block_hash: bytes) -> BlockView:
        chaindb = self._chain.chaindb()
        header = chaindb.get_block_header_by_hash(Hash32(block_hash))
        receipts = tuple(chaindb.get_receipts(header, FreeGasVM.get_receipt_builder()))
        return BlockView(
            header,
            tuple(chaindb.get_block_transactions(header, ParisTransactionBuilder)),
            receipts,
            tuple(accumulate((len(receipt.logs) for receipt in receipts), initial=0)),
        )

    def find_transaction(self, tx_hash: bytes) -> tuple[BlockView, int] | None:
        """Block and index of a mined transaction."""
        try:
            number, index = self._chain.chaindb().get_transaction_index(Hash32(tx_hash))
        except TransactionNotFound:
            return None
        header = find_header(self._chain, hex(number))
        return (self.view(header), index) if header else None


def show_block(view: BlockView, full: bool) -> dict[str, object]:
    """Block object; `full` lists transactions, otherwise their hashes."""
    header = view.header
    return {
        "number": hex(header.block_number),
        "hash": to_hex(header.hash),
        "parentHash": to_hex(header.parent_hash),
        "sha3Uncles": to_hex(header.uncles_hash),
        "miner": to_hex(header.coinbase),
        "stateRoot": to_hex(header.state_root),
        "transactionsRoot": to_hex(header.transaction_root),
        "receiptsRoot": to_hex(header.receipt_root),
        "logsBloom": to_hex(header.bloom.to_bytes(256, "big")),
        "difficulty": hex(header.difficulty),
        "totalDifficulty": "0x0",
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": to_hex(header.extra_data),
        "mixHash": to_hex(header.mix_hash),
        "nonce": to_hex(header.nonce),
        "baseFeePerGas": hex(header.base_fee_per_gas or 0),
        "size": hex(_encoded_bytes(view)),
        "uncles": [],
        "transactions": [
            show_transaction(view, index) if full else to_hex(tx.hash)
            for index, tx in enumerate(view.transactions)
        ],
    }


def _encoded_bytes(view: BlockView) -> int:
    """Size of the block as RLP: header, transactions (typed ones as strings), no uncles."""
    body = [
        tx.encode() if tx.type_id else rlp.infer_sedes(tx).serialize(tx) for tx in view.transactions
    ]
    header = rlp.infer_sedes(view.header).serialize(view.header)
    return len(rlp.encode([header, body, []]))


def show_transaction(view: BlockView, index: int) -> dict[str, object]:
    """Object of a mined transaction."""
    place: dict[str, object] = {
        "blockHash": to_hex(view.header.hash),
        "blockNumber": hex(view.header.block_number),
        "transactionIndex": hex(index),
    }
    tx = view.transactions[index]
    return _show_signed(tx, tx.sender) | place


def show_pending(tx: PoolTransaction) -> dict[str, object]:
    """Object of a transaction that waits: without a place."""
    place: dict[str, object] = {"blockHash": None, "blockNumber": None, "transactionIndex": None}
    return _show_signed(tx.signed, tx.sender) | place


def _show_signed(tx: SignedTransactionAPI, sender: bytes) -> dict[str, object]:
    type_id = tx.type_id or 0
    parity = hex(tx.y_parity)
    shown: dict[str, object] = {
        "hash": to_hex(tx.hash),
        "type": hex(type_id),
        "from": to_hex(sender),
        "to": to_hex(tx.to) if tx.to else None,
        "nonce": hex(tx.nonce),
        "gas": hex(tx.gas),
        "value": hex(tx.value),
        "input": to_hex(tx.data),
        "chainId": hex(tx.chain_id or 0),
        "r": hex(tx.r),
        "s": hex(tx.s),
        "v": parity if type_id else hex(tx.y_parity + 2 * (tx.chain_id or 0) + _EIP155_BASE),
    }
    if type_id:
        shown["yParity"] = parity
        shown["accessList"] = [
            {"address": to_hex(address), "storageKeys": [f"0x{slot:064x}" for slot in slots]}
            for address, slots in tx.access_list
        ]
    if type_id == DYNAMIC_FEE_TYPE:
        shown["maxFeePerGas"] = hex(tx.max_fee_per_gas)
        shown["maxPriorityFeePerGas"] = hex(tx.max_priority_fee_per_gas)
    shown["gasPrice"] = hex(_effective_gas_price(tx))
    return shown


def _effective_gas_price(tx: SignedTransactionAPI) -> int:
    return min(tx.max_fee_per_gas, tx.max_priority_fee_per_gas)  # base fee is zero


def show_receipt(view: BlockView, index: int) -> dict[str, object]:
    """Receipt object with its logs."""
    tx, receipt = view.transactions[index], view.receipts[index]
    created = None if tx.to else keccak(rlp.encode([tx.sender, tx.nonce]))[12:]
    first = view.first_log_index[index]
    return {
        "transactionHash": to_hex(tx.hash),
        "transactionIndex": hex(index),
        "blockHash": to_hex(view.header.hash),
        "blockNumber": hex(view.header.block_number),
        "from": to_hex(tx.sender),
        "to": to_hex(tx.to) if tx.to else None,
        "contractAddress": to_hex(created) if created else None,
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(view.gas_used(index)),
        "effectiveGasPrice": hex(_effective_gas_price(tx)),
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "type": hex(tx.type_id or 0),
        "logsBloom": to_hex(receipt.bloom.to_bytes(256, "big")),
        "logs": [
            show_log(_log_row(view, index, first + offset, log), view.header.hash)
            for offset, log in enumerate(receipt.logs)
        ],
    }


def _log_row(view: BlockView, tx_index: int, log_index: int, log: LogAPI) -> LogRow:
    return LogRow(
        view.header.block_number,
        log_index,
        tx_index,
        view.transactions[tx_index].hash,
        log.address,
        tuple(topic.to_bytes(32, "big") for topic in log.topics),
        log.data,
    )


def show_log(row: LogRow, block_hash: bytes) -> dict[str, object]:
    """Log object; `removed` is always false: blocks of this chain are final."""
    return {
        "address": to_hex(row.address),
        "topics": [to_hex(topic) for topic in row.topics],
        "data": to_hex(row.data),
        "blockNumber": hex(row.block_number),
        "blockHash": to_hex(block_hash),
        "transactionHash": to_hex(row.tx_hash),
        "transactionIndex": hex(row.tx_index),
        "logIndex": hex(row.log_index),
        "removed": False,
    }
