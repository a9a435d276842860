"""T10 over the contract: grant, revoke, expire, request, consume, release in any order.

`Grants.sol` runs on an in-process EVM. The releasing city is played as it works: it follows the
chain with a delay, moves its releases by `core/release.py`, and lets a secret go only from
CONFIRMED on. An independent model says which call must be refused, and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ledger_node.core.release import (
    OutgoingEvent,
    OutgoingState,
    advance_outgoing,
    compute_release_commitment,
)
from ledger_node.core.types import Salt
from tests.contracts.consortium import CITIES, GATE, Consortium, signer
from tests.contracts.evm import RevertedError
from tests.model.oracle import Model

RELEASING, RECEIVING, RECORDER, BYSTANDER, _ = CITIES
GRANTS = st.integers(0, 6)
EVIDENCE = b"\xee" * 32
COUNTER = 2
HANDED_OVER = (OutgoingState.CONFIRMED, OutgoingState.SENT)


@cache
def built_consortium() -> Consortium:
    return Consortium()


def terms_of(grant: int) -> bytes:
    return bytes([0x70 + grant]) * 32


@dataclass
class Release:
    """A release as the releasing city keeps it."""

    grant: int
    commitment: bytes
    state: OutgoingState = OutgoingState.ANSWERED
    secret_left: bool = False


class Gate(RuleBasedStateMachine):
    """The city, the chain and the model side by side."""

    counts: ClassVar[dict[str, int]] = {}

    @initialize(
        begins=st.lists(st.sampled_from((0, 0, -10, 20)), min_size=4, max_size=4),
        lengths=st.lists(st.sampled_from((30, 200, 2000)), min_size=4, max_size=4),
        uses=st.lists(st.integers(1, 3), min_size=4, max_size=4),
    )
    def start(self, begins: list[int], lengths: list[int], uses: list[int]) -> None:
        """Four grants are recorded and followed."""
        self.chain = built_consortium().fork()
        self.model = Model(self.chain.evm.timestamp_s)
        self.releases: list[Release] = []
        self.events: list[tuple[str, dict[str, Any]]] = []  # the chain's order
        self.followed = 0
        for grant, values in enumerate(zip(begins, lengths, uses, strict=True)):
            self.record(grant, *values)
        self.follow(4)

    def send(self, city: int, function: str, *args: Any) -> str | None:
        """Name of the contract's refusal, or None; a block later."""
        try:
            receipt = self.chain.grants.send(signer(city, GATE), function, *args)
        except RevertedError as error:
            self.count(f"{function} {error.name}")
            return error.name
        self.events += receipt.events
        self.count(function)
        return None

    def count(self, what: str) -> None:
        type(self).counts[what] = type(self).counts.get(what, 0) + 1

    @rule(
        grant=GRANTS,
        begin=st.sampled_from((-50, -10, 0, 20)),
        length=st.sampled_from((0, 5, 1000, 1000)),
        uses=st.sampled_from((0, 1, 2, 3)),
    )
    def record(self, grant: int, begin: int, length: int, uses: int) -> None:
        begin_s = self.model.now_s + begin
        end_s = begin_s + length
        refusal = self.send(
            RECORDER, "record", terms_of(grant), RELEASING, RECEIVING, begin_s, end_s, uses,
            COUNTER, EVIDENCE,
        )  # fmt: skip
        assert refusal == self.model.record(grant, begin_s, end_s, uses)

    @rule(grant=GRANTS, by=st.sampled_from((RELEASING, RECEIVING, RECORDER, BYSTANDER)))
    def revoke(self, grant: int, by: int) -> None:
        assert self.send(by, "revoke", terms_of(grant)) == self.model.revoke(grant)

    @rule(seconds=st.sampled_from((1, 5, 20, 100)))
    def pass_time(self, seconds: int) -> None:
        self.chain.evm.advance(seconds)
        self.model.now_s += seconds

    @precondition(lambda self: bool(self.allowed()))
    @rule(data=st.data(), salt=st.binary(min_size=32, max_size=32), count=st.integers(1, 4))
    def request(self, data: st.DataObject, salt: bytes, count: int) -> None:
        """The city decides on what it followed, which may be old, and stores answers."""
        grant = data.draw(st.sampled_from(self.allowed()))
        for _ in range(count):
            number = len(self.releases).to_bytes(32, "big")
            commitment = compute_release_commitment(Salt(salt), number, number)
            self.releases.append(Release(grant, commitment))

    def allowed(self) -> list[int]:
        """Grants the city takes for valid: recorded and not revoked, as far as it followed."""
        seen = self.events[: self.followed]
        ended = {values["terms"] for name, values in seen if name == "GrantRevoked"}
        recorded = {values["terms"] for name, values in seen if name == "GrantRecorded"}
        return sorted(terms[0] - 0x70 for terms in recorded - ended)

    @precondition(lambda self: self.in_state(OutgoingState.ANSWERED))
    @rule(share=st.integers(1, 4))
    def consume(self, share: int) -> None:
        """Signed and broadcast; whether they went through is only known by following."""
        waiting = self.in_state(OutgoingState.ANSWERED)
        for release in waiting[: max(1, len(waiting) * share // 4)]:
            number = self.releases.index(release)
            refusal = self.send(RELEASING, "consume", terms_of(release.grant), release.commitment)
            assert refusal == self.model.consume(release.grant, number)
            self.move(release, OutgoingEvent.CONSUME_STORED)
            if refusal is not None:
                self.move(release, OutgoingEvent.REVERT_FINAL)
        if refusal is None:  # the last one once more, as after an answer that was lost
            again = self.send(RELEASING, "consume", terms_of(release.grant), release.commitment)
            assert again == self.model.refusal(release.grant, number)
            assert again is not None

    @precondition(lambda self: bool(self.model.consumed))
    @rule(data=st.data(), grant=GRANTS)
    def consume_again(self, data: st.DataObject, grant: int) -> None:
        """The same release commitment, under any grant: refused whatever else holds."""
        number = data.draw(st.sampled_from(sorted(self.model.consumed)))
        refusal = self.send(RELEASING, "consume", terms_of(grant), self.releases[number].commitment)
        assert refusal is not None
        assert refusal == self.model.refusal(grant, number)

    @rule(grant=GRANTS, by=st.sampled_from((RECEIVING, RECORDER, BYSTANDER)))
    def consume_as_another_city(self, grant: int, by: int) -> None:
        refusal = self.send(by, "consume", terms_of(grant), b"\x99" * 32)
        expected = "GrantsNotReleaser" if grant in self.model.grants else "GrantsUnknown"
        closed = self.model.refusal(grant, -1) == "GrantsRevoked"
        assert refusal == ("GrantsRevoked" if closed else expected)

    @rule(share=st.sampled_from((1, 2, 4, 4, 4)))
    def follow(self, share: int) -> None:
        """The city follows the chain, not always to its end."""
        self.followed += (len(self.events) - self.followed) * share // 4
        final = {
            values["releaseCommitment"]
            for name, values in self.events[: self.followed]
            if name == "GrantConsumed"
        }
        for release in self.in_state(OutgoingState.CONSUME_SIGNED):
            if release.commitment in final:
                self.move(release, OutgoingEvent.CONSUME_FINAL)

    @rule()
    def hand_over(self) -> None:
        """Whatever may leave leaves."""
        for release in self.releases:
            if release.state in HANDED_OVER and not release.secret_left:
                self.move(release, OutgoingEvent.ANSWER_SENT)
                release.secret_left = True
                self.count("left")

    def in_state(self, state: OutgoingState) -> list[Release]:
        return [release for release in self.releases if release.state is state]

    def move(self, release: Release, event: OutgoingEvent) -> None:
        release.state = advance_outgoing(release.state, event)

    @invariant()
    def secrets_left_only_with_their_own_final_consumption(self) -> None:
        for number, release in enumerate(self.releases):
            if release.secret_left:
                permits = [
                    values["terms"]
                    for name, values in self.events[: self.followed]
                    if name == "GrantConsumed" and values["releaseCommitment"] == release.commitment
                ]
                assert permits == [terms_of(release.grant)]
                assert self.model.consumed[number] == release.grant

    @invariant()
    def events_tell_a_lawful_history(self) -> None:
        """Read in the chain's order: no use after a revocation, never more uses than granted, no
        terms recorded twice."""
        uses: dict[bytes, int] = {}
        revoked: set[bytes] = set()
        for name, values in self.events:
            terms = values["terms"]
            if name == "GrantRecorded":
                assert terms not in uses
                assert terms not in revoked
                uses[terms] = values["uses"]
            elif name == "GrantRevoked":
                assert terms not in revoked
                revoked.add(terms)
            else:
                assert terms not in revoked
                uses[terms] -= 1
                assert uses[terms] == values["usesLeft"] >= 0


def run(examples: int, steps: int) -> dict[str, int]:
    Gate.counts = {}
    run_state_machine_as_test(
        Gate,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),  # a failure is reported as found: its steps are few
        ),
    )
    return Gate.counts


EVERY_OUTCOME = {
    "record",
    "record GrantsTermsSeen",
    "record GrantsBadWindow",
    "record GrantsNoUses",
    "revoke",
    "revoke GrantsAlreadyRevoked",
    "consume",
    "consume GrantsRevoked",
    "consume GrantsNotYetValid",
    "consume GrantsExpired",
    "consume GrantsUsedUp",
    "consume GrantsReleaseUsed",
    "consume GrantsNotReleaser",
    "left",
}


def test_gate_model_quick_run_agrees_with_the_contract() -> None:
    counts = run(100, 30)
    assert counts.keys() >= EVERY_OUTCOME, EVERY_OUTCOME - counts.keys()
    assert counts["left"] >= 10, counts


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_gate_model_full_run_agrees_with_the_contract() -> None:
    counts = run(3_000, 50)
    assert counts.keys() >= EVERY_OUTCOME
