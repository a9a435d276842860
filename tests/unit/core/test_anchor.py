"""Transaction states, finality, and the next anchor."""

import pytest

from ledger_node.core import anchor
from ledger_node.core.anchor import AnchorStep, Finality, FinalityKind, TxEvent, TxState
from ledger_node.core.errors import IllegalTransitionError
from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead

HASH, OTHER = b"\1" * 32, b"\2" * 32


def test_transitions_name_every_state_and_final_states_let_nothing_out():
    assert anchor.TRANSITIONS.keys() == set(TxState)
    assert {TxState.CONFIRMED, TxState.FAILED} == anchor.FINAL_STATES
    for state in anchor.FINAL_STATES:
        for event in TxEvent:
            with pytest.raises(IllegalTransitionError):
                anchor.compute_next_state(state, event)


def test_transitions_every_state_can_still_reach_both_ends():
    for start in set(TxState) - anchor.FINAL_STATES:
        reached, frontier = {start}, [start]
        while frontier:
            for after in anchor.TRANSITIONS[frontier.pop()].values():
                if after not in reached:
                    reached.add(after)
                    frontier.append(after)
        assert reached >= anchor.FINAL_STATES


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ("TX_SUBMITTED TX_INCLUDED FINALITY_REACHED", TxState.CONFIRMED),
        ("TX_SUBMITTED TX_INCLUDED REVERT_FINAL", TxState.FAILED),
        ("TX_SUBMITTED TX_DROPPED TX_SUBMITTED TX_INCLUDED", TxState.INCLUDED),
        ("TX_INCLUDED BLOCK_ORPHANED TX_INCLUDED FINALITY_REACHED", TxState.CONFIRMED),
        ("TX_SUBMITTED NONCE_TAKEN_FINAL", TxState.FAILED),
        ("NONCE_TAKEN_FINAL", TxState.FAILED),
    ],
)
def test_compute_next_state_along_a_life_ends_there(events, end):
    state = TxState.SIGNED
    for name in events.split():
        state = anchor.compute_next_state(state, TxEvent[name])
    assert state is end


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (TxState.SIGNED, TxEvent.FINALITY_REACHED),
        (TxState.SUBMITTED, TxEvent.FINALITY_REACHED),
        (TxState.INCLUDED, TxEvent.NONCE_TAKEN_FINAL),
        (TxState.INCLUDED, TxEvent.TX_DROPPED),
    ],
)
def test_compute_next_state_impossible_event_raises(state, event):
    with pytest.raises(IllegalTransitionError) as caught:
        anchor.compute_next_state(state, event)
    assert caught.value.fields["state"] == state.name


@pytest.mark.parametrize("text", ["immediate", "finalized", "depth:1", "depth:12", "depth:100000"])
def test_parse_finality_policy_round_trips(text):
    assert anchor.encode_finality_policy(anchor.parse_finality_policy(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "Immediate", "depth", "depth:0", "depth:01", "depth:100001", "depth:-1", "depth: 2"],
)
def test_parse_finality_policy_other_text_raises(text):
    with pytest.raises(anchor.MalformedFinalityPolicyError):
        anchor.parse_finality_policy(text)


@pytest.mark.parametrize(
    ("policy", "head", "finalized", "final"),
    [
        ("immediate", 9, None, 9),
        ("depth:3", 9, None, 6),
        ("depth:9", 9, None, 0),
        ("depth:10", 9, None, None),
        ("finalized", 9, None, None),
        ("finalized", 9, 4, 4),
        ("finalized", 9, 12, 9),
    ],
)
def test_compute_final_block_by_policy(policy, head, finalized, final):
    parsed = anchor.parse_finality_policy(policy)
    assert anchor.compute_final_block(parsed, head, finalized) == final


@pytest.mark.parametrize(
    ("policy", "block", "hash_now", "decision"),
    [
        ("immediate", 9, HASH, Finality.FINAL),
        ("immediate", 9, OTHER, Finality.ORPHANED),
        ("immediate", 9, None, Finality.ORPHANED),
        ("depth:2", 7, HASH, Finality.FINAL),
        ("depth:2", 8, HASH, Finality.WAITING),
        ("depth:2", 7, OTHER, Finality.ORPHANED),
        ("depth:20", 0, HASH, Finality.WAITING),
        ("finalized", 5, HASH, Finality.FINAL),
        ("finalized", 6, HASH, Finality.WAITING),
    ],
)
def test_decide_finality_by_stored_hash_and_policy(policy, block, hash_now, decision):
    found = anchor.decide_finality(
        anchor.parse_finality_policy(policy), block, HASH, hash_now=hash_now, head=9, finalized=5
    )
    assert found is decision


def head(size, root=HASH):
    return TreeHead(size, root)


@pytest.mark.parametrize(
    ("held", "local", "unconfirmed", "root_at", "step"),
    [
        (EMPTY_TREE_HEAD, EMPTY_TREE_HEAD, False, None, AnchorStep.NOTHING),
        (EMPTY_TREE_HEAD, head(5), False, None, AnchorStep.ANCHOR),
        (EMPTY_TREE_HEAD, head(5), True, None, AnchorStep.WAIT),
        (head(5), head(5), False, None, AnchorStep.NOTHING),
        (head(5), head(5), True, None, AnchorStep.WAIT),
        (head(5, OTHER), head(5), False, None, AnchorStep.HALT_CONTRADICTED),
        (head(5, OTHER), head(5), True, None, AnchorStep.HALT_CONTRADICTED),
        (head(3), head(5, OTHER), False, HASH, AnchorStep.ANCHOR),
        (head(3), head(5, OTHER), True, HASH, AnchorStep.WAIT),
        (head(3), head(5), False, OTHER, AnchorStep.HALT_CONTRADICTED),
        (head(6), head(5), False, None, AnchorStep.HALT_BEHIND),
        (head(6), head(5), True, None, AnchorStep.HALT_BEHIND),
    ],
)
def test_decide_next_anchor_by_heads(held, local, unconfirmed, root_at, step):
    asked = []

    def compute_root_at(size):
        asked.append(size)
        return root_at

    decision = anchor.decide_next_anchor(
        held, local, has_unconfirmed=unconfirmed, compute_root_at=compute_root_at
    )
    assert decision == anchor.AnchorDecision(step, held, local)
    assert asked == ([] if root_at is None else [held.size])


def test_finality_kinds_are_all_parsed():
    for kind in FinalityKind:
        text = "depth:4" if kind is FinalityKind.DEPTH else kind.value
        assert anchor.parse_finality_policy(text).kind is kind
