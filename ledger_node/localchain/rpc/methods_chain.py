"""Methods about blocks, transactions, receipts, logs and fees."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from eth.abc import BlockHeaderAPI

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.errors import TransactionRejectedError
from ledger_node.localchain.logs import (
    MAX_BLOCKS,
    MAX_LOGS,
    LogQuery,
    TooManyLogsError,
    select_logs,
)
from ledger_node.localchain.rpc.errors import (
    LIMIT_EXCEEDED,
    SERVER_ERROR,
    RpcError,
    invalid_params,
)
from ledger_node.localchain.rpc.params import (
    find_header,
    find_header_by_hash,
    load_header,
    parse_address,
    parse_data,
    parse_flag,
    parse_hash,
    parse_quantity,
)
from ledger_node.localchain.rpc.views import (
    BlockViews,
    show_block,
    show_log,
    show_pending,
    show_receipt,
    show_transaction,
    to_hex,
)

MAX_FEE_BLOCKS = 1_024
MAX_TOPICS = 4
HASH_TEXT_LENGTH = 66
MAX_ALTERNATIVES = 1_000
Method = Callable[..., object]


class ChainMethods:
    """One method per JSON-RPC name; parameters arrive as parsed JSON values."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain
        self._views = BlockViews(chain)
        self._version = f"tongban-localchain/py-evm-{version('py-evm')}"

    def table(self) -> dict[str, Method]:
        """Names and handlers."""
        return {
            "web3_clientVersion": lambda: self._version,
            "net_version": lambda: str(self._chain.chain_id),
            "net_listening": lambda: True,
            "net_peerCount": lambda: "0x0",
            "eth_accounts": list,
            "eth_chainId": lambda: hex(self._chain.chain_id),
            "eth_syncing": lambda: False,
            "eth_blockNumber": lambda: hex(self._chain.head.block_number),
            "eth_gasPrice": lambda: "0x0",
            "eth_maxPriorityFeePerGas": lambda: "0x0",
            "eth_feeHistory": self.fee_history,
            "eth_getBlockByNumber": self.block_by_number,
            "eth_getBlockByHash": self.block_by_hash,
            "eth_getBlockTransactionCountByNumber": self.transaction_count_by_number,
            "eth_getBlockTransactionCountByHash": self.transaction_count_by_hash,
            "eth_getBlockReceipts": self.block_receipts,
            "eth_getTransactionByHash": self.transaction_by_hash,
            "eth_getTransactionReceipt": self.transaction_receipt,
            "eth_sendRawTransaction": self.send_raw_transaction,
            "eth_getLogs": self.logs,
        }

    def block_by_number(self, block: object, full: object = False) -> object:
        return self._show(find_header(self._chain, block), parse_flag(full, "full"))

    def block_by_hash(self, block_hash: object, full: object = False) -> object:
        header = find_header_by_hash(self._chain, parse_hash(block_hash))
        return self._show(header, parse_flag(full, "full"))

    def _show(self, header: BlockHeaderAPI | None, full: bool) -> object:
        return show_block(self._views.view(header), full) if header else None

    def transaction_count_by_number(self, block: object) -> object:
        return self._count(find_header(self._chain, block))

    def transaction_count_by_hash(self, block_hash: object) -> object:
        return self._count(find_header_by_hash(self._chain, parse_hash(block_hash)))

    def _count(self, header: BlockHeaderAPI | None) -> object:
        return hex(len(self._views.view(header).transactions)) if header else None

    def block_receipts(self, block: object) -> object:
        if isinstance(block, str) and len(block) == HASH_TEXT_LENGTH:
            header = find_header_by_hash(self._chain, parse_hash(block))
        else:
            header = find_header(self._chain, block)
        if header is None:
            return None
        view = self._views.view(header)
        return [show_receipt(view, index) for index in range(len(view.transactions))]

    def transaction_by_hash(self, tx_hash: object) -> object:
        wanted = parse_hash(tx_hash)
        pending = self._chain.pending_transaction(wanted)
        if pending:
            return show_pending(pending)
        found = self._views.find_transaction(wanted)
        return show_transaction(*found) if found else None

    def transaction_receipt(self, tx_hash: object) -> object:
        found = self._views.find_transaction(parse_hash(tx_hash))
        return show_receipt(*found) if found else None

    def send_raw_transaction(self, raw: object) -> object:
        try:
            return to_hex(self._chain.submit(parse_data(raw, "transaction")))
        except TransactionRejectedError as error:
            raise RpcError(SERVER_ERROR, str(error)) from error

    def fee_history(self, count: object, newest: object, percentiles: object = None) -> object:
        wanted = count if type(count) is int else parse_quantity(count, "block count")
        if not 1 <= wanted <= MAX_FEE_BLOCKS:
            raise invalid_params(f"block count must be 1 to {MAX_FEE_BLOCKS}")
        last = load_header(self._chain, newest).block_number
        first = max(0, last - wanted + 1)
        headers = [load_header(self._chain, hex(number)) for number in range(first, last + 1)]
        found: dict[str, object] = {
            "oldestBlock": hex(first),
            "baseFeePerGas": ["0x0"] * (len(headers) + 1),
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        }
        if isinstance(percentiles, list):
            found["reward"] = [["0x0"] * len(percentiles) for _ in headers]
        return found

    def logs(self, wanted: object) -> object:
        if not isinstance(wanted, dict):
            raise invalid_params("filter must be an object")
        query = self._parse_query(wanted)
        if query is None:
            return []
        try:
            return [show_log(row, block) for row, block in select_logs(self._chain.store, query)]
        except TooManyLogsError as error:
            raise RpcError(
                LIMIT_EXCEEDED, f"query returned more than {MAX_LOGS} results"
            ) from error

    def _parse_query(self, wanted: dict[str, object]) -> LogQuery | None:
        found = self._parse_range(wanted)
        addresses = _parse_addresses(wanted.get("address"))
        topics = _parse_topics(wanted.get("topics"))
        return LogQuery(*found, addresses, topics) if found else None

    def _parse_range(self, wanted: dict[str, object]) -> tuple[int, int] | None:
        if wanted.get("blockHash") is not None:
            if wanted.get("fromBlock") is not None or wanted.get("toBlock") is not None:
                raise invalid_params("blockHash excludes fromBlock and toBlock")
            header = find_header_by_hash(self._chain, parse_hash(wanted["blockHash"]))
            if header is None:
                raise RpcError(SERVER_ERROR, "unknown block")
            return header.block_number, header.block_number
        head = self._chain.head.block_number
        first = self._parse_bound(wanted.get("fromBlock"), head)
        last = self._parse_bound(wanted.get("toBlock"), head)
        if first > last:
            raise invalid_params("invalid block range params")
        if first > head:
            return None
        if min(last, head) - first >= MAX_BLOCKS:
            raise RpcError(LIMIT_EXCEEDED, f"block range exceeds {MAX_BLOCKS} blocks")
        return first, min(last, head)

    def _parse_bound(self, value: object, head: int) -> int:
        if value is None:
            return head
        header = find_header(self._chain, value)
        return parse_quantity(value, "block") if header is None else header.block_number


def _parse_addresses(value: object) -> tuple[bytes, ...]:
    if value is None:
        return ()
    found = value if isinstance(value, list) else [value]
    return tuple(parse_address(item) for item in _bounded(found))


def _parse_topics(value: object) -> tuple[tuple[bytes, ...], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_TOPICS:
        raise invalid_params(f"topics must be a list of at most {MAX_TOPICS}")
    return tuple(_parse_topic(item) for item in value)


def _parse_topic(value: object) -> tuple[bytes, ...]:
    if value is None:
        return ()
    found = value if isinstance(value, list) else [value]
    if None in found:
        return ()
    return tuple(parse_hash(item, "topic") for item in _bounded(found))


def _bounded(found: list[object]) -> list[object]:
    if len(found) > MAX_ALTERNATIVES:
        raise invalid_params(f"at most {MAX_ALTERNATIVES} alternatives")
    return found
