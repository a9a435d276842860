"""A long history straight into a city's derived tables: what following a large chain would leave.

Membership logs are real ones; all other raw logs carry no data, because the pages that read many
rows never decode them. Only for measuring and for paging.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ledger_node.core.types import Address, BlockHash, BlockNumber
from ledger_node.edges.database import tables_chain as t
from ledger_node.edges.database.bulk import insert_columns
from ledger_node.edges.database.engine import WRITES, build_engine
from ledger_node.edges.database.transaction import open_database
from ledger_node.ports.database_chain import ChainPins, FollowedTip

CITIES = ("510107", "510700", "133100", "500103", "610113")
MEMBERSHIP = Address(b"\x22" * 20)
GENESIS = BlockHash(b"\x11" * 32)
_ADMITTED = bytes.fromhex("604dc1cfcd4bf2e388838679b51408b4577c0bf625c2004f3b1d40b1463c6754")
_URL = bytes.fromhex(
    "0000000000000000000000000000000000000000000000000000000000000020"
    "000000000000000000000000000000000000000000000000000000000000001a"
    "68747470733a2f2f7775686f752e6578616d706c653a38343433000000000000"
)
_SHARES = {"grant": 60, "consumption": 30, "anchor": 5, "revocation": 5}  # of a hundred
SPACING_S = 700


def digest(*parts: object) -> bytes:
    """A hash that is the same in every run."""
    return hashlib.sha256(repr(parts).encode()).digest()


def fill_ledger(url: str, events: int, now: datetime, per_block: int = 4) -> None:
    """Fill a migrated, empty database with `events` events, the last block made at `now`."""
    count = -(-events // per_block)
    newest_s = int(now.timestamp())
    blocks = [(n, newest_s - (count - n) * SPACING_S) for n in range(count + 1)]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _SHARES}
    kinds = [name for name, share in _SHARES.items() for _ in range(share)]
    for i in range(events):
        place = {"block_number": 1 + i // per_block, "log_index": i % per_block}
        name = kinds[(i * 37) % 100]
        rows[name].append({**place, **_describe(name, i, len(rows[name]), newest_s)})
    engine = build_engine(url)
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        _insert_blocks(connection, blocks)
        _insert_logs(connection, rows)
        for name, table in (
            ("grant", t.chain_grants),
            ("consumption", t.chain_consumptions),
            ("anchor", t.chain_heads),
            ("revocation", t.chain_revocations),
        ):
            _insert(connection, table, rows[name])
    engine.dispose()
    number, at_s = blocks[-1]
    tip = FollowedTip(
        BlockNumber(number), BlockHash(digest("block", number)), at_s, BlockNumber(number),
        BlockNumber(number), at_s, now, None,
    )  # fmt: skip
    database = open_database(url)
    with database.transaction() as tx:
        tx.chain.open_following(ChainPins(7107, GENESIS, MEMBERSHIP, BlockNumber(0)), tip)
    database.close()


def _describe(name: str, i: int, n: int, now_s: int) -> dict[str, Any]:
    city, other = CITIES[n % 5], CITIES[(n // 5 + n + 1) % 5]
    if name == "grant":
        return {
            "grant_id": digest("grant", n), "releasing": city, "receiving": other,
            "recorder": other, "not_before_s": now_s, "not_after_s": now_s + 3600, "uses": 2,
            "basis": 1 + n % 4, "evidence": digest("evidence", n),
        }  # fmt: skip
    if name == "consumption":
        return {
            "grant_id": digest("grant", n), "release_commitment": digest("release", n),
            "uses_left": 1,
        }  # fmt: skip
    if name == "anchor":
        return {
            "city": city, "generation": 1, "size": 100 * (n // 5 + 1), "root": digest("root", n),
            "closing": 0,
        }  # fmt: skip
    return {"grant_id": digest("grant", 2 * n), "city": city}


def _insert_blocks(connection: Any, blocks: Sequence[tuple[int, int]]) -> None:
    columns = {
        "number": [n for n, _ in blocks],
        "hash": [digest("block", n) for n, _ in blocks],
        "parent_hash": [digest("block", n - 1) for n, _ in blocks],
        "block_timestamp_s": [at_s for _, at_s in blocks],
    }
    insert_columns(connection, t.chain_blocks, columns)


def _insert_logs(connection: Any, rows: dict[str, list[dict[str, Any]]]) -> None:
    places = sorted((r["block_number"], r["log_index"]) for each in rows.values() for r in each)
    admitted = [
        (0, n, MEMBERSHIP, _ADMITTED + int(city).to_bytes(32, "big"), _URL)
        for n, city in enumerate(CITIES)
    ]
    logs = admitted + [(block, index, b"\x33" * 20, bytes(32), b"") for block, index in places]
    columns = {
        "block_number": [log[0] for log in logs],
        "log_index": [log[1] for log in logs],
        "tx_hash": [digest("tx", log[0], log[1]) for log in logs],
        "contract": [log[2] for log in logs],
        "topics": [log[3] for log in logs],
        "data": [log[4] for log in logs],
    }
    insert_columns(connection, t.chain_events, columns)


def _insert(connection: Any, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        insert_columns(connection, table, {name: [r[name] for r in rows] for name in rows[0]})


def utc_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)
