"""Histories with one breach each, and their clean twins; used by test_replay.py.

Each entry acts on a founded `History`; `BREACHES` names the discrepancy code it must lead to.
"""

from dataclasses import replace

from ledger_node.core import event_types as t
from ledger_node.core.replay_state import DiscrepancyCode
from tests.unit.core.chain_histories import CITY_LOG, GRANTS, STATUS, digest, moved

CODE = DiscrepancyCode
WUHOU, MIANYANG, XIONGAN = "510107", "510700", "130629"


def contradicted(h):
    event = h.anchor()
    h.events.append(replace(event, root=digest("other")))


def gap(h):
    h.next_block()
    h.log_index = 1
    h.anchor()


def late(h):
    event = h.anchor()
    h.next_block()
    h.anchor()
    h.events.append(moved(event, log_index=event.position.log_index + 1))


def two_hashes(h):
    h.anchor()
    h.next_tx()
    event = h.anchor()
    h.events[-1] = moved(event, block_hash=digest("fork"))


def time_backwards(h):
    h.anchor()
    h.next_block(seconds=-1)
    h.anchor()


def unregistered(h):
    h.anchor()
    h.events[-1] = moved(h.events[-1], address=b"\x99" * 20)


def not_current(h):
    h.vote(t.ProposalKind.REGISTER_CONTRACT)
    h.emit(t.ContractRegistered, t.ContractRole.CITY_LOG, b"\x99" * 20, h.block)
    h.next_block()
    h.anchor()


def suspended_member(h, act):
    h.vote(t.ProposalKind.SUSPEND_CITY)
    h.emit(t.MemberSuspended, WUHOU)
    act(h)


def proposal(h, expires_s=1000):
    h.proposals += 1
    kind = t.ProposalKind.SUSPEND_CITY
    values = (h.proposals, WUHOU, kind, b"", bytes(32), h.time_s + expires_s)
    h.emit(t.ProposalCreated, *values)
    return h.proposals


def vote_after_expiry(h):
    number = proposal(h)
    h.next_block(seconds=1000)
    h.emit(t.VoteCast, number, WUHOU, True)


def vote_twice(h):
    number = proposal(h)
    h.emit(t.VoteCast, number, WUHOU, True)
    h.emit(t.VoteCast, number, WUHOU, True)


def too_few_votes(h):
    number = proposal(h)
    for city in (WUHOU, MIANYANG, XIONGAN):  # 3 of 5: 9 < 10
        h.emit(t.VoteCast, number, city, True)
    h.emit(t.ProposalExecuted, number)


def execute_twice(h):
    h.vote(t.ProposalKind.SUSPEND_CITY)
    h.emit(t.ProposalExecuted, h.proposals)


def anchored(h, size, generation=1):
    h.emit(t.CheckpointAnchored, WUHOU, generation, size, digest("root"), address=CITY_LOG)


def closed(h, generation, size, root):
    h.vote(t.ProposalKind.CLOSE_GENERATION)
    h.emit(t.GenerationClosed, WUHOU, generation, size, root, address=CITY_LOG)


def held(h):
    return h.anchor(WUHOU)


def many_objections(h):
    for _ in range(101):
        h.objections += 1
        values = (h.objections, WUHOU, digest("leaf"), MIANYANG, digest("why"))
        h.emit(t.ObjectionRaised, *values, address=STATUS)


def objection(h, city, raiser):
    values = (1, city, digest("leaf"), raiser, digest("why"))
    h.emit(t.ObjectionRaised, *values, address=STATUS)


def recorded(h, **changes):
    event = h.record()
    h.events[-1] = replace(event, **changes)
    return event


def consumed(h, grant_id, left, release=None):
    release = release or digest("release", len(h.events))
    h.emit(t.GrantConsumed, grant_id, release, left, address=GRANTS)


def consume_after_revocation(h):
    event = h.record()
    h.emit(t.GrantRevoked, event.grant_id, event.releasing, address=GRANTS)
    consumed(h, event.grant_id, event.uses - 1)


def consume_late(h):
    event = h.record(window_s=1000)
    h.next_block(seconds=1000)
    consumed(h, event.grant_id, event.uses - 1)


def consume_early(h):
    event = recorded(h, not_before_s=h.time_s + 1)
    consumed(h, event.grant_id, event.uses - 1)


def consume_used_up(h):
    event = h.record(uses=1)
    consumed(h, event.grant_id, 0)
    consumed(h, event.grant_id, 0)


def release_twice(h):
    event = h.record(uses=2)
    consumed(h, event.grant_id, 1, digest("same"))
    consumed(h, event.grant_id, 0, digest("same"))


def revoke_twice(h):
    event = h.record()
    for _ in range(2):
        h.emit(t.GrantRevoked, event.grant_id, event.releasing, address=GRANTS)


def revoke_many(h, count):
    for number in range(count):
        h.emit(t.GrantRevoked, digest("unknown", number), WUHOU, address=GRANTS)


def record_again(h):
    event = h.record()
    h.events.append(moved(event, log_index=h.log_index))
    h.log_index += 1


BREACHES = {
    "event_contradicted": (CODE.EVENT_CONTRADICTED, contradicted),
    "event_gap": (CODE.EVENT_GAP, gap),
    "event_out_of_order": (CODE.EVENT_OUT_OF_ORDER, late),
    "event_unknown": (CODE.EVENT_UNKNOWN, lambda h: h.emit(t.UnknownEvent, (b"\0" * 32,), b"")),
    "event_anonymous": (CODE.EVENT_UNKNOWN, lambda h: h.emit(t.UnknownEvent, (), b"")),
    "block_two_hashes": (CODE.BLOCK_CONTRADICTED, two_hashes),
    "block_time_backwards": (CODE.BLOCK_TIME_BACKWARDS, time_backwards),
    "contract_unregistered": (CODE.CONTRACT_UNKNOWN, unregistered),
    "contract_other_membership": (
        CODE.CONTRACT_UNKNOWN,
        lambda h: h.emit(t.UrlAnnounced, WUHOU, "https://x", 0, h.changes + 1, address=CITY_LOG),
    ),
    "contract_of_another_role": (
        CODE.CONTRACT_UNKNOWN,
        lambda h: h.emit(t.GrantRevoked, digest("x"), WUHOU, address=STATUS),
    ),
    "contract_not_current": (CODE.CONTRACT_NOT_CURRENT, not_current),
    "membership_contradiction": (
        CODE.MEMBERSHIP_CONTRADICTION,
        lambda h: h.emit(t.ChangeCancelled, 99, WUHOU),
    ),
    "change_number_skipped": (
        CODE.NUMBER_SKIPPED,
        lambda h: h.emit(t.UrlAnnounced, WUHOU, "https://x", 0, h.changes + 2),
    ),
    "proposal_number_skipped": (
        CODE.NUMBER_SKIPPED,
        lambda h: [setattr(h, "proposals", h.proposals + 1), proposal(h)],
    ),
    "objection_number_skipped": (
        CODE.NUMBER_SKIPPED,
        lambda h: h.emit(
            t.ObjectionRaised, 2, WUHOU, digest("l"), MIANYANG, digest("w"), address=STATUS
        ),
    ),
    "suspended_without_vote": (
        CODE.CHANGE_WITHOUT_VOTE,
        lambda h: h.emit(t.MemberSuspended, WUHOU),
    ),
    "contract_without_vote": (
        CODE.CHANGE_WITHOUT_VOTE,
        lambda h: h.emit(t.ContractRegistered, t.ContractRole.GRANTS, b"\x99" * 20, h.block + 1),
    ),
    "key_without_vote": (
        CODE.CHANGE_WITHOUT_VOTE,
        lambda h: h.emit(t.KeyAnnounced, WUHOU, t.KeyRole.GATE, digest("k"), h.time_s, 0),
    ),
    "admitted_without_vote": (
        CODE.CHANGE_WITHOUT_VOTE,
        lambda h: h.emit(t.MemberAdmitted, "500000", "https://new.example"),
    ),
    "distrusted_without_vote": (
        CODE.CHANGE_WITHOUT_VOTE,
        lambda h: h.emit(
            t.KeyDistrusted, WUHOU, t.KeyRole.GATE, digest("key", WUHOU, t.KeyRole.GATE), 1
        ),
    ),
    "vote_of_another_kind": (
        CODE.CHANGE_WITHOUT_VOTE,
        lambda h: [
            h.vote(t.ProposalKind.DISTRUST_KEY),
            h.emit(t.MemberSuspended, WUHOU),
        ],
    ),
    "vote_of_another_transaction": (
        CODE.CHANGE_WITHOUT_VOTE,
        lambda h: [
            h.vote(t.ProposalKind.SUSPEND_CITY),
            h.next_tx(),
            h.emit(t.MemberSuspended, WUHOU),
        ],
    ),
    "closed_without_vote": (
        CODE.CHANGE_WITHOUT_VOTE,
        lambda h: h.emit(t.GenerationClosed, WUHOU, 1, 0, digest("e"), address=CITY_LOG),
    ),
    "vote_unknown_proposal": (
        CODE.PROPOSAL_UNKNOWN,
        lambda h: h.emit(t.VoteCast, 99, WUHOU, True),
    ),
    "executed_unknown_proposal": (
        CODE.PROPOSAL_UNKNOWN,
        lambda h: h.emit(t.ProposalExecuted, 99),
    ),
    "vote_after_expiry": (CODE.PROPOSAL_OVER, vote_after_expiry),
    "executed_twice": (CODE.PROPOSAL_OVER, execute_twice),
    "voted_the_same_twice": (CODE.VOTE_REPEATED, vote_twice),
    "three_of_five_votes": (CODE.QUORUM_MISSING, too_few_votes),
    "stranger_votes": (
        CODE.NOT_A_MEMBER,
        lambda h: h.emit(t.VoteCast, proposal(h), "999999", True),
    ),
    "stranger_anchors": (
        CODE.NOT_A_MEMBER,
        lambda h: h.emit(t.CheckpointAnchored, "999999", 1, 5, digest("r"), address=CITY_LOG),
    ),
    "stranger_closed": (
        CODE.NOT_A_MEMBER,
        lambda h: [
            h.vote(t.ProposalKind.CLOSE_GENERATION),
            h.emit(t.GenerationClosed, "999999", 1, 0, digest("e"), address=CITY_LOG),
        ],
    ),
    "stranger_objects": (CODE.NOT_A_MEMBER, lambda h: objection(h, WUHOU, "999999")),
    "objection_against_stranger": (CODE.NOT_A_MEMBER, lambda h: objection(h, "999999", WUHOU)),
    "suspended_objects": (
        CODE.NOT_IN_GOOD_STANDING,
        lambda h: suspended_member(h, lambda h: objection(h, MIANYANG, WUHOU)),
    ),
    "stranger_revokes": (
        CODE.NOT_A_MEMBER,
        lambda h: h.emit(t.GrantRevoked, digest("x"), "999999", address=GRANTS),
    ),
    "suspended_anchors": (
        CODE.NOT_IN_GOOD_STANDING,
        lambda h: suspended_member(h, lambda h: h.anchor(WUHOU)),
    ),
    "suspended_supersedes": (
        CODE.NOT_IN_GOOD_STANDING,
        lambda h: suspended_member(
            h,
            lambda h: h.emit(
                t.StatusSet, WUHOU, digest("l"), t.StatusFlag.SPENT, bytes(32), address=STATUS
            ),
        ),
    ),
    "suspended_closes_objection": (
        CODE.NOT_IN_GOOD_STANDING,
        lambda h: suspended_member(
            h,
            lambda h: [
                h.emit(
                    t.ObjectionRaised, 1, WUHOU, digest("l"), MIANYANG, digest("w"), address=STATUS
                ),
                h.emit(t.ObjectionClosed, 1, t.ObjectionOutcome.UPHELD, address=STATUS),
            ],
        ),
    ),
    "grant_between_suspended": (
        CODE.NOT_IN_GOOD_STANDING,
        lambda h: suspended_member(h, lambda h: recorded(h, receiving=WUHOU)),
    ),
    "head_not_growing": (CODE.HEAD_NOT_GROWING, lambda h: [held(h), anchored(h, h.sizes[WUHOU])]),
    "head_empty": (CODE.HEAD_NOT_GROWING, lambda h: anchored(h, 0)),
    "head_of_another_generation": (CODE.GENERATION_WRONG, lambda h: anchored(h, 5, generation=2)),
    "closed_another_generation": (
        CODE.GENERATION_WRONG,
        lambda h: closed(h, 2, 0, digest("e")),
    ),
    "closed_beyond_head": (CODE.CLOSING_WRONG, lambda h: closed(h, 1, 1, digest("r"))),
    "closed_at_another_root": (
        CODE.CLOSING_WRONG,
        lambda h: [held(h), closed(h, 1, h.sizes[WUHOU], digest("other"))],
    ),
    "status_contradiction": (
        CODE.STATUS_CONTRADICTION,
        lambda h: h.emit(t.ObjectionWithdrawn, 9, address=STATUS),
    ),
    "objection_repeated": (
        CODE.STATUS_CONTRADICTION,
        lambda h: [
            h.emit(t.ObjectionRaised, 1, WUHOU, digest("l"), MIANYANG, digest("w"), address=STATUS)
            for _ in range(2)
        ],
    ),
    "too_many_objections": (CODE.TOO_MANY_OBJECTIONS, many_objections),
    "grant_recorded_again": (CODE.GRANT_REPEATED, record_again),
    "grant_same_city": (
        CODE.GRANT_MALFORMED,
        lambda h: recorded(h, releasing=WUHOU, receiving=WUHOU),
    ),
    "grant_empty_window": (CODE.GRANT_MALFORMED, lambda h: recorded(h, not_before_s=2**40)),
    "grant_past_window": (
        CODE.GRANT_MALFORMED,
        lambda h: recorded(h, not_before_s=1, not_after_s=h.time_s),
    ),
    "grant_no_uses": (CODE.GRANT_MALFORMED, lambda h: recorded(h, uses=0)),
    "grant_zero_evidence": (CODE.GRANT_MALFORMED, lambda h: recorded(h, evidence=bytes(32))),
    "consumed_unknown": (CODE.GRANT_UNKNOWN, lambda h: consumed(h, digest("unknown"), 0)),
    "consumed_burnt": (
        CODE.GRANT_UNKNOWN,
        lambda h: [
            h.emit(t.GrantRevoked, digest("burnt"), WUHOU, address=GRANTS),
            consumed(h, digest("burnt"), 0),
        ],
    ),
    "consumed_after_revocation": (CODE.GRANT_REVOKED, consume_after_revocation),
    "consumed_late": (CODE.GRANT_OUTSIDE_WINDOW, consume_late),
    "consumed_early": (CODE.GRANT_OUTSIDE_WINDOW, consume_early),
    "consumed_used_up": (CODE.GRANT_USED_UP, consume_used_up),
    "uses_left_wrong": (
        CODE.USES_LEFT_WRONG,
        lambda h: consumed(h, h.record(uses=3).grant_id, 1),
    ),
    "release_twice": (CODE.RELEASE_REPEATED, release_twice),
    "revoked_twice": (CODE.GRANT_REVOKED_TWICE, revoke_twice),
    "revoked_beyond_cap": (CODE.REVOCATION_CAP, lambda h: revoke_many(h, 21)),
}

CLEAN = {
    "objection against a suspended city": lambda h: suspended_member(
        h, lambda h: objection(h, WUHOU, MIANYANG)
    ),
    "suspended city revokes": lambda h: suspended_member(h, lambda h: revoke_many(h, 1)),
    "two hundred blocks": lambda h: [h.next_block() for _ in range(200)],
    "twenty foreign revocations": lambda h: revoke_many(h, 20),
    "twenty on each of two days": lambda h: [
        revoke_many(h, 20),
        h.next_block(seconds=86_400),
        h.emit(t.GrantRevoked, digest("next day"), WUHOU, address=GRANTS),
    ],
    "consumed in its last second": lambda h: [
        event := h.record(window_s=1000),
        h.next_block(seconds=999),
        consumed(h, event.grant_id, event.uses - 1),
    ],
    "closed at the held head": lambda h: [
        event := held(h),
        closed(h, 1, event.size, event.root),
        h.next_block(),
        anchored(h, 1, generation=2),
    ],
    "closed below the held head": lambda h: [held(h), closed(h, 1, 0, digest("empty"))],
    "suspended city withdraws": lambda h: suspended_member(
        h,
        lambda h: h.emit(
            t.StatusSet, WUHOU, digest("l"), t.StatusFlag.WITHDRAWN, bytes(32), address=STATUS
        ),
    ),
    "vote changed": lambda h: [
        number := proposal(h),
        h.emit(t.VoteCast, number, WUHOU, False),
        h.emit(t.VoteCast, number, WUHOU, True),
    ],
    "key replaced by vote": lambda h: [
        h.vote(t.ProposalKind.REPLACE_KEY),
        h.emit(t.KeyAnnounced, WUHOU, t.KeyRole.GATE, digest("new"), h.time_s, 0),
    ],
    "old contract still takes revocations": lambda h: [
        event := h.record(),
        h.next_block(),
        h.vote(t.ProposalKind.REGISTER_CONTRACT),
        h.emit(t.ContractRegistered, t.ContractRole.GRANTS, b"\x99" * 20, h.block + 1),
        h.next_block(),
        h.emit(t.GrantRevoked, event.grant_id, event.releasing, address=GRANTS),
    ],
}
