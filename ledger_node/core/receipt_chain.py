"""What a receipt carries of the chain: block headers, proven logs, proven storage; and its bytes.

Step 9 of the data flow (no node at hand). Spec: docs/spec/receipt-v1.md, "Chain". Vectors:
tests/vectors/receipt_v1/.

Invariants:
    * Lists ascend and name nothing twice: one evidence has one spelling.
    * It is not signed: every byte of it is held by a hash, a seal or a position the body names.
Not here: checking it (chain_proofs.py), the file around it (receipt_v1.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ledger_node.core.block_header import MAX_HEADER_BYTES, parse_block_header
from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    parse_hex,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.place import MAX_INDEX
from ledger_node.core.shapes import encode_address, read_address, read_bytes32, refuse_shape
from ledger_node.core.trie_proof import MAX_NODES
from ledger_node.core.types import Address, BlockNumber

MAX_HEADERS = 256
MAX_LOGS = 256
MAX_ACCOUNTS = 256
MAX_SLOTS = 256
MAX_NODE_BYTES = 1024 * 1024  # a leaf of the receipts trie holds a whole transaction receipt
_WHAT = "receipt chain"
_CHAIN = ("headers", "logs", "accounts")
_LOG = ("block_number", "transaction", "log", "proof")
_ACCOUNT = ("block_number", "address", "proof", "slots")

_Item = TypeVar("_Item")
_Key = TypeVar("_Key", bytes, tuple[int, int, int], tuple[int, bytes])


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """A log of a block, with its proof.

    Attributes:
        block_number: Of its block.
        transaction: Index of the transaction in its block.
        log: Index of the log in its transaction.
        proof: Nodes of the receipts trie.
    """

    block_number: BlockNumber
    transaction: int
    log: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SlotEvidence:
    """A storage slot (32 bytes) and the nodes of its storage trie."""

    slot: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountEvidence:
    """A contract after a block: nodes of the state trie, and slots of its storage."""

    block_number: BlockNumber
    address: Address
    proof: tuple[bytes, ...]
    slots: tuple[SlotEvidence, ...]


@dataclass(frozen=True, slots=True)
class ChainEvidence:
    """Everything a receipt carries of the chain; headers as RLP, with seals if there are any."""

    headers: tuple[bytes, ...]
    logs: tuple[LogEvidence, ...]
    accounts: tuple[AccountEvidence, ...]


def encode_chain_evidence(evidence: ChainEvidence) -> JsonObject:
    """Write evidence in the order it stands."""
    return {
        "headers": [header.hex() for header in evidence.headers],
        "logs": [
            {
                "block_number": each.block_number,
                "transaction": each.transaction,
                "log": each.log,
                "proof": _encode_nodes(each.proof),
            }
            for each in evidence.logs
        ],
        "accounts": [
            {
                "block_number": each.block_number,
                "address": encode_address(each.address),
                "proof": _encode_nodes(each.proof),
                "slots": [
                    {"slot": slot.slot.hex(), "proof": _encode_nodes(slot.proof)}
                    for slot in each.slots
                ],
            }
            for each in evidence.accounts
        ],
    }


def read_chain_evidence(value: JsonValue) -> ChainEvidence:
    """Read evidence; whether it proves anything is another question.

    Raises:
        UnexpectedShapeError, MalformedEncodingError: A member is missing, unknown or misspelt, a
            list is too long, does not ascend, or names something twice.
    """
    m = require_members(value, _CHAIN, what=_WHAT)
    headers = _read_items(m["headers"], "headers", MAX_HEADERS, _read_header)
    logs = _read_items(m["logs"], "logs", MAX_LOGS, _read_log)
    accounts = _read_items(m["accounts"], "accounts", MAX_ACCOUNTS, _read_account)
    if len(set(headers)) != len(headers):  # their order is that of their numbers, checked there
        raise refuse_shape(f"{_WHAT} headers", "有重复项", "an item stands twice")
    _demand_ascending([(each.block_number, each.transaction, each.log) for each in logs], "logs")
    _demand_ascending([(each.block_number, each.address) for each in accounts], "accounts")
    return ChainEvidence(headers, logs, accounts)


def merge_evidence(parts: Iterable[ChainEvidence]) -> ChainEvidence:
    """Evidence of all parts as one; what is named in more than one is taken once.

    Headers of one block are one, whichever seals they carry.

    Raises:
        MalformedRlpError: A header is not readable.
    """
    headers: dict[BlockNumber, bytes] = {}
    logs: dict[tuple[int, int, int], LogEvidence] = {}
    accounts: dict[tuple[int, bytes], AccountEvidence] = {}
    for part in parts:
        for header in part.headers:
            headers.setdefault(parse_block_header(header).number, header)
        for log in part.logs:
            logs.setdefault((log.block_number, log.transaction, log.log), log)
        for account in part.accounts:
            key = (account.block_number, account.address)
            held = accounts.get(key)
            accounts[key] = account if held is None else _join_slots(held, account)
    return ChainEvidence(
        tuple(headers[number] for number in sorted(headers)),
        tuple(logs[log_key] for log_key in sorted(logs)),
        tuple(accounts[key] for key in sorted(accounts)),
    )


def _join_slots(first: AccountEvidence, second: AccountEvidence) -> AccountEvidence:
    slots = {each.slot: each for each in (*second.slots, *first.slots)}
    return replace(first, slots=tuple(slots[slot] for slot in sorted(slots)))


def _encode_nodes(nodes: Sequence[bytes]) -> JsonValue:
    return [node.hex() for node in nodes]


def _read_items(
    value: JsonValue, name: str, maximum: int, read: Callable[[JsonValue], _Item]
) -> tuple[_Item, ...]:
    what = f"{_WHAT} {name}"
    items = require_list(value, what=what)
    if len(items) > maximum:
        raise refuse_shape(what, f"最多 {maximum} 项", f"at most {maximum} items")
    return tuple(read(item) for item in items)


def _read_blob(value: JsonValue, what: str, max_bytes: int) -> bytes:
    text = require_text(value, what=what)
    if len(text) > 2 * max_bytes:
        raise refuse_shape(what, f"超过 {max_bytes} 字节", f"more than {max_bytes} bytes")
    return parse_hex(text, what=what)


def _read_header(value: JsonValue) -> bytes:
    return _read_blob(value, f"{_WHAT} header", MAX_HEADER_BYTES)


def _read_node(value: JsonValue) -> bytes:
    return _read_blob(value, f"{_WHAT} node", MAX_NODE_BYTES)


def _read_nodes(value: JsonValue) -> tuple[bytes, ...]:
    return _read_items(value, "proof", MAX_NODES, _read_node)


def _read_log(value: JsonValue) -> LogEvidence:
    what = f"{_WHAT} log"
    m = require_members(value, _LOG, what=what)
    return LogEvidence(
        BlockNumber(require_int(m["block_number"], what=f"{what} block_number")),
        require_int(m["transaction"], what=f"{what} transaction", maximum=MAX_INDEX),
        require_int(m["log"], what=what, maximum=MAX_INDEX),
        _read_nodes(m["proof"]),
    )


def _read_account(value: JsonValue) -> AccountEvidence:
    what = f"{_WHAT} account"
    m = require_members(value, _ACCOUNT, what=what)
    slots = _read_items(m["slots"], "slots", MAX_SLOTS, _read_slot)
    _demand_ascending([each.slot for each in slots], "slots")
    return AccountEvidence(
        BlockNumber(require_int(m["block_number"], what=f"{what} block_number")),
        read_address(m["address"], what=f"{what} address"),
        _read_nodes(m["proof"]),
        slots,
    )


def _read_slot(value: JsonValue) -> SlotEvidence:
    what = f"{_WHAT} slot"
    m = require_members(value, ("slot", "proof"), what=what)
    return SlotEvidence(read_bytes32(m["slot"], what=what), _read_nodes(m["proof"]))


def _demand_ascending(keys: Sequence[_Key], name: str) -> None:
    if list(keys) != sorted(set(keys)):
        raise refuse_shape(f"{_WHAT} {name}", "须递增且不重复", "must ascend, nothing twice")
