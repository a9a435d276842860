"""The client believes only answers to its own questions, whatever their shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger_node.edges.chain.answers import order_logs, parse_block, parse_log
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.chain.rpc import Rpc, RpcAnswerError
from ledger_node.ports.chain import ChainUnavailableError

Answers = list[dict[str, Any]]
QUESTIONS = [("eth_chainId", []), ("eth_blockNumber", []), ("eth_gasPrice", [])]


def rpc_answering(change: Callable[[Answers], Any]) -> Rpc:
    """An endpoint whose honest answers (the method's name) are changed."""
    rpc = Rpc("http://127.0.0.1:1", 1)
    rpc.close()

    def post(method: str, body: Any) -> Any:
        batch = body if isinstance(body, list) else [body]
        answers = [{"jsonrpc": "2.0", "id": q["id"], "result": q["method"]} for q in batch]
        changed = change(answers)
        return changed if isinstance(body, list) or not isinstance(changed, list) else changed[0]

    rpc._post = post  # type: ignore[method-assign]
    return rpc


def swap_ids(answers: Answers) -> Answers:
    answers[0]["id"], answers[1]["id"] = answers[1]["id"], answers[0]["id"]
    return answers


def test_ask_all_with_answers_in_another_order_gives_the_order_of_the_questions() -> None:
    rpc = rpc_answering(lambda answers: answers[::-1])
    assert rpc.ask_all(QUESTIONS) == [method for method, _ in QUESTIONS]


def test_ask_all_matches_answers_by_id_and_not_by_place() -> None:
    assert rpc_answering(swap_ids).ask_all(QUESTIONS)[:2] == ["eth_blockNumber", "eth_chainId"]


@pytest.mark.parametrize(
    "change",
    [
        lambda answers: [{**answer, "id": answer["id"] + 7} for answer in answers],
        lambda answers: answers[:-1],
        lambda answers: [answers[0]] * 3,
        lambda answers: [*answers[:2], "text"],
        lambda answers: [{"id": answer["id"]} for answer in answers],
        lambda answers: "text",
        lambda answers: None,
        lambda answers: {"id": None, "result": "0x1"},
    ],
)
def test_ask_all_with_answers_to_other_questions_raises_unavailable(change: Any) -> None:
    with pytest.raises(ChainUnavailableError):
        rpc_answering(change).ask_all(QUESTIONS)


def test_ask_with_the_answer_to_another_question_raises_unavailable() -> None:
    shifted = rpc_answering(lambda answers: [{**answers[0], "id": 99}])
    with pytest.raises(ChainUnavailableError):
        shifted.ask("eth_chainId", [])
    assert rpc_answering(lambda answers: answers).ask("eth_chainId", []) == "eth_chainId"


def test_ask_error_of_the_own_question_is_told_apart_from_a_foreign_one() -> None:
    error = {"code": -32000, "message": "no"}
    own = rpc_answering(lambda answers: [{"id": answers[0]["id"], "error": error}])
    with pytest.raises(RpcAnswerError):
        own.ask("eth_chainId", [])
    foreign = rpc_answering(lambda answers: [{"id": answers[0]["id"] + 1, "error": error}])
    with pytest.raises(ChainUnavailableError):
        foreign.ask("eth_chainId", [])


BLOCK = {
    "number": "0x1",
    "hash": "0x" + "11" * 32,
    "parentHash": "0x" + "22" * 32,
    "timestamp": "0x5",
    "logsBloom": "0x" + "00" * 256,
    "transactions": [],
}
LOG = {
    "address": "0x" + "01" * 20,
    "topics": ["0x" + "02" * 32],
    "data": "0x",
    "blockNumber": "0x1",
    "blockHash": "0x" + "11" * 32,
    "transactionHash": "0x" + "33" * 32,
    "logIndex": "0x0",
}


@pytest.mark.parametrize("name", sorted(BLOCK))
@pytest.mark.parametrize("value", [None, "", "0x", "zz", 5, "0x1g", "-0x1"])
def test_fetch_head_with_a_damaged_field_raises_unavailable(name: str, value: Any) -> None:
    def damaged(answers: Answers) -> Answers:
        answers[0]["result"], answers[1]["result"] = "0x1", {**BLOCK, name: value}
        return answers

    chain = EvmChain("http://127.0.0.1:1")
    chain.close()
    chain._rpc = rpc_answering(damaged)
    with pytest.raises(ChainUnavailableError):
        chain.fetch_head()
    assert parse_block(BLOCK).number == 1


def test_order_logs_with_two_logs_at_one_place_raises_unavailable() -> None:
    log = parse_log(LOG)
    assert order_logs([log, log]) == [log]
    with pytest.raises(ChainUnavailableError):
        order_logs([log, parse_log({**LOG, "data": "0x01"})])


def test_parse_log_of_an_orphaned_block_is_refused() -> None:
    with pytest.raises(ValueError, match="orphaned"):
        parse_log({**LOG, "removed": True})
