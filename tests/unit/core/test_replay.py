"""Replay: any honest history folds clean however it is cut (T9); every breach is named."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from ledger_node.core import event_types as t
from ledger_node.core import replay_state
from ledger_node.core.replay import order_events, replay
from ledger_node.core.replay_compare import compare_states, compute_state_digest
from ledger_node.core.replay_state import ReplayState
from tests.unit.core import replay_breaches, replay_breaches_catalogue
from tests.unit.core.chain_histories import (
    CITY_LOG,
    GRANTS,
    MEMBERSHIP,
    History,
    digest,
)
from tests.unit.core.replay_breaches import CODE, MIANYANG, WUHOU, closed

BREACHES = replay_breaches.BREACHES | replay_breaches_catalogue.BREACHES
CLEAN = replay_breaches.CLEAN | replay_breaches_catalogue.CLEAN

HISTORIES = 200


def fresh(contiguous=True):
    return ReplayState(membership=MEMBERSHIP, contiguous=contiguous)


def run(history, contiguous=True):
    return replay(fresh(contiguous), history.events)


def codes(state):
    return [each.code for each in state.discrepancies]


def make_pages(events, rng):
    """The events in random pages, each overlapping the one before."""
    at = 0
    while at < len(events):
        end = at + rng.randrange(1, 40)
        yield events[max(0, at - rng.randrange(12)) : end]
        at = end


@pytest.mark.parametrize("block", range(0, HISTORIES, 20))
def test_replay_doubled_reordered_missing_and_split_histories(block):
    """T9 quick: the same state, or a named detection; 200 seeded histories, all four ways each."""
    ways = Counter()
    for seed in range(block, block + 20):
        rng = random.Random(f"t9/{seed}")
        history = History(seed).found().run(40)
        events = history.events
        whole = replay(fresh(), events)
        assert codes(whole) == []
        expected = compute_state_digest(whole)

        doubled = [event for event in events for _ in range(rng.choice((1, 1, 2, 3)))]
        assert len(doubled) > len(events)
        state = replay(fresh(), doubled)
        assert (codes(state), compute_state_digest(state)) == ([], expected)
        ways["doubled"] += 1

        shuffled = rng.sample(events, len(events))
        assert shuffled != events
        state = replay(fresh(), order_events(shuffled))
        assert (codes(state), compute_state_digest(state)) == ([], expected)
        assert CODE.EVENT_OUT_OF_ORDER in codes(replay(fresh(), shuffled))
        ways["reordered"] += 1

        state = fresh()
        for page in make_pages(events, rng):
            state = replay(state, page)
        assert (codes(state), compute_state_digest(state)) == ([], expected)
        assert compare_states(state, whole) == []
        ways["split"] += 1

        at = rng.randrange(len(events))
        state = replay(fresh(), events[:at] + events[at + 1 :])
        assert compute_state_digest(state) != expected
        assert compare_states(whole, state), "a missing event must be located"
        ways["missing"] += 1
    assert ways == dict.fromkeys(("doubled", "reordered", "split", "missing"), 20)


def test_replay_every_single_missing_event_is_located():
    history = History(11).found().run(80)
    whole = run(history)
    names = Counter()
    for at, event in enumerate(history.events):
        state = replay(fresh(), history.events[:at] + history.events[at + 1 :])
        name = type(event).__name__
        places = [each.where for each in compare_states(whole, state)]
        assert f"events {name}" in places
        names[name] += 1
        follows = at + 1 < len(history.events) and (
            history.events[at + 1].position.block_number == event.position.block_number
        )
        if follows:
            assert CODE.EVENT_GAP in codes(state), "a gap inside a block is seen by itself"
    assert len(names) >= 15


def test_replay_leaves_its_input_alone_and_fold_is_associative():
    history = History(5).found().run(60)
    half = replay(fresh(), history.events[:100])
    before = compute_state_digest(half)
    whole = replay(half, history.events[100:])
    assert compute_state_digest(half) == before
    assert compute_state_digest(whole) == compute_state_digest(run(history))


def test_replay_head_and_generation_are_what_was_anchored():
    history = History().found()
    event = history.anchor(WUHOU)
    state = run(history)
    generation, head = state.held_head(WUHOU)
    assert (generation, head.size, head.root) == (1, event.size, event.root)
    assert state.held_head(MIANYANG) == (1, None)


def test_replay_page_overlap_beyond_memory_is_out_of_order(monkeypatch):
    monkeypatch.setattr("ledger_node.core.replay.RECENT_EVENTS", 10)
    history = History(2).found()
    state = replay(run(history), history.events[-10:])
    assert codes(state) == []
    assert codes(replay(state, history.events[:1])) == [CODE.EVENT_OUT_OF_ORDER]
    assert len(state.recent) == 10


def test_replay_discrepancies_are_capped_and_counted(monkeypatch):
    monkeypatch.setattr(replay_state, "MAX_KEPT_DISCREPANCIES", 3)
    history = History().found()
    for _ in range(5):
        history.emit(t.MemberReinstated, WUHOU)
    state = run(history)
    assert (len(state.discrepancies), state.discrepancy_count) == (3, 10)


@pytest.mark.parametrize("name", BREACHES)
def test_replay_breach_is_named_and_located(name):
    code, act = BREACHES[name]
    assert codes(run(History().found())) == []
    history = History().found()
    act(history)
    state = run(history)
    assert code in codes(state), codes(state)
    where = next(each.where for each in state.discrepancies if each.code is code)
    last = history.events[-1].position
    assert where == f"block {last.block_number} log {last.log_index}"


@pytest.mark.parametrize("name", CLEAN)
def test_replay_twin_of_a_breach_is_clean(name):
    history = History().found()
    CLEAN[name](history)
    assert codes(run(history)) == []


def test_replay_breaches_cover_every_code_of_the_fold():
    elsewhere = {each for each in CODE if each.value.startswith(("log_", "state_", "document_"))}
    assert {code for code, _ in BREACHES.values()} | elsewhere == set(CODE)


def test_replay_without_contiguous_logs_takes_gaps_of_foreign_contracts():
    history = History().found()
    history.log_index += 5
    history.anchor()
    assert codes(run(history, contiguous=False)) == []
    assert codes(run(history)) == [CODE.EVENT_GAP]


def test_compare_states_names_missing_extra_and_different_places():
    history = History().found()
    grant = history.record()
    first = run(history)
    history.emit(t.GrantRevoked, grant.grant_id, grant.releasing, address=GRANTS)
    other = history.record()
    second = run(history)
    found = {each.where: each.code for each in compare_states(first, second)}
    address = GRANTS.hex()
    assert found[f"grant {address} {grant.grant_id.hex()}"] is CODE.STATE_DIFFERS
    assert found[f"grant {address} {other.grant_id.hex()}"] is CODE.STATE_EXTRA
    assert found["events GrantRevoked"] is CODE.STATE_EXTRA
    back = {each.where: each.code for each in compare_states(second, first)}
    assert back[f"grant {address} {other.grant_id.hex()}"] is CODE.STATE_MISSING
    assert compute_state_digest(first) != compute_state_digest(second)


def test_compute_state_digest_takes_sizes_beyond_53_bits():
    history = History().found()
    history.emit(t.CheckpointAnchored, WUHOU, 1, 2**64 - 1, digest("r"), address=CITY_LOG)
    closed(history, 1, 2**64 - 1, digest("r"))
    state = run(history)
    assert len(compute_state_digest(state)) == 32
    history.events[-1] = replace(history.events[-1], size=2**64 - 2)
    assert compute_state_digest(run(history)) != compute_state_digest(state)
