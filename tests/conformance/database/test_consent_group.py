"""Group `consent` on both databases, and second factors of accounts: rows count once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_node.core.types import CityId, Commitment, GrantId
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_accounts import AccountRow, StaffPasskeyRow
from ledger_node.ports.database_consent import (
    CeremonyRow,
    GrantSubjectRow,
    PasskeyRow,
    ProviderRow,
    RevocationCodeRow,
    RevocationRow,
)

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
TAG, OTHER_TAG = b"t" * 32, b"u" * 32
CEREMONY = CeremonyRow(
    "c1", "a1", "my-01", "shown", 0, "counter", TAG, b"s" * 32, LATER, None,
    b"sealed", None, None, NOW, NOW, LATER,
)  # fmt: skip
PASSKEY = PasskeyRow(b"p" * 32, TAG, Commitment(b"k" * 32), 1, b"sealed", 7, NOW)
CODE = RevocationCodeRow("ABCDEFGH", "c1", b"s" * 16, b"v" * 32, 0, None, NOW)
ACCOUNT = AccountRow(
    "a1", "boss", "supervisor", None, None, None, None, "$argon2id$", None, None,
    0, None, 0, b"sealed", NOW, None,
)  # fmt: skip


def test_advance_ceremony_from_an_older_revision_changes_nothing(database: Any) -> None:
    signed = replace(CEREMONY, state="signed", sealed_signature=b"png", signature_how="pad")
    with database.transaction() as tx:
        tx.consent.save_ceremony(CEREMONY)
        assert tx.consent.advance_ceremony(CEREMONY, signed)
        assert not tx.consent.advance_ceremony(CEREMONY, replace(CEREMONY, state="declined"))
    with database.read() as tx:
        assert tx.consent.find_ceremony("c1") == replace(signed, revision=1)
        assert tx.consent.find_screen(b"s" * 32) == replace(signed, revision=1)
        assert tx.consent.find_ceremony("c2") is None
        assert tx.consent.find_screen(b"x" * 32) is None


def test_advance_ceremony_side_by_side_lets_one_through(database: Any) -> None:
    with database.transaction() as tx:
        tx.consent.save_ceremony(CEREMONY)
    both = threading.Barrier(2)

    def confirm(state: str) -> bool:
        both.wait(10)
        with database.transaction() as tx:
            return bool(tx.consent.advance_ceremony(CEREMONY, replace(CEREMONY, state=state)))

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(confirm, ("confirmed", "declined"))) == [False, True]


def test_list_overdue_takes_open_ones_whose_time_is_over_oldest_first(database: Any) -> None:
    with database.transaction() as tx:
        for name, state, ends in (
            ("c3", "drafted", LATER),
            ("c2", "signed", NOW),
            ("c4", "confirmed", NOW),
            ("c5", "shown", LATER + timedelta(seconds=1)),
        ):
            row = replace(CEREMONY, ceremony_id=name, state=state, expires_at=ends)
            tx.consent.save_ceremony(replace(row, screen_hash=None))
    with database.read() as tx:
        states = ("drafted", "shown", "signed")
        overdue = tx.consent.list_overdue(states, LATER)
        assert [row.ceremony_id for row in overdue] == ["c2", "c3"]
        assert len(tx.consent.list_overdue(states, LATER, 1)) == 1
        assert tx.consent.list_overdue(states, NOW - timedelta(seconds=1)) == []


def test_list_ceremonies_and_grants_are_those_of_one_person(database: Any) -> None:
    grant, later = GrantId(b"g" * 32), GrantId(b"h" * 32)
    with database.transaction() as tx:
        tx.consent.save_ceremony(CEREMONY)
        tx.consent.save_ceremony(
            replace(CEREMONY, ceremony_id="c2", subject_tag=OTHER_TAG, screen_hash=None)
        )
        tx.consent.link_grant(GrantSubjectRow(grant, TAG, "c1", NOW))
        tx.consent.link_grant(GrantSubjectRow(grant, TAG, None, LATER))  # known: left as it is
        tx.consent.link_grant(GrantSubjectRow(later, TAG, "c1", LATER))
        tx.consent.link_grant(GrantSubjectRow(grant, OTHER_TAG, None, NOW))
    with database.read() as tx:
        assert [row.ceremony_id for row in tx.consent.list_ceremonies(TAG)] == ["c1"]
        assert [row.grant_id for row in tx.consent.list_grants_of_subject(TAG)] == [later, grant]
        assert len(tx.consent.list_grants_of_subject(OTHER_TAG)) == 1
        assert tx.consent.list_grants_of_ceremony("c1") == [grant, later]


def test_take_challenge_counts_once_for_its_person_and_in_its_time(database: Any) -> None:
    with database.transaction() as tx:
        tx.consent.store_challenge(b"1" * 32, TAG, LATER)
        tx.consent.store_challenge(b"2" * 32, TAG, LATER)
        assert not tx.consent.take_challenge(b"1" * 32, OTHER_TAG, NOW)
        assert not tx.consent.take_challenge(b"1" * 32, TAG, LATER)
        assert tx.consent.take_challenge(b"1" * 32, TAG, NOW)
        assert not tx.consent.take_challenge(b"1" * 32, TAG, NOW)
    both = threading.Barrier(2)

    def take(_: int) -> bool:
        both.wait(10)
        with database.transaction() as tx:
            return bool(tx.consent.take_challenge(b"2" * 32, TAG, NOW))

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, range(2))) == [False, True]


def test_drop_challenges_before_leaves_what_may_still_be_used(database: Any) -> None:
    with database.transaction() as tx:
        assert tx.consent.find_oldest_challenge() is None
        for number, ends in enumerate((LATER, NOW, LATER + timedelta(seconds=1))):
            tx.consent.store_challenge(bytes([number]) * 32, TAG, ends)
    with database.transaction() as tx:
        assert tx.consent.find_oldest_challenge() == NOW
        assert tx.consent.drop_challenges_before(LATER) == 2
        assert tx.consent.drop_challenges_before(LATER) == 0
        assert tx.consent.find_oldest_challenge() == LATER + timedelta(seconds=1)


def test_passkeys_stand_once_and_their_count_moves_from_what_was_read(database: Any) -> None:
    most = 2**32 - 1
    with database.transaction() as tx:
        tx.consent.save_passkey(PASSKEY)
        assert tx.consent.set_sign_count(PASSKEY.credential_hash, 7, most)
        assert not tx.consent.set_sign_count(PASSKEY.credential_hash, 7, 9)
    with database.read() as tx:
        moved = replace(PASSKEY, sign_count=most)
        assert tx.consent.find_passkey(PASSKEY.credential_hash) == moved
        assert tx.consent.list_passkeys(TAG) == [moved]
        assert tx.consent.list_passkeys(OTHER_TAG) == []
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.consent.save_passkey(PASSKEY)


def test_list_providers_newest_first(database: Any) -> None:
    rows = [
        ProviderRow(Commitment(bytes([n]) * 32), "https://id.example", "node", n, at)
        for n, at in ((1, NOW), (2, LATER))
    ]
    with database.transaction() as tx:
        for row in rows:
            tx.consent.save_provider(row)
    with database.read() as tx:
        assert tx.consent.list_providers() == rows[::-1]


def test_codes_and_revocations_are_counted_where_they_belong(database: Any) -> None:
    asked = RevocationRow(b"d" * 32, "answered", CityId("510700"), "c1", "revoked", NOW)
    with database.transaction() as tx:
        tx.consent.save_ceremony(CEREMONY)
        tx.consent.save_code(CODE)
        tx.consent.set_failures(CODE.selector, 5, LATER)
        tx.consent.save_revocation(asked)
        tx.consent.save_revocation(replace(asked, direction="made", outcome="refused"))
    with database.transaction() as tx:
        assert tx.consent.find_code(CODE.selector) == replace(CODE, failures=5, locked_until=LATER)
        assert tx.consent.find_revocation(asked.request_digest, "answered") == asked
        assert tx.consent.find_revocation(asked.request_digest, "own") is None
        assert tx.consent.count_revocations_since(asked.city, "answered", NOW) == 1
        assert tx.consent.count_revocations_since(asked.city, "answered", LATER) == 0
        assert tx.consent.count_revocations_since(CityId("510107"), "answered", NOW) == 0
        tx.consent.drop_codes("c1")
        assert tx.consent.find_code(CODE.selector) is None
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.consent.save_revocation(asked)


def test_staff_passkeys_belong_to_one_account_and_count_once(database: Any) -> None:
    row = StaffPasskeyRow(b"p" * 32, "a1", b"sealed", 0, NOW)
    other = replace(row, credential_hash=b"q" * 32, created_at=LATER)
    with database.transaction() as tx:
        tx.accounts.save_account(ACCOUNT)
        tx.accounts.save_staff_passkey(other)
        tx.accounts.save_staff_passkey(row)
        assert tx.accounts.take_passkey_count(row.credential_hash, 0, 2**32 - 1)
        assert not tx.accounts.take_passkey_count(row.credential_hash, 0, 1)
    with database.transaction() as tx:
        moved = replace(row, sign_count=2**32 - 1)
        assert tx.accounts.list_staff_passkeys("a1") == [moved, other]
        assert tx.accounts.find_staff_passkey(b"p" * 32) == moved
        assert tx.accounts.drop_staff_passkeys("a2", b"p" * 32) == 0
        assert tx.accounts.drop_staff_passkeys("a1", b"p" * 32) == 1
        assert tx.accounts.drop_staff_passkeys("a1") == 1
        assert tx.accounts.list_staff_passkeys("a1") == []
    for bad in (replace(row, account_id="a2"),):
        with pytest.raises(RowConflictError), database.transaction() as tx:
            tx.accounts.save_staff_passkey(bad)
