"""T11: releases, revocations and kills at once; nothing leaves without an earlier consumption.

One window process asks for releases, one in each city revokes, and the test kills and restarts
both nodes with SIGKILL. The oracle is raw chain logs in the chain's order, a log of what left the
issuing city kept outside its code, and the cities' database files.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger_node.core.types import GrantId
from ledger_node.flows.granting import record_grant, revoke_grant
from ledger_node.flows.node import Node
from ledger_node.ports.chain import ContractRevertError
from tests.concurrency.hand_over_log import HandOverLog
from tests.integration.processes import wait
from tests.support.cities import ENDED, Cities, place_of, running_cities
from tests.support.stock import ISSUER, RELIER, consent, make_stock, prepare

pytestmark = [pytest.mark.integration]

QUICK_GRANTS, FULL_GRANTS = 24, 150
SPACING_S = 0.25
KILL_EVERY_S = 1.2
REVOKED_SHARE = 0.75
OVERLAP_FLOOR = 0.3
RELEASES = "select request_digest, state, problem_code, release_commitment from releases"
ISSUER_ENDS = {"acknowledged", "refused", "failed", "withheld", "closed"}


@pytest.fixture
def cities(tmp_path: Path) -> Iterator[Cities]:
    with running_cities(make_stock(), tmp_path / "cities", "wall") as running:
        yield running


def start(cities: Cities, slug: str) -> None:
    log = cities.path / "left.log"
    around = (lambda app: HandOverLog(app, cities.rpc, log)) if slug == ISSUER else None
    cities.start(slug, around)


def record_all(cities: Cities, count: int) -> list[GrantId]:
    with cities.opened(RELIER) as node:
        grants = [consent(node, cities.stock, uses=1) for _ in range(count)]
        for grant_id in grants:
            record_grant(node, grant_id)
    for slug in (ISSUER, RELIER):
        cities.wait_grant(slug, grants[-1])
    return grants


def note(path: Path, **facts: Any) -> None:
    with path.open("a") as lines:
        lines.write(json.dumps(facts) + "\n")


def read_notes(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def ask_for_releases(cities: Cities, grants: list[GrantId], began_s: float) -> Any:
    """Two requests for every single-use grant, one grant every `SPACING_S`."""

    def work(node: Node) -> None:
        for at, grant_id in enumerate(grants):
            time.sleep(max(0.0, began_s + at * SPACING_S - time.time()))
            for material in cities.stock.materials[:2]:
                digest = prepare(node, grant_id, material)
                path = cities.path / "asked.log"
                note(path, grant=grant_id.hex(), digest=digest.hex(), at_s=time.time())

    return work


def revoke_some(cities: Cities, grants: list[GrantId], began_s: float, seed: int) -> Any:
    """Revoke about `REVOKED_SHARE` of the grants, each around the time it is being released."""
    rng = random.Random(seed)
    plan = [
        (at * SPACING_S + rng.uniform(-0.1, 2.4), grant_id)
        for at, grant_id in enumerate(grants)
        if rng.random() < REVOKED_SHARE / 2
    ]

    def work(node: Node) -> None:
        for due_s, grant_id in sorted(plan):
            time.sleep(max(0.0, began_s + due_s - time.time()))
            from_s = time.time()
            try:
                revoke_grant(node, grant_id)
            except ContractRevertError as error:
                if error.name != "GrantsAlreadyRevoked":
                    raise
                continue
            path = cities.path / "revoked.log"
            note(path, grant=grant_id.hex(), from_s=from_s, to_s=time.time())

    return work


def run_trial(cities: Cities, count: int, seed: int) -> Counter[str]:
    for slug in (ISSUER, RELIER):
        start(cities, slug)
    grants = record_all(cities, count)
    began_s = time.time() + 0.3
    windows = [
        cities.act(RELIER, ask_for_releases(cities, grants, began_s)),
        cities.act(RELIER, revoke_some(cities, grants, began_s, seed)),
        cities.act(ISSUER, revoke_some(cities, grants, began_s, seed + 1)),
    ]
    ended_s: dict[bytes, float] = {}
    kills = kill_in_turn(cities, ended_s, began_s + count * SPACING_S, random.Random(seed))
    assert [wait(pid) for pid in windows] == [0, 0, 0]
    cities.wait_for(lambda: everything_ended(cities, ended_s, 2 * count), "all releases to end", 60)
    counts = check(cities)
    counts["kills"] = kills
    counts["overlap %"] = measure_overlap(cities, ended_s)
    return counts


def kill_in_turn(
    cities: Cities, ended_s: dict[bytes, float], until_s: float, rng: random.Random
) -> int:
    """SIGKILL the cities in turn and start them again; returns the kills in mid-release."""
    kills = 0
    next_s = time.time() + KILL_EVERY_S
    while time.time() < until_s:
        time.sleep(0.03)
        under_way = note_ends(cities, ended_s)
        if time.time() < next_s:
            continue
        victim = (ISSUER, RELIER)[kills % 2]
        cities.kill(victim)
        start(cities, victim)
        kills += under_way
        next_s = time.time() + KILL_EVERY_S * rng.uniform(0.6, 1.2)
    return kills


def note_ends(cities: Cities, ended_s: dict[bytes, float]) -> bool:
    """Note when each release was first seen ended; whether one is under way."""
    states = cities.release_states(RELIER)
    for digest, (state, _) in states.items():
        if state in ENDED:
            ended_s.setdefault(digest, time.time())
    return len(ended_s) < len(states)


def everything_ended(cities: Cities, ended_s: dict[bytes, float], asked: int) -> bool:
    note_ends(cities, ended_s)
    issued = cities.release_states(ISSUER)
    return len(ended_s) == asked and all(state in ISSUER_ENDS for state, _ in issued.values())


def check(cities: Cities) -> Counter[str]:
    """Every release against the chain's own order; returns what was seen."""
    counts: Counter[str] = Counter()
    consumed = {log["topics"][2]: log for log in cities.logs("consumed")}
    assert len(consumed) == len(cities.logs("consumed")), "a release commitment twice"
    per_grant = Counter(log["topics"][1] for log in consumed.values())
    assert max(per_grant.values()) == 1, "a single-use grant was used twice"
    revoked = {log["topics"][1]: place_of(log) for log in cities.logs("revoked")}
    for log in consumed.values():
        assert place_of(log) < revoked.get(log["topics"][1], (2**62, 0)), "used after revocation"
    counts["released before revoked"] = len(revoked.keys() & per_grant.keys())
    left: dict[str, int] = {}
    for line in read_notes(cities.path / "left.log"):
        left[line["request"]] = min(left.get(line["request"], 2**62), line["head"])
    issued = {row[0]: row for row in cities.rows(ISSUER, RELEASES)}
    for digest, state, code, commitment in cities.rows(RELIER, RELEASES):
        counts[state] += 1
        permit = permit_of(issued.get(digest))
        if digest.hex() in left:
            assert permit in consumed, "secrets left without a consumption"
            assert int(consumed[permit]["blockNumber"], 16) <= left[digest.hex()]
            counts["left"] += 1
        if state == "acknowledged":
            assert digest.hex() in left
            assert permit == "0x" + commitment.hex()
        else:
            assert code in ("grant_revoked", "grant_used_up"), (state, code)
            counts[f"refused {code}"] += 1
    return counts


def permit_of(row: Any) -> str | None:
    """Topic of the consumption a release of the issuing city stands on."""
    return None if row is None or row[3] is None else "0x" + row[3].hex()


def measure_overlap(cities: Cities, ended_s: dict[bytes, float]) -> int:
    """Share of revocations that ran while a release of the same grant was under way."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for each in read_notes(cities.path / "asked.log"):
        end_s = ended_s[bytes.fromhex(each["digest"])]
        spans.setdefault(each["grant"], []).append((each["at_s"], end_s))
    revocations = read_notes(cities.path / "revoked.log")
    overlapping = sum(
        any(begin <= each["to_s"] and each["from_s"] <= end for begin, end in spans[each["grant"]])
        for each in revocations
    )
    return 100 * overlapping // len(revocations)


def assert_worth_something(counts: Counter[str]) -> None:
    """Both ends happened, kills hit releases, and revocations ran beside releases."""
    assert counts["overlap %"] >= 100 * OVERLAP_FLOOR, counts
    assert counts["acknowledged"] >= 3, counts
    assert counts["refused grant_revoked"] >= 3, counts
    assert counts["kills"] >= 3, counts
    assert counts["released before revoked"] >= 1, counts


def test_releases_and_revocations_race_under_kills_nothing_leaves_unpermitted(
    cities: Cities,
) -> None:
    counts = run_trial(cities, QUICK_GRANTS, seed=1)
    print(dict(counts))
    assert_worth_something(counts)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(10, 20))
def test_releases_and_revocations_race_for_a_minute_nothing_leaves_unpermitted(
    cities: Cities, seed: int
) -> None:
    assert_worth_something(run_trial(cities, FULL_GRANTS, seed))
