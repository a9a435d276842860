"""Comparing two replays: one digest for equality, named places for differences.

Step 11 of the data flow, promise P7. Spec: docs/spec/replay.md, "State digest".

Invariants:
    * Everything the events say is in the digest, the number of events per name included; how the
      replay was read (pages, doubled events) and the discrepancies it noted are not.
    * Values are written one by one in a fixed order; only the places are held sorted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import TypeVar, cast

from ledger_node.core.canonical import MAX_INT, JsonValue, encode_canonical
from ledger_node.core.event_types import Position
from ledger_node.core.replay_state import (
    AnchoredHead,
    Consumption,
    Discrepancy,
    DiscrepancyCode,
    ReplayedGrant,
    ReplayedList,
    ReplayState,
)
from ledger_node.core.types import Digest

STATE_PREFIX = b"tongban/replay-state/v1\n"

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
Place = tuple[int, str]  # section, place
Item = tuple[Place, JsonValue]


def compute_state_digest(state: ReplayState) -> Digest:
    """SHA-256 over the items, each as RFC 8785 of `[place, value]` and a line break, 32 bytes."""
    hasher = hashlib.sha256()
    for line in iterate_lines(state):
        hasher.update(line)
    return Digest(hasher.digest())


def iterate_lines(state: ReplayState) -> Iterator[bytes]:
    """A state as text: `STATE_PREFIX`, then a line per item. Their SHA-256 is its digest."""
    yield STATE_PREFIX
    for (_, place), value in iterate_items(state):
        yield encode_canonical([place, value]) + b"\n"


def compare_states(first: ReplayState, second: ReplayState) -> list[Discrepancy]:
    """Differences of two replays, by place; empty exactly if their digests are equal."""
    one, two = iterate_items(first), iterate_items(second)
    found: list[Discrepancy] = []
    left, right = next(one, None), next(two, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            found.append(_difference(DiscrepancyCode.STATE_MISSING, left[0], left[1], None))
            left = next(one, None)
        elif left is None or right[0] < left[0]:
            found.append(_difference(DiscrepancyCode.STATE_EXTRA, right[0], None, right[1]))
            right = next(two, None)
        else:
            if left[1] != right[1]:
                found.append(_difference(DiscrepancyCode.STATE_DIFFERS, left[0], left[1], right[1]))
            left, right = next(one, None), next(two, None)
    return found


def _difference(
    code: DiscrepancyCode, place: Place, first: JsonValue, second: JsonValue
) -> Discrepancy:
    one = "nothing" if first is None else encode_canonical(first).decode()
    two = "nothing" if second is None else encode_canonical(second).decode()
    return Discrepancy(code, place[1], f"first replay: {one}; second: {two}")


def iterate_items(state: ReplayState) -> Iterator[Item]:
    """Every item of a state as (place, value), in ascending order of places."""
    sections: tuple[Iterator[tuple[str, JsonValue]], ...] = (
        iter([("changes", state.changes), ("membership", "0x" + state.membership.hex())]),
        _section("member", state.consortium.members, str, _json),
        _section("contract", state.consortium.contracts, lambda role: role.name, _json),
        _section("proposal", state.proposals, str, _json),
        _section("heads", state.heads, lambda key: f"{key[0]}/{key[1]}", _heads),
        _section("closed", state.closed, lambda key: f"{key[0]}/{key[1]}", _json),
        _section("status", state.leaves, lambda key: f"{key[0]} {key[1].hex()}", _json),
        _section("objection", state.objections, lambda key: f"{key[0].hex()} {key[1]}", _json),
        _section("grant", state.grants, lambda key: f"{key[0].hex()} {key[1].hex()}", _grant),
        _section(
            "consumption",
            state.consumptions,
            lambda key: f"{key[0].hex()} {key[1].hex()}",
            _consumption,
        ),
        _section("list", state.lists, lambda key: f"{key[0].hex()} {key[1].hex()}", _list),
        _section(
            "edition-vote", state.edition_votes, lambda key: f"{key[0].hex()} {key[1]}", _json
        ),
        _section("events", state.event_counts, str, _json),
    )
    for number, section in enumerate(sections):
        for place, value in section:
            yield (number, place), value


def _section(
    name: str,
    table: Mapping[_Key, _Value],
    encode_key: Callable[[_Key], str],
    encode_value: Callable[[_Value], JsonValue],
) -> Iterator[tuple[str, JsonValue]]:
    """One table in ascending order of its keys' ASCII text."""
    for text, key in sorted((encode_key(key), key) for key in table):
        yield f"{name} {text}", encode_value(table[key])


def _place_of(position: Position | None) -> JsonValue:
    if position is None:
        return None
    return [position.block_number, position.log_index, position.tx_hash.hex()]


def _heads(heads: list[AnchoredHead]) -> JsonValue:
    return [
        [_json(each.head.size), each.head.root.hex(), _place_of(each.position)] for each in heads
    ]


def _grant(known: ReplayedGrant) -> JsonValue:
    return {
        "grant": _json(known.grant),
        "recorded": _place_of(known.recorded),
        "revoked": _place_of(known.revoked),
        "revoked_by": known.revoked_by,
    }


def _list(known: ReplayedList) -> JsonValue:
    return {
        "rule": int(known.rule),
        "code": known.code,
        "parties": list(known.parties),
        "editions": [
            [
                each.edition,
                each.digest.hex(),
                _json(each.effective_from_s),
                each.vote_id,
                _place_of(each.position),
            ]
            for each in known.editions
        ],
    }


def _consumption(consumption: Consumption) -> JsonValue:
    return [consumption.grant_id.hex(), _place_of(consumption.position)]


def _json(value: object) -> JsonValue:
    """Plain JSON of nested values: bytes as hex, integers beyond 2**53 as text, keys as text."""
    if isinstance(value, bytes):
        return value.hex()
    if is_dataclass(value):
        return {name: _json(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) if value <= MAX_INT else str(int(value))
    return cast(JsonValue, value)
