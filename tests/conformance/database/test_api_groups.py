"""Groups `idempotency`, `uploads` and `paging` on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_node.core.types import CityId, GrantId, Salt
from ledger_node.ports.database import RowConflictError
from ledger_node.ports.database_api import IdempotencyRow, PageMark, UploadRow, UploadState
from ledger_node.ports.database_exchange import FindRow, GrantRow

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINE, OTHER = b"w" * 16, b"x" * 16
KEY = IdempotencyRow(
    b"k" * 32, "account-1", "materials", b"r" * 32, b"e" * 16, b"", MINE,
    NOW + timedelta(seconds=30), None, None, NOW, NOW + timedelta(days=1),
)  # fmt: skip
SLOT = UploadRow(
    "0" * 36, "account-1", "application/pdf", UploadState.OPEN, None, 0, None, NOW, NOW
)


def test_save_key_twice_is_a_conflict(database: Any) -> None:
    with database.transaction() as tx:
        tx.idempotency.save_key(KEY)
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.idempotency.save_key(replace(KEY, account_id="account-2"))
    with database.read() as tx:
        assert tx.idempotency.find_key(KEY.key_tag) == KEY
        assert tx.idempotency.find_key(b"n" * 32) is None


def test_take_over_key_only_as_it_was_read(database: Any) -> None:
    later = NOW + timedelta(seconds=90)
    with database.transaction() as tx:
        tx.idempotency.save_key(KEY)
        assert not tx.idempotency.take_over_key(replace(KEY, worker=OTHER), OTHER, later)
        assert not tx.idempotency.take_over_key(replace(KEY, leased_until=NOW), OTHER, later)
        assert tx.idempotency.take_over_key(KEY, OTHER, later)
        assert not tx.idempotency.take_over_key(KEY, MINE, later)
        assert not tx.idempotency.add_effect(KEY.key_tag, MINE, b"1" * 32)
        assert not tx.idempotency.save_answer(KEY.key_tag, MINE, 200, b"{}")
        assert tx.idempotency.add_effect(KEY.key_tag, OTHER, b"1" * 32)
        assert tx.idempotency.add_effect(KEY.key_tag, OTHER, b"2" * 32)
        assert tx.idempotency.save_answer(KEY.key_tag, OTHER, 201, b"{}")
        assert not tx.idempotency.save_answer(KEY.key_tag, OTHER, 200, b"other")
    with database.read() as tx:
        stored = tx.idempotency.find_key(KEY.key_tag)
    assert (stored.status, stored.body, stored.worker) == (201, b"{}", None)
    assert stored.effects == b"1" * 32 + b"2" * 32


def test_drop_key_keeps_what_has_effects_or_an_answer(database: Any) -> None:
    with database.transaction() as tx:
        tx.idempotency.save_key(KEY)
        tx.idempotency.drop_key(KEY.key_tag, OTHER)
        assert tx.idempotency.find_key(KEY.key_tag) is not None
        tx.idempotency.drop_key(KEY.key_tag, MINE)
        assert tx.idempotency.find_key(KEY.key_tag) is None
        tx.idempotency.save_key(KEY)
        tx.idempotency.add_effect(KEY.key_tag, MINE, b"1" * 32)
        tx.idempotency.drop_key(KEY.key_tag, MINE)
        assert tx.idempotency.find_key(KEY.key_tag) is not None
        assert tx.idempotency.drop_keys_before(NOW) == 0
        assert tx.idempotency.drop_keys_before(NOW + timedelta(days=2)) == 1


def test_uploads_move_forward_only(database: Any) -> None:
    with database.transaction() as tx:
        tx.uploads.save_upload(SLOT)
        assert tx.uploads.use_uploads([SLOT.upload_id], "m") == 0
        assert tx.uploads.store_upload(SLOT.upload_id, b"d" * 32, 5)
        assert not tx.uploads.store_upload(SLOT.upload_id, b"f" * 32, 6)
        assert tx.uploads.count_uploads("account-1") == 1
        assert tx.uploads.use_uploads([SLOT.upload_id], "m") == 1
        assert tx.uploads.use_uploads([SLOT.upload_id], "n") == 0
        assert tx.uploads.count_uploads("account-1") == 0
    with database.read() as tx:
        stored = tx.uploads.find_upload(SLOT.upload_id)
        assert (stored.digest_tag, stored.material_id) == (b"d" * 32, "m")
        assert tx.uploads.list_uploads_before(NOW, 9) == []
        assert len(tx.uploads.list_uploads_before(NOW + timedelta(seconds=1), 9)) == 1


def find_row(which: int, at: datetime) -> FindRow:
    digest = which.to_bytes(32, "big")
    city = CityId("510107")
    return FindRow(digest, "made", city, None, "officer-1", b"{}", None, "asked", None, at)


def test_pages_are_stable_while_rows_come(database: Any) -> None:
    times = [NOW + timedelta(seconds=which // 3) for which in range(10)]  # three share a time
    with database.transaction() as tx:
        for which, at in enumerate(times):
            tx.finds.save_find(find_row(which, at))
    seen: list[bytes] = []
    mark = None
    for turn in range(20):
        with database.read() as tx:
            rows = tx.paging.page_finds("made", mark, 2)
        if not rows:
            break
        seen += [row.request_digest for row in rows]
        last = rows[-1]
        mark = PageMark(int(last.created_at.timestamp() * 1_000_000), last.request_digest)
        with database.transaction() as tx:  # newer rows come in between
            tx.finds.save_find(find_row(100 + turn, NOW + timedelta(minutes=1 + turn)))
    assert seen == [which.to_bytes(32, "big") for which in reversed(range(10))]


def test_page_grants_newest_first(database: Any) -> None:
    def row(which: int) -> GrantRow:
        city = CityId("510107")
        return GrantRow(
            GrantId(bytes([which]) * 32), city, city, b"{}", b"", b"", b"", Salt(bytes(32)), NOW
        )

    with database.transaction() as tx:
        for which in (2, 1, 3):
            tx.grants.save_grant(row(which))
    with database.read() as tx:
        assert [r.grant_id[0] for r in tx.paging.page_grants(None, 9)] == [3, 2, 1]
