"""Group `messages` on both databases: nonces once, notices once, delivery per city."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_node.core.types import CityId, Commitment
from ledger_node.ports.database_exchange import NoticeRow

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WUHOU, MIANYANG = CityId("510107"), CityId("510700")


def notice(city: CityId, direction: str = "outgoing") -> NoticeRow:
    commitment = Commitment(bytes(32))
    return NoticeRow(b"n" * 32, direction, city, commitment, "withdrawn", b"{}", False, NOW)


def test_store_nonce_twice_is_new_once(database: Any) -> None:
    with database.transaction() as tx:
        assert tx.messages.store_nonce("key", "nonce", NOW)
        assert not tx.messages.store_nonce("key", "nonce", NOW)
    with database.transaction() as tx:
        assert not tx.messages.store_nonce("key", "nonce", NOW)
        assert tx.messages.store_nonce("key", "other", NOW)
        assert tx.messages.store_nonce("other", "nonce", NOW)


def test_drop_nonces_before_leaves_those_that_still_count(database: Any) -> None:
    with database.transaction() as tx:
        tx.messages.store_nonce("key", "old", NOW - timedelta(seconds=1))
        tx.messages.store_nonce("key", "new", NOW)
        assert tx.messages.drop_nonces_before(NOW) == 1
        assert not tx.messages.store_nonce("key", "new", NOW)
        assert tx.messages.store_nonce("key", "old", NOW)


def test_save_notice_is_new_once_per_city_and_direction(database: Any) -> None:
    with database.transaction() as tx:
        assert tx.messages.save_notice(notice(WUHOU))
        assert not tx.messages.save_notice(notice(WUHOU))
        assert tx.messages.save_notice(notice(MIANYANG))
        assert tx.messages.save_notice(notice(WUHOU, "incoming"))
        tx.messages.mark_notice_delivered(b"n" * 32, WUHOU)
    with database.read() as tx:
        waiting = tx.messages.list_notices("outgoing", undelivered_only=True)
        assert [row.city for row in waiting] == [MIANYANG]
        assert len(tx.messages.list_notices("outgoing", undelivered_only=False)) == 2
        (incoming,) = tx.messages.list_notices("incoming", undelivered_only=False)
        assert incoming == notice(WUHOU, "incoming")
