"""Positions and chain facts as JSON, shared by receipts and trust files.

Spec: docs/spec/receipt.md, "Anchor facts"; docs/spec/trust.md, "Facts".

Invariants:
    * Lists stand in one order (ascending) and name nothing twice, so that one set of facts has one
      spelling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    require_int,
    require_list,
    require_members,
)
from ledger_node.core.chain_facts import (
    BlockFact,
    ChainFacts,
    ConsumptionFact,
    FactSource,
    GrantFact,
    HeadKey,
    StatusFact,
)
from ledger_node.core.checkpoint import MAX_GENERATION
from ledger_node.core.event_types import Basis, Position, StatusFlag
from ledger_node.core.merkle import TreeHead
from ledger_node.core.shapes import (
    MAX_TIME_S,
    encode_address,
    read_address,
    read_bytes32,
    read_city,
    refuse_shape,
)
from ledger_node.core.types import (
    BlockHash,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    RootHash,
    TreeSize,
    TxHash,
)

POSITION_MEMBERS = (
    "contract",
    "block_number",
    "block_hash",
    "block_timestamp",
    "tx_hash",
    "log_index",
)

MAX_WINDOW_S = 2**48 - 1  # what the contract can hold
_HEAD = ("city", "generation", "size", "root", "at")
_STATUS = ("city", "leaf_hash", "status", "block_number", "block_timestamp")
_GRANT = (
    "terms",
    "releasing",
    "receiving",
    "recorder",
    "not_before",
    "not_after",
    "uses",
    "basis",
    "evidence",
    "recorded",
    "revoked",
)
_CONSUMPTION = ("terms", "release_commitment", "at")
_FACTS = ("as_of", "heads", "statuses", "grants", "consumptions")

_Item = TypeVar("_Item")


def encode_position(position: Position) -> JsonObject:
    """Write where an event stands."""
    return {
        "contract": encode_address(position.address),
        "block_number": position.block_number,
        "block_hash": position.block_hash.hex(),
        "block_timestamp": position.block_timestamp_s,
        "tx_hash": position.tx_hash.hex(),
        "log_index": position.log_index,
    }


def read_position(value: JsonValue, *, what: str) -> Position:
    """Read where an event stands.

    Raises:
        UnexpectedShapeError, MalformedEncodingError: A member is missing, unknown or misspelt.
    """
    m = require_members(value, POSITION_MEMBERS, what=what)
    return Position(
        block_number=BlockNumber(require_int(m["block_number"], what=f"{what} block_number")),
        log_index=require_int(m["log_index"], what=f"{what} log_index"),
        tx_hash=TxHash(read_bytes32(m["tx_hash"], what=f"{what} tx_hash")),
        block_hash=BlockHash(read_bytes32(m["block_hash"], what=f"{what} block_hash")),
        block_timestamp_s=_time(m["block_timestamp"], f"{what} block_timestamp"),
        address=read_address(m["contract"], what=f"{what} contract"),
    )


def encode_block(block: BlockFact) -> JsonObject:
    """Write a block."""
    return {
        "number": block.number,
        "hash": block.hash.hex(),
        "timestamp": block.block_timestamp_s,
    }


def read_block(value: JsonValue, *, what: str) -> BlockFact:
    """Read a block.

    Raises:
        UnexpectedShapeError, MalformedEncodingError: A member is missing, unknown or misspelt.
    """
    m = require_members(value, ("number", "hash", "timestamp"), what=what)
    return BlockFact(
        BlockNumber(require_int(m["number"], what=f"{what} number")),
        BlockHash(read_bytes32(m["hash"], what=f"{what} hash")),
        _time(m["timestamp"], f"{what} timestamp"),
    )


def encode_chain_facts(facts: ChainFacts) -> JsonObject:
    """Write facts; lists ascend."""
    return {
        "as_of": encode_block(facts.as_of),
        "heads": [
            {
                "city": city,
                "generation": generation,
                "size": head.size,
                "root": head.root.hex(),
                "at": encode_position(facts.heads[city, generation, head]),
            }
            for city, generation, head in sorted(facts.heads, key=_head_order)
        ],
        "statuses": [
            {
                "city": city,
                "leaf_hash": leaf_hash.hex(),
                "status": int(fact.flag),
                "block_number": fact.block_number,
                "block_timestamp": fact.block_timestamp_s,
            }
            for city, leaf_hash in sorted(facts.statuses)
            for fact in facts.statuses[city, leaf_hash]
        ],
        "grants": [_encode_grant(facts.grants[key]) for key in sorted(facts.grants)],
        "consumptions": [
            {
                "terms": facts.consumptions[key].grant_id.hex(),
                "release_commitment": facts.consumptions[key].release_commitment.hex(),
                "at": encode_position(facts.consumptions[key].consumed),
            }
            for key in sorted(facts.consumptions)
        ],
    }


def read_chain_facts(value: JsonValue, source: FactSource) -> ChainFacts:
    """Read facts.

    Raises:
        UnexpectedShapeError, MalformedEncodingError: A member is missing, unknown or misspelt, or
            a list is not ascending.
    """
    m = require_members(value, _FACTS, what="facts")
    heads = dict(_read_items(m["heads"], "facts heads", _read_head))
    grants = _read_items(m["grants"], "facts grants", _read_grant)
    consumptions = _read_items(m["consumptions"], "facts consumptions", _read_consumption)
    statuses: dict[tuple[CityId, LeafHash], tuple[StatusFact, ...]] = {}
    for key, fact in _read_items(m["statuses"], "facts statuses", _read_status):
        statuses[key] = (*statuses.get(key, ()), fact)
    facts = ChainFacts(
        source=source,
        as_of=read_block(m["as_of"], what="facts as_of"),
        heads=heads,
        statuses=statuses,
        grants={(each.recorded.address, each.grant_id): each for each in grants},
        consumptions={
            (each.consumed.address, each.release_commitment): each for each in consumptions
        },
    )
    if encode_chain_facts(facts) != m:
        raise refuse_shape(
            "facts", "条目须递增且不重复", "lists must ascend and name nothing twice"
        )
    return facts


def _read_items(value: JsonValue, what: str, read: Callable[[JsonValue], _Item]) -> list[_Item]:
    return [read(item) for item in require_list(value, what=what)]


def _head_order(key: HeadKey) -> tuple[CityId, int, int, bytes]:
    city, generation, head = key
    return city, generation, head.size, head.root


def _time(value: JsonValue, what: str) -> int:
    return require_int(value, what=what, maximum=MAX_TIME_S)


def _read_head(value: JsonValue) -> tuple[HeadKey, Position]:
    what = "anchored head"
    m = require_members(value, _HEAD, what=what)
    head = TreeHead(
        TreeSize(require_int(m["size"], what=f"{what} size", minimum=1)),
        RootHash(read_bytes32(m["root"], what=f"{what} root")),
    )
    generation = require_int(m["generation"], what=f"{what} generation", maximum=MAX_GENERATION)
    key = (read_city(m["city"], what=what), generation, head)
    return key, read_position(m["at"], what=f"{what} at")


def _read_status(value: JsonValue) -> tuple[tuple[CityId, LeafHash], StatusFact]:
    what = "status fact"
    m = require_members(value, _STATUS, what=what)
    flag = require_int(m["status"], what=f"{what} status")
    if flag not in {int(each) for each in StatusFlag}:
        raise refuse_shape(what, "状态须为 1、2、4 或 8", "a status is 1, 2, 4 or 8")
    key = (read_city(m["city"], what=what), LeafHash(read_bytes32(m["leaf_hash"], what=what)))
    block = BlockNumber(require_int(m["block_number"], what=f"{what} block_number"))
    return key, StatusFact(StatusFlag(flag), block, _time(m["block_timestamp"], what))


def _encode_grant(fact: GrantFact) -> JsonObject:
    return {
        "terms": fact.grant_id.hex(),
        "releasing": fact.releasing,
        "receiving": fact.receiving,
        "recorder": fact.recorder,
        "not_before": fact.not_before_s,
        "not_after": fact.not_after_s,
        "uses": fact.uses,
        "basis": int(fact.basis),
        "evidence": fact.evidence.hex(),
        "recorded": encode_position(fact.recorded),
        "revoked": encode_position(fact.revoked) if fact.revoked else None,
    }


def _read_grant(value: JsonValue) -> GrantFact:
    what = "grant fact"
    m = require_members(value, _GRANT, what=what)
    basis = require_int(m["basis"], what=f"{what} basis", minimum=1, maximum=len(Basis))
    revoked = m["revoked"]
    return GrantFact(
        grant_id=GrantId(read_bytes32(m["terms"], what=f"{what} terms")),
        releasing=read_city(m["releasing"], what=what),
        receiving=read_city(m["receiving"], what=what),
        recorder=read_city(m["recorder"], what=what),
        not_before_s=require_int(m["not_before"], what=what, maximum=MAX_WINDOW_S),
        not_after_s=require_int(m["not_after"], what=what, maximum=MAX_WINDOW_S),
        uses=require_int(m["uses"], what=f"{what} uses"),
        basis=Basis(basis),
        evidence=Commitment(read_bytes32(m["evidence"], what=f"{what} evidence")),
        recorded=read_position(m["recorded"], what=f"{what} recorded"),
        revoked=None if revoked is None else read_position(revoked, what=f"{what} revoked"),
    )


def _read_consumption(value: JsonValue) -> ConsumptionFact:
    what = "consumption fact"
    m = require_members(value, _CONSUMPTION, what=what)
    return ConsumptionFact(
        GrantId(read_bytes32(m["terms"], what=f"{what} terms")),
        ReleaseCommitment(read_bytes32(m["release_commitment"], what=what)),
        read_position(m["at"], what=f"{what} at"),
    )
