"""Step 9 between real nodes: reliance receipts, their refusals, the trust file."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ledger_node.core.anchor import TxState
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.receipt_v1 import parse_receipt_of_any_version
from ledger_node.core.refusal import GrantRevokedError
from ledger_node.core.release import IncomingState
from ledger_node.core.trust_format import parse_trust
from ledger_node.core.types import Digest
from ledger_node.core.verdict import LineState
from ledger_node.core.verdict_codes import VerdictCode
from ledger_node.core.verify import verify_receipt
from ledger_node.flows.granting import revoke_grant
from ledger_node.flows.halts import LedgerHaltedError, clear_halt, latch_halt
from ledger_node.flows.receiving import ReleaseNotCompleteError, load_incoming
from ledger_node.flows.relying import (
    AlreadyReliedError,
    MaterialNotReliableError,
    OfficerNotEntitledError,
    ReceiptDoesNotHoldError,
    complete_receipt,
    list_receipts,
    rely,
)
from ledger_node.flows.trusting import ReplayNotCleanError, build_trust_file
from ledger_node.flows.watching import withdraw
from tests.integration.way.story import Way, paper_of

pytestmark = [pytest.mark.integration]
SUPERVISOR = ("my-supervisor-01", OfficerRole.SUPERVISOR)


def sensitive(way: Way) -> frozenset[str]:
    return way.relier.sensitive_types


def verdict_on(way: Way, receipt: bytes, document: bytes | None = None):
    trust = parse_trust(build_trust_file(way.relier))
    digest = None if document is None else Digest(hashlib.sha256(document).digest())
    return verify_receipt(receipt, trust, document=digest, sensitive_types=sensitive(way))


def is_sealed(way: Way, receipt_id: str) -> bool:
    return parse_receipt_of_any_version(complete_receipt(way.relier, receipt_id)).seal is not None


def count_receipts(way: Way) -> int:
    return len(list_receipts(way.relier))


def test_rely_acknowledged_release_gives_receipt_that_verifies_offline(way: Way) -> None:
    digest = way.stock["relied"].digest
    before = count_receipts(way)
    receipt_id = rely(way.relier, digest, *SUPERVISOR, "granted")

    pending = complete_receipt(way.relier, receipt_id)
    verdict = verdict_on(way, pending)
    assert verdict.state is LineState.PENDING
    assert set(verdict.codes) == {VerdictCode.RECEIPT_PENDING}

    way.settle(lambda: is_sealed(way, receipt_id))
    receipt = complete_receipt(way.relier, receipt_id)
    verdict = verdict_on(way, receipt, document=paper_of("J510107-2020-000000"))
    assert [line.state for line in verdict.lines] == [LineState.HOLDS] * 4, verdict.codes
    assert verdict_on(way, receipt, document=b"another").state is LineState.FAILS
    assert complete_receipt(way.relier, receipt_id) == receipt
    assert count_receipts(way) == before + 1

    # P4: what was relied on stands when the grant is revoked afterwards.
    grant_id = load_incoming(way.relier, digest).grant_id
    revoke_grant(way.relier, grant_id)
    way.settle(lambda: way.is_revoked(grant_id))
    assert verdict_on(way, receipt).state is LineState.HOLDS
    # The same decision again is the same receipt, revoked or not; another one is refused.
    assert rely(way.relier, digest, *SUPERVISOR, "granted") == receipt_id
    with pytest.raises(AlreadyReliedError):
        rely(way.relier, digest, *SUPERVISOR, "refused")
    assert count_receipts(way) == before + 1


def test_rely_by_two_processes_at_once_files_one_receipt(way: Way) -> None:
    digest = way.stock["raced"].digest
    before = count_receipts(way)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(rely, way.relier, digest, *SUPERVISOR, "granted") for _ in range(4)]
        ids = {each.result() for each in asked}
    assert len(ids) == 1
    assert count_receipts(way) == before + 1


def test_rely_officer_not_enrolled_in_that_role_is_refused(way: Way) -> None:
    digest = way.stock["officers"].digest
    for officer, role in (
        ("my-supervisor-01", OfficerRole.REVIEWER),
        ("nobody", OfficerRole.SUPERVISOR),
    ):
        with pytest.raises(OfficerNotEntitledError):
            rely(way.relier, digest, officer, role, "granted")
    assert rely(way.relier, digest, *SUPERVISOR, "granted")


def test_rely_unfinished_release_is_refused(way: Way) -> None:
    released = way.stock["officers"]
    grant_id = load_incoming(way.relier, released.digest).grant_id
    unsent = way.request(grant_id, released.material, ("issuer",))
    with pytest.raises(ReleaseNotCompleteError):
        rely(way.relier, unsent, *SUPERVISOR, "granted")


def test_rely_release_not_acknowledged_yet_is_refused(way: Way) -> None:
    digest = way.stock["late"].digest
    acknowledged = load_incoming(way.relier, digest)
    complete = replace(acknowledged, state=IncomingState.COMPLETE)
    with way.relier.database.transaction() as tx:
        assert tx.releases.advance_release(acknowledged, complete)
    with pytest.raises(ReleaseNotCompleteError):
        rely(way.relier, digest, *SUPERVISOR, "granted")
    with way.relier.database.transaction() as tx:
        assert tx.releases.advance_release(complete, acknowledged)
    assert rely(way.relier, digest, *SUPERVISOR, "granted")


def test_rely_after_revocation_was_seen_is_refused(way: Way) -> None:
    digest = way.stock["revoked"].digest
    grant_id = load_incoming(way.relier, digest).grant_id
    revoke_grant(way.relier, grant_id)
    way.settle(lambda: way.is_revoked(grant_id))
    before = count_receipts(way)
    with pytest.raises(GrantRevokedError):
        rely(way.relier, digest, *SUPERVISOR, "granted")
    assert count_receipts(way) == before


def test_rely_withdrawn_material_is_refused(way: Way) -> None:
    digest, material = way.stock["withdrawn"].digest, way.stock["withdrawn"].material
    outbox_id = withdraw(way.issuer, material.material_id, "issued-in-error")
    way.settle(lambda: is_final(way, outbox_id))
    with pytest.raises(MaterialNotReliableError) as refused:
        rely(way.relier, digest, *SUPERVISOR, "granted")
    assert refused.value.fields["standing"] == "withdrawn"


def is_final(way: Way, outbox_id: int) -> bool:
    with way.issuer.database.read() as tx:
        return tx.outbox.load_transaction(outbox_id).state is TxState.CONFIRMED


def test_rely_paper_whose_validity_is_over_files_nothing(way: Way) -> None:
    shown, hidden = way.stock["over"].digest, way.stock["hidden"].digest
    before = count_receipts(way)
    with pytest.raises(ReceiptDoesNotHoldError) as refused:
        rely(way.relier, shown, *SUPERVISOR, "granted")
    assert refused.value.fields["codes"] == ["validity_over"]
    assert count_receipts(way) == before
    assert rely(way.relier, hidden, *SUPERVISOR, "granted")  # a date not shown is not judged


def test_build_trust_file_while_halted_is_refused(way: Way) -> None:
    latch_halt(way.relier, "test_halt", "planted")
    with pytest.raises(LedgerHaltedError):
        build_trust_file(way.relier)
    with pytest.raises(LedgerHaltedError):
        rely(way.relier, bytes(32), *SUPERVISOR, "granted")
    assert clear_halt(way.relier, "test_halt", "a person")
    assert parse_trust(build_trust_file(way.relier)).facts is not None


def test_build_trust_file_from_contradicting_events_is_refused(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger_node.flows import trusting

    whole = trusting.load_events

    def without_one(tx, first, last):
        events = whole(tx, first, last)
        return [each for each in events if type(each).__name__ != "ProposalExecuted"]

    monkeypatch.setattr(trusting, "load_events", without_one)
    with pytest.raises(ReplayNotCleanError):
        build_trust_file(way.relier)


def test_build_trust_file_twice_is_the_same_and_names_cities(way: Way) -> None:
    names = {way.issuer.city: "成都市武侯区"}
    first = build_trust_file(way.relier, names)
    assert first == build_trust_file(way.relier, names)
    trust = parse_trust(first)
    assert trust.members[way.issuer.city].name == "成都市武侯区"
    assert trust.members[way.relier.city].name == way.relier.city
