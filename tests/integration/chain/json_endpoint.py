"""A fake chain as JSON-RPC answers, so that the client's own slicing is under test, and an
endpoint that doubles, reorders, withholds and splits what it is asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from ledger_node.core.types import Address, BlockNumber, TxHash
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.chain.rpc import RpcAnswerError
from ledger_node.ports.chain import BlockRef, RawLog, TxOutcome
from tests.fakes.fake_chain import FakeChain


class MessyEndpoint:
    """Answers what `EvmChain` asks; logs come as a careless endpoint sends them.

    Attributes:
        fired: How often each kind of mess was made.
    """

    def __init__(self, chain: FakeChain, rng: random.Random, *, largest_range: int = 1000) -> None:
        self._chain, self._rng, self._largest_range = chain, rng, largest_range
        self.withhold_left = 2
        self.fired: dict[str, int] = {"doubled": 0, "reordered": 0, "missing": 0, "split": 0}

    def ask(self, method: str, params: Sequence[Any]) -> Any:
        chain = self._chain
        if method == "eth_chainId":
            return hex(chain.chain_id)
        if method == "eth_getCode":
            contract = chain.contracts.get(Address(bytes.fromhex(params[0][2:])))
            return "0x" + (b"" if contract is None else contract.code).hex()
        if method == "eth_getBlockByNumber":
            if params[0] == "latest":
                return _block(chain.fetch_head())
            (block,) = chain.fetch_blocks([BlockNumber(int(params[0], 16))])
            return None if block is None else _block(block)
        if method == "eth_getTransactionReceipt":
            (outcome,) = chain.fetch_outcomes([TxHash(bytes.fromhex(params[0][2:]))])
            return None if outcome is None else _receipt(outcome)
        assert method == "eth_getLogs", method
        return self._logs(params[0])

    def ask_all(self, questions: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        return [self.ask(method, params) for method, params in questions]

    def _logs(self, question: dict[str, Any]) -> list[Any]:
        first, last = int(question["fromBlock"], 16), int(question["toBlock"], 16)
        if last - first >= self._largest_range:
            self.fired["split"] += 1
            raise RpcAnswerError(-32005, "query returned more than 10000 results", None)
        addresses = [Address(bytes.fromhex(item[2:])) for item in question.get("address", [])]
        logs = self._chain.fetch_logs(BlockNumber(first), BlockNumber(last), addresses)
        answer = [_log(log) for log in logs]
        if answer and self.withhold_left and self._rng.random() < 0.5:
            self.withhold_left -= 1
            self.fired["missing"] += 1
            answer.pop(self._rng.randrange(len(answer)))
        if answer and self._rng.random() < 0.7:
            self.fired["doubled"] += 1
            answer += self._rng.choices(answer, k=self._rng.randint(1, len(answer)))
        if len(answer) > 1 and self._rng.random() < 0.7:
            self.fired["reordered"] += 1
            self._rng.shuffle(answer)
        return answer


def messy_chain(endpoint: MessyEndpoint, chain_id: int) -> EvmChain:
    """The real client over that endpoint."""
    client = EvmChain("http://127.0.0.1:1", chain_id)
    client.close()
    client._rpc = endpoint  # type: ignore[assignment]
    return client


def _block(block: BlockRef) -> dict[str, str]:
    return {
        "number": hex(block.number),
        "hash": "0x" + block.hash.hex(),
        "parentHash": "0x" + block.parent_hash.hex(),
        "timestamp": hex(block.block_timestamp_s),
        "logsBloom": "0x" + block.logs_bloom.hex(),
        "transactions": ["0x" + tx_hash.hex() for tx_hash in block.tx_hashes],
    }


def _receipt(outcome: TxOutcome) -> dict[str, Any]:
    return {
        "transactionHash": "0x" + outcome.tx_hash.hex(),
        "blockNumber": hex(outcome.block_number),
        "blockHash": "0x" + outcome.block_hash.hex(),
        "status": hex(outcome.succeeded),
        "gasUsed": hex(outcome.gas_used),
        "logs": [{}] * outcome.log_count,
    }


def _log(log: RawLog) -> dict[str, Any]:
    return {
        "address": "0x" + log.address.hex(),
        "topics": ["0x" + topic.hex() for topic in log.topics],
        "data": "0x" + log.data.hex(),
        "blockNumber": hex(log.block_number),
        "blockHash": "0x" + log.block_hash.hex(),
        "transactionHash": "0x" + log.tx_hash.hex(),
        "logIndex": hex(log.log_index),
        "removed": False,
    }
