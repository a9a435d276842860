"""`ports.chain.Chain` over any EVM node that speaks JSON-RPC. Block parameters are hex only.

Nothing is cached. Batches save round trips where several answers are wanted; transaction hashes
are computed here, never taken from the endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from eth_hash.auto import keccak

from ledger_node.core.block_header import parse_block_header
from ledger_node.core.receipt_chain import AccountEvidence, LogEvidence
from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash
from ledger_node.edges.chain.answers import (
    expected_shape,
    order_logs,
    parse_block,
    parse_bytes,
    parse_log,
    parse_outcome,
    parse_quantity,
)
from ledger_node.edges.chain.errors import decode_revert, extract_revert_data
from ledger_node.edges.chain.proofs import build_header, build_log_proof, read_account_proof
from ledger_node.edges.chain.rpc import Rpc, RpcAnswerError
from ledger_node.ports.chain import (
    BlockRef,
    ChainContradictionError,
    ChainIdentity,
    ChainUnavailableError,
    RawLog,
    TransactionRefusedError,
    TxOutcome,
)

DEFAULT_TIMEOUT_S: Final = 10.0
_KNOWN: Final = re.compile(
    r"already known|known transaction|already imported|already exists|already in (the )?(mem)?pool"
    r"|nonce (is )?too low|nonce too small",
    re.IGNORECASE,
)
MAX_ENGINE_CHARS = 200


class EvmChain:
    """One endpoint of one chain; safe to share between threads.

    Args:
        url: HTTP address of the endpoint.
        chain_id: The chain we were told to use; None takes whatever is there (deploying only).
        timeout_s: Longest wait for one answer.
    """

    def __init__(
        self, url: str, chain_id: int | None = None, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> None:
        self._rpc = Rpc(url, timeout_s)
        self._chain_id = chain_id

    def close(self) -> None:
        self._rpc.close()

    def fetch_identity(self) -> ChainIdentity:
        chain_id, genesis = self._ask_all(
            "identity",
            [("eth_chainId", []), ("eth_getBlockByNumber", ["0x0", False])],
        )
        with expected_shape("identity"):
            identity = ChainIdentity(
                parse_quantity(chain_id), BlockHash(parse_bytes(genesis["hash"], 32))
            )
        self._demand_chain(identity.chain_id)
        return identity

    def fetch_engine(self) -> str:
        """What the endpoint calls itself (`web3_clientVersion`); `unknown` if it does not say."""
        try:
            answer = self._rpc.ask("web3_clientVersion", [])
        except RpcAnswerError:
            return "unknown"
        text = "".join(each for each in str(answer) if each.isprintable())
        return text[:MAX_ENGINE_CHARS] or "unknown"

    def fetch_head(self) -> BlockRef:
        chain_id, block = self._ask_all(
            "head", [("eth_chainId", []), ("eth_getBlockByNumber", ["latest", False])]
        )
        with expected_shape("head"):
            self._demand_chain(parse_quantity(chain_id))
            return parse_block(block)

    def fetch_finalized(self) -> BlockRef | None:
        try:
            block = self._rpc.ask("eth_getBlockByNumber", ["finalized", False])
        except RpcAnswerError:
            return None  # QBFT and Clique do not know the tag
        with expected_shape("finalized block"):
            return None if block is None else parse_block(block)

    def fetch_blocks(self, numbers: Sequence[BlockNumber]) -> list[BlockRef | None]:
        answers = self._ask_all(
            "blocks", [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        )
        with expected_shape("block"):
            blocks = [None if answer is None else parse_block(answer) for answer in answers]
        for number, block in zip(numbers, blocks, strict=True):
            if block is not None and block.number != number:
                raise ChainUnavailableError("another block than asked for")
        return blocks

    def fetch_logs(
        self, first: BlockNumber, last: BlockNumber, addresses: Sequence[Address]
    ) -> list[RawLog]:
        wanted = {bytes(address) for address in addresses}
        logs = order_logs(self._fetch_log_range(first, last, addresses))
        for log in logs:
            if not first <= log.block_number <= last or (wanted and log.address not in wanted):
                raise ChainUnavailableError("logs that were not asked for")
        return logs

    def _fetch_log_range(
        self, first: BlockNumber, last: BlockNumber, addresses: Sequence[Address]
    ) -> list[RawLog]:
        """Halves the range when the endpoint refuses it (too many results, too many blocks)."""
        question: dict[str, object] = {"fromBlock": hex(first), "toBlock": hex(last)}
        if addresses:
            question["address"] = ["0x" + address.hex() for address in addresses]
        try:
            answer = self._rpc.ask("eth_getLogs", [question])
        except RpcAnswerError as error:
            if first >= last:
                raise ChainUnavailableError(f"logs refused: {error.message[:80]}") from error
            middle = BlockNumber((first + last) // 2)
            return self._fetch_log_range(first, middle, addresses) + self._fetch_log_range(
                BlockNumber(middle + 1), last, addresses
            )
        with expected_shape("log"):
            return [parse_log(log) for log in answer]

    def fetch_outcomes(self, tx_hashes: Sequence[TxHash]) -> list[TxOutcome | None]:
        answers = self._ask_all(
            "outcomes", [("eth_getTransactionReceipt", ["0x" + item.hex()]) for item in tx_hashes]
        )
        with expected_shape("receipt"):
            outcomes = [None if answer is None else parse_outcome(answer) for answer in answers]
        for tx_hash, outcome in zip(tx_hashes, outcomes, strict=True):
            if outcome is not None and outcome.tx_hash != tx_hash:
                raise ChainUnavailableError("receipt of another transaction")
        return outcomes

    def fetch_nonce(self, account: Address, *, block: BlockNumber | None = None) -> int:
        answer = self._ask("eth_getTransactionCount", ["0x" + account.hex(), _tag(block)])
        with expected_shape("nonce"):
            return parse_quantity(answer)

    def fetch_code_hash(self, address: Address) -> bytes:
        answer = self._ask("eth_getCode", ["0x" + address.hex(), "latest"])
        with expected_shape("code"):
            return keccak(parse_bytes(answer))

    def fetch_header(self, number: BlockNumber) -> bytes:
        return build_header(self._fetch_block(number))

    def fetch_log_proof(self, number: BlockNumber, log_index: int) -> LogEvidence:
        block = self._fetch_block(number)
        header = parse_block_header(build_header(block))
        found = build_log_proof(header, self._fetch_receipts(number, block), log_index)
        if found is None:
            raise ChainUnavailableError("no such log in the block")
        return found

    def fetch_account_proof(
        self, number: BlockNumber, address: Address, slots: Sequence[bytes]
    ) -> AccountEvidence:
        header = parse_block_header(self.fetch_header(number))
        asked = ["0x" + slot.hex() for slot in slots]
        answer = self._ask("eth_getProof", ["0x" + address.hex(), asked, hex(number)])
        return read_account_proof(header, address, slots, answer)

    def _fetch_block(self, number: BlockNumber) -> Any:
        block = self._ask("eth_getBlockByNumber", [hex(number), False])
        with expected_shape("block"):
            if block is None or parse_quantity(block["number"]) != number:
                raise ChainUnavailableError("another block than asked for")
        return block

    def _fetch_receipts(self, number: BlockNumber, block: Any) -> list[Any]:
        """All receipts of a block; one by one where the engine has no question for all."""
        try:
            answer = self._rpc.ask("eth_getBlockReceipts", [hex(number)])
        except RpcAnswerError:
            with expected_shape("block"):
                questions = [
                    ("eth_getTransactionReceipt", [each]) for each in block["transactions"]
                ]
            answer = self._ask_all("receipts", questions)
        with expected_shape("receipts"):
            return list(answer)

    def fetch_present_s(self) -> int:
        """Present time of a local chain whose clock tests move, seconds since 1970."""
        answer = self._ask("tongban_clock", [])
        with expected_shape("clock"):
            return int(answer["now_s"])

    def call(
        self,
        to: Address,
        data: bytes,
        *,
        sender: Address | None = None,
        block: BlockNumber | None = None,
    ) -> bytes:
        answer = self._ask_contract("eth_call", [_message(to, data, sender), _tag(block)])
        with expected_shape("call result"):
            return parse_bytes(answer)

    def estimate_gas(self, to: Address | None, data: bytes, *, sender: Address) -> int:
        answer = self._ask_contract("eth_estimateGas", [_message(to, data, sender)])
        with expected_shape("gas estimate"):
            return parse_quantity(answer)

    def send_transactions(self, raw: Iterable[bytes]) -> list[TxHash]:
        transactions = list(raw)
        results = self._rpc.try_all(
            [("eth_sendRawTransaction", ["0x" + item.hex()]) for item in transactions]
        )
        for result in results:
            if isinstance(result, RpcAnswerError) and not _KNOWN.search(result.message):
                raise TransactionRefusedError(result.message[:200])
        return [TxHash(keccak(item)) for item in transactions]

    def _demand_chain(self, found: int) -> None:
        if self._chain_id is not None and found != self._chain_id:
            raise ChainContradictionError("chain id", str(self._chain_id), str(found))

    def _ask(self, method: str, params: Sequence[object]) -> Any:
        try:
            return self._rpc.ask(method, params)
        except RpcAnswerError as error:
            raise ChainUnavailableError(f"{method} refused: {error.message[:80]}") from error

    def _ask_all(self, what: str, questions: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        try:
            return self._rpc.ask_all(questions)
        except RpcAnswerError as error:
            raise ChainUnavailableError(f"{what} refused: {error.message[:80]}") from error

    def _ask_contract(self, method: str, params: Sequence[object]) -> Any:
        try:
            return self._rpc.ask(method, params)
        except RpcAnswerError as error:
            revert = extract_revert_data(error.code, error.message, error.data)
            if revert is None:
                raise ChainUnavailableError(f"{method} refused: {error.message[:80]}") from error
            raise decode_revert(revert) from error


def _tag(block: BlockNumber | None) -> str:
    return "latest" if block is None else hex(block)


def _message(to: Address | None, data: bytes, sender: Address | None) -> Mapping[str, str]:
    message = {"data": "0x" + data.hex(), "gasPrice": "0x0"}
    if to is not None:
        message["to"] = "0x" + to.hex()
    if sender is not None:
        message["from"] = "0x" + sender.hex()
    return message
