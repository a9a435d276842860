"""A city that comes back from a backup takes its own log back from the others' mirrors.

The oracle holds the served entry bundle before and after against each other, byte by byte.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import RootHash, TreeSize
from ledger_node.flows.chain_node import LOG_BEHIND_MIRRORS
from ledger_node.flows.clearing import resolve_halt
from ledger_node.flows.halts import list_halts
from ledger_node.flows.node import Node
from ledger_node.flows.recovering import MirrorsSilentError, recover_log
from ledger_node.flows.sequencing import sign_checkpoint
from ledger_node.ports.peers import PeerUnavailableError
from ledger_node.wiring import open_runtime
from tests.integration.processes import wait
from tests.support.cities import Cities
from tests.support.liars import Liar
from tests.support.mirrors import get, grow, one, standing, wait_anchored, wait_cosigned
from tests.support.stock import BYSTANDER, ISSUER, RELIER

pytestmark = [pytest.mark.integration]


@dataclass(frozen=True)
class Bent:
    """Peers whose answers are changed on their way, by path."""

    peers: Any
    change: Callable[[str, str, bytes], bytes]

    def fetch_log_file(self, city: str, path: str, *, max_bytes: int) -> bytes:
        data = self.peers.fetch_log_file(city, path, max_bytes=max_bytes)
        return self.change(city, path, data)


def bend(node: Node, change: Callable[[str, str, bytes], bytes]) -> Node:
    return replace(node, peers=cast(Any, Bent(node.peers, change)))


def flip_tiles(_: str, path: str, data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1]) if "/tile/" in path else data


@contextmanager
def restored_twin(cities: Cities, name: str) -> Iterator[Node]:
    """The restored directory once more, opened here."""
    path = cities.path / name
    shutil.copytree(cities.path / ISSUER, path)
    runtime = open_runtime(path, migrated=True)
    try:
        yield runtime.node
    finally:
        runtime.close()


def entries_of(node: Node) -> int:
    with node.database.read() as tx:
        return tx.log.load_head().size


def back_up(cities: Cities) -> Path:
    """As an operator does: the city stops, its directory is copied."""
    cities.stop(ISSUER)
    backup = cities.path / "backup"
    shutil.copytree(cities.path / ISSUER, backup)
    cities.start(ISSUER, Liar(cities.path / ISSUER).around)
    return backup


def test_restored_city_takes_its_entries_back_and_assigns_no_index_again(cities: Cities) -> None:
    sql = "select count(*) from entries where leaf_index is not null"
    before = int(one(cities, ISSUER, sql))
    wait_cosigned(cities, before)
    backup = back_up(cities)
    size = grow(cities)
    wait_anchored(cities, size)
    wait_cosigned(cities, size)
    bundle = get(cities, ISSUER, f"/log/1/tile/entries/000.p/{size}")
    cities.stop(ISSUER)
    shutil.rmtree(cities.path / ISSUER)
    shutil.move(backup, cities.path / ISSUER)

    # nobody has the rest: nothing is taken in, and the comparison with the chain halts
    with restored_twin(cities, "lied-to") as node:
        assert recover_log(bend(node, flip_tiles)) is None
        assert entries_of(node) == before

    # a member that may have seen more is silent: nothing is numbered
    def fail(city: str, _: str, data: bytes) -> bytes:
        if city == cities.stock.city[BYSTANDER]:
            raise PeerUnavailableError(city, "silent")
        return data

    with restored_twin(cities, "waiting") as node:
        with pytest.raises(MirrorsSilentError):
            recover_log(bend(node, fail))
        assert entries_of(node) == before

    # somebody saw more signed than was anchored: what was anchored comes back, and it halts
    with restored_twin(cities, "shown") as node:
        more = sign_checkpoint(node, TreeHead(TreeSize(size + 1), RootHash(bytes(32))))

        def show(_: str, path: str, data: bytes) -> bytes:
            if not path.endswith("/mirror/checkpoints"):
                return data
            told = {**json.loads(data), "seen": [more.decode()]}
            return json.dumps(
                told, ensure_ascii=False, sort_keys=True, separators=(",", ":")
            ).encode()

        found = recover_log(bend(node, show))
        assert found is not None
        assert entries_of(node) == size
        assert [halt.reason for halt in list_halts(node)] == [LOG_BEHIND_MIRRORS]

    cities.start(ISSUER, Liar(cities.path / ISSUER).around)
    cities.wait_for(lambda: one(cities, ISSUER, sql) == size, "the entries to come back")
    recovered = cities.rows(ISSUER, "select old_size, size, lost from log_recoveries")
    assert recovered == [(before, size, size - before)]

    # the nonces of the backup are old: a person lets the accounts go on
    ahead = "nonce_ahead_of_database"
    halted = "select count(*) from halts where reason = ?"
    cities.wait_for(lambda: one(cities, ISSUER, halted, ahead), "the nonces to be noticed")
    assert wait(cities.act(ISSUER, lambda node: resolve_halt(node, ahead, "Li Lei"))) == 0
    assert grow(cities) == size + 1
    wait_cosigned(cities, size + 1)
    assert get(cities, ISSUER, f"/log/1/tile/entries/000.p/{size}") == bundle
    assert get(cities, ISSUER, f"/log/1/tile/entries/000.p/{size + 1}").startswith(bundle)
    assert one(cities, ISSUER, "select count(*) from halts where cleared_at is null") == 0
    assert standing(cities, RELIER) == set()
