"""A city that comes back from a backup takes its own log back from the others' mirrors.

The oracle holds the served entry bundle before and after against each other, byte by byte.
"""

from __future__ import annotations

import shutil

import pytest

from ledger_node.flows.clearing import resolve_halt
from tests.integration.processes import wait
from tests.support.cities import Cities
from tests.support.liars import Liar
from tests.support.mirrors import (
    get,
    grow,
    one,
    standing,
    wait_anchored,
    wait_cosigned,
)
from tests.support.stock import BYSTANDER, ISSUER, RELIER

pytestmark = [pytest.mark.integration]


def back_up(cities: Cities) -> None:
    """As an operator does: the city stops, its directory is copied."""
    cities.stop(ISSUER)
    shutil.copytree(cities.path / ISSUER, cities.path / "backup")
    start(cities)


def restore(cities: Cities) -> None:
    shutil.rmtree(cities.path / ISSUER)
    shutil.move(cities.path / "backup", cities.path / ISSUER)


def start(cities: Cities) -> None:
    cities.start(ISSUER, Liar(cities.path / ISSUER).around)


def entries_of(cities: Cities) -> int:
    return int(one(cities, ISSUER, "select count(*) from entries where leaf_index is not null"))


def test_restored_city_takes_its_entries_back_and_assigns_no_index_again(cities: Cities) -> None:
    before = entries_of(cities)
    wait_cosigned(cities, before)
    back_up(cities)
    grow(cities)
    size = grow(cities)
    wait_anchored(cities, size)
    wait_cosigned(cities, size)
    bundle = get(cities, ISSUER, f"/log/1/tile/entries/000.p/{size}")
    cities.stop(ISSUER)
    restore(cities)

    # while a member that may have seen more is silent, nothing is numbered
    cities.stop(BYSTANDER)
    start(cities)
    sql = "select sum(leaf_index is not null) from entries"
    waiting = "mirrors_silent"
    cities.wait_for(lambda: waiting in (cities.path / f"{ISSUER}.log").read_text(), waiting)
    assert one(cities, ISSUER, sql) == before
    assert one(cities, ISSUER, "select 1 from halts where reason = 'log_behind_chain'") is None
    cities.start(BYSTANDER)
    cities.wait_for(lambda: entries_of(cities) == size, "the entries to come back")
    ((old_size, new_size, lost),) = cities.rows(
        ISSUER, "select old_size, size, lost from log_recoveries"
    )
    assert (old_size, new_size, lost) == (before, size, size - before)

    # the nonces of the backup are old: a person lets the accounts go on
    sql = "select count(*) from halts where reason = 'nonce_ahead_of_database'"
    cities.wait_for(lambda: one(cities, ISSUER, sql), "the nonces to be noticed")
    resolve = lambda node: resolve_halt(node, "nonce_ahead_of_database", "Li Lei")  # noqa: E731
    assert wait(cities.act(ISSUER, resolve)) == 0
    cities.wait_for(
        lambda: get(cities, ISSUER, "/log/1/checkpoint").split(b"\n")[1] == b"%d" % size,
        "the checkpoint",
    )
    assert get(cities, ISSUER, f"/log/1/tile/entries/000.p/{size}") == bundle
    assert grow(cities) == size + 1
    wait_cosigned(cities, size + 1)
    assert get(cities, ISSUER, f"/log/1/tile/entries/000.p/{size + 1}").startswith(bundle)
    assert standing(cities, RELIER) == set()
