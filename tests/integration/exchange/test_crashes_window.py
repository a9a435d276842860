"""T1 for step 7: window work dies or fails at every boundary of confirming, recording, revoking.

The city's node does not run; what the window left is finished by the functions its start runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from ledger_node.core.errors import UnavailableError
from ledger_node.core.types import GrantId
from ledger_node.flows.following import resume_following
from ledger_node.flows.granting import load_grant, record_grant, revoke_grant
from ledger_node.flows.node import Node
from ledger_node.flows.outbox import resume_outbox
from ledger_node.flows.receiving import resume_receiving
from ledger_node.flows.records import open_record
from tests.integration.processes import BEFORE, DIED, FAILED_BUT_PERSISTED, MODES, wait
from tests.support.cities import Cities
from tests.support.faults import Faults
from tests.support.stock import RELIER, consent, prepare

pytestmark = [pytest.mark.integration]

RECORDING_POINTS = ("grant:linked", "chain.send_transactions", "outbox:record:submitted")
REVOKING_POINTS = ("outbox:revoke:signed", "chain.send_transactions", "outbox:revoke:submitted")
FAILED_VISIBLY = 3


def try_window(cities: Cities, point: str, mode: str, work: Callable[[Node], object]) -> None:
    """Window work of Mianyang, in a process of its own, that dies or fails at `point`."""
    faults = Faults(cities.path / "window.fault")
    faults.arm(point, mode)

    def run(node: Node) -> None:
        try:
            work(node)
        except UnavailableError:
            os._exit(FAILED_VISIBLY)

    status = wait(cities.act(RELIER, run, faults))
    assert faults.has_fired()
    assert status == (FAILED_VISIBLY if mode == FAILED_BUT_PERSISTED else DIED)


def finish(cities: Cities, node: Node) -> None:
    """What the node does at its start, until no transaction is open; none of them failed."""
    states = "select distinct state from outbox_transactions"

    def turn() -> bool:
        resume_following(node)
        resume_outbox(node)
        return cities.rows(RELIER, states) == [("confirmed",)]

    cities.wait_for(turn, "the outbox")
    resume_following(node)


@pytest.mark.parametrize("mode", MODES)
def test_confirm_at_counter_fails_at_its_commit_leaves_a_whole_grant_or_none(
    cities: Cities, mode: str
) -> None:
    ids = "select grant_id from grants"
    before = set(cities.rows(RELIER, ids))
    try_window(cities, "grant:stored", mode, lambda node: consent(node, cities.stock))
    new = set(cities.rows(RELIER, ids)) - before
    assert len(new) == (0 if mode == BEFORE else 1)
    with cities.opened(RELIER) as node:
        for (grant_id,) in new:
            assert load_grant(node, GrantId(grant_id)).outbox_id is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("recording", "revoking"), list(zip(RECORDING_POINTS, REVOKING_POINTS, strict=True))
)
def test_record_then_revoke_fail_at_a_boundary_restart_does_each_once(
    cities: Cities, recording: str, revoking: str, mode: str
) -> None:
    with cities.opened(RELIER) as node:
        grant_id = consent(node, cities.stock)
    try_window(cities, recording, mode, lambda node: record_grant(node, grant_id))
    with cities.opened(RELIER) as node:
        asked_again = record_grant(node, grant_id)
        assert asked_again == record_grant(node, grant_id)
        finish(cities, node)
    assert len(cities.logs("recorded", grant_id)) == 1
    try_window(cities, revoking, mode, lambda node: revoke_grant(node, grant_id))
    stored = not (mode == BEFORE and revoking == "outbox:revoke:signed")
    with cities.opened(RELIER) as node:
        if not stored:  # nothing of it is there: the clerk asks again
            revoke_grant(node, grant_id)
        finish(cities, node)
    assert len(cities.logs("revoked", grant_id)) == 1


@pytest.mark.parametrize("mode", MODES)
def test_prepare_release_fails_at_its_commit_leaves_a_whole_request_or_none(
    cities: Cities, mode: str
) -> None:
    with cities.opened(RELIER) as node:
        grant_id = consent(node, cities.stock)
    before = set(cities.release_states(RELIER))
    material = cities.stock.materials[0]
    try_window(cities, "incoming:prepared", mode, lambda node: prepare(node, grant_id, material))
    new = set(cities.release_states(RELIER)) - before
    assert len(new) == (0 if mode == BEFORE else 1)
    with cities.opened(RELIER) as node:
        for digest in new:
            row = cities.rows(
                RELIER, "select request from releases where request_digest = ?", digest
            )
            assert open_record(node, f"release/{digest.hex()}", "request", row[0][0])
        resume_receiving(node)  # the other city is silent
    assert all(cities.release_states(RELIER)[digest] == ("requested", None) for digest in new)
