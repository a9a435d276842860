"""Random histories of contract events, and what they add up to without the code under test."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from eth_abi import encode

from ledger_node.core.events import EVENT_LAYOUTS
from ledger_node.core.types import Address
from tests.fakes.fake_chain import Emitted, FakeChain
from tests.integration.chain.support import CITIES, CITY_LOG, GRANTS, STATUS

FOREIGN = Address(b"\x77" * 20)
_LAYOUTS = {
    layout.kind.__name__: layout for layouts in EVENT_LAYOUTS.values() for layout in layouts
}


def build_log(name: str, *values: Any) -> Emitted:
    """Topics and data of an event, encoded by the reference encoder."""
    layout = _LAYOUTS[name]
    types = layout.signature[layout.signature.index("(") + 1 : -1].split(",")
    triples = list(zip(types, layout.indexed, values, strict=True))
    topics = [encode([kind], [value]) for kind, indexed, value in triples if indexed]
    plain = [(kind, value) for kind, indexed, value in triples if not indexed]
    data = encode([kind for kind, _ in plain], [value for _, value in plain])
    return (layout.topic, *topics), data


@dataclass
class History:
    """What was emitted, by what it means."""

    heads: dict[str, list[tuple[int, int, bytes, bool]]] = field(default_factory=dict)
    grants: dict[bytes, tuple[Any, ...]] = field(default_factory=dict)
    revoked: dict[bytes, str] = field(default_factory=dict)
    consumed: dict[bytes, list[tuple[bytes, int]]] = field(default_factory=dict)
    flags: dict[tuple[str, bytes], list[int]] = field(default_factory=dict)
    objections: dict[int, tuple[str, bytes, str, int]] = field(default_factory=dict)
    logs: int = 0


def emit_history(chain: FakeChain, rng: random.Random, blocks: int) -> History:
    """Blocks with a few events each; some with logs of foreign contracts between them."""
    history = History()
    leaves = [rng.randbytes(32) for _ in range(3)]
    for _ in range(blocks):
        emitted = []
        for _ in range(rng.choice((0, 1, 2, 5))):
            emitted.append(_one(history, rng, leaves))
            history.logs += 1
            if rng.random() < 0.2:
                emitted.append((FOREIGN, ((rng.randbytes(32),), b"foreign")))
        chain.emit(emitted)
    return history


def _one(history: History, rng: random.Random, leaves: list[bytes]) -> tuple[Address, Emitted]:
    city = rng.choice(CITIES)
    choice = rng.randrange(7)
    if choice == 0:
        return CITY_LOG, _head(history, rng, city)
    if choice == 1 or not history.grants:
        return GRANTS, _grant(history, rng, city)
    if choice == 2:
        grant_id = rng.choice([*history.grants, rng.randbytes(32)])
        history.revoked.setdefault(grant_id, city)
        return GRANTS, build_log("GrantRevoked", grant_id, int(city))
    if choice == 3:
        grant_id, release, left = rng.choice([*history.grants]), rng.randbytes(32), rng.randrange(9)
        history.consumed.setdefault(grant_id, []).append((release, left))
        return GRANTS, build_log("GrantConsumed", grant_id, release, left)
    leaf = rng.choice(leaves)
    if choice == 4:
        flag = rng.choice((1, 2, 4, 8))
        history.flags.setdefault((city, leaf), []).append(flag)
        return STATUS, build_log("StatusSet", int(city), leaf, flag, bytes(32))
    if choice == 5 or not history.objections:
        number, raiser = len(history.objections) + 1, rng.choice(CITIES)
        history.objections[number] = (city, leaf, raiser, 0)
        reason = rng.randbytes(32)
        return STATUS, build_log("ObjectionRaised", number, int(city), leaf, int(raiser), reason)
    return STATUS, _settle(history, rng)


def _settle(history: History, rng: random.Random) -> Emitted:
    open_ones = [number for number, row in history.objections.items() if row[3] == 0]
    number = rng.choice(open_ones) if open_ones else 10**6 + rng.randrange(10**9)
    outcome = rng.choice((1, 2, 3, 4))
    if open_ones:
        history.objections[number] = (*history.objections[number][:3], outcome)
    if outcome == 4:
        return build_log("ObjectionWithdrawn", number)
    return build_log("ObjectionClosed", number, outcome)


def _head(history: History, rng: random.Random, city: str) -> Emitted:
    known = history.heads.setdefault(city, [])
    generation = known[-1][0] + known[-1][3] if known else 1
    size = (known[-1][1] if known and not known[-1][3] else 0) + rng.randint(1, 300)
    root, closing = rng.randbytes(32), rng.random() < 0.1
    known.append((generation, size, root, closing))
    name = "GenerationClosed" if closing else "CheckpointAnchored"
    return build_log(name, int(city), generation, size, root)


def _grant(history: History, rng: random.Random, city: str) -> Emitted:
    grant_id, evidence = rng.randbytes(32), rng.randbytes(32)
    other = rng.choice([item for item in CITIES if item != city])
    row = (city, other, city, 100, 200, rng.randint(1, 5), rng.randint(1, 4), evidence)
    history.grants[grant_id] = row
    return build_log("GrantRecorded", grant_id, int(city), int(other), int(city), *row[3:])
