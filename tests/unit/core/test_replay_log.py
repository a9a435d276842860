"""Anchored heads recomputed from entry bundles: withheld, forked, malformed."""

import random

import pytest

from ledger_node.core.merkle import TreeHead
from ledger_node.core.replay_log import replay_log
from ledger_node.core.replay_state import DiscrepancyCode
from tests.reference.tree import mth
from tests.unit.core.chain_histories import digest

WUHOU = "510107"
ENTRIES = [b"\x01\x01" + digest("entry", number) for number in range(600)]
SIZES = (1, 2, 7, 255, 256, 257, 512, 600)


def head(size, entries=ENTRIES):
    return TreeHead(size, mth(entries[:size]))


HEADS = [head(size) for size in SIZES]


def bundles(entries, width=256):
    return [entries[at : at + width] for at in range(0, len(entries), width)]


@pytest.mark.parametrize("width", [1, 3, 256, 1000])
def test_replay_log_honest_log_explains_every_head(width):
    found = replay_log(WUHOU, 1, bundles(ENTRIES, width), HEADS + HEADS[:2])
    assert (found.entries_read, found.heads_explained, found.discrepancies) == (600, 8, ())


def test_replay_log_without_heads_reads_entries_only():
    found = replay_log(WUHOU, 1, bundles(ENTRIES[:9]), [])
    assert (found.entries_read, found.heads_explained) == (9, 0)


def test_replay_log_withheld_entries_are_named_by_head():
    found = replay_log(WUHOU, 1, bundles(ENTRIES[:511]), HEADS)
    assert [(each.code, each.where) for each in found.discrepancies] == [
        (DiscrepancyCode.LOG_WITHHELD, "log 510107/1 size 512"),
        (DiscrepancyCode.LOG_WITHHELD, "log 510107/1 size 600"),
    ]
    assert found.heads_explained == 6


@pytest.mark.parametrize("at", [0, 6, 255, 256, 599])
def test_replay_log_changed_entry_forks_every_later_head(at):
    entries = list(ENTRIES)
    entries[at] = b"\x01\x01" + digest("other")
    found = replay_log(WUHOU, 1, bundles(entries), HEADS)
    places = [each.where for each in found.discrepancies]
    assert {each.code for each in found.discrepancies} == {DiscrepancyCode.LOG_FORKED}
    assert places == [f"log 510107/1 size {size}" for size in SIZES if size > at]


def test_replay_log_swapped_and_dropped_entries_fork():
    swapped = [ENTRIES[1], ENTRIES[0], *ENTRIES[2:]]
    found = replay_log(WUHOU, 1, bundles(swapped), [head(1), head(2), head(600)])
    assert [each.code for each in found.discrepancies] == [DiscrepancyCode.LOG_FORKED] * 3
    found = replay_log(WUHOU, 1, bundles(ENTRIES[1:]), [head(7), head(600)])
    assert [each.code for each in found.discrepancies] == [
        DiscrepancyCode.LOG_FORKED,
        DiscrepancyCode.LOG_WITHHELD,
    ]


def test_replay_log_two_heads_of_one_size_cannot_both_hold():
    other = TreeHead(256, digest("other history"))
    found = replay_log(WUHOU, 1, bundles(ENTRIES), [head(256), other])
    assert found.heads_explained == 1
    assert [each.where for each in found.discrepancies] == ["log 510107/1 size 256"]


def test_replay_log_malformed_entry_is_located_and_counted():
    entries = [*ENTRIES[:300], b"\x01\x01short", *ENTRIES[300:]]
    found = replay_log(WUHOU, 1, bundles(entries), [])
    assert [(each.code, each.where) for each in found.discrepancies] == [
        (DiscrepancyCode.LOG_ENTRY_MALFORMED, "log 510107/1 leaf 300")
    ]


def test_replay_log_random_cuts_agree():
    rng = random.Random(8)
    for _ in range(20):
        cuts = sorted(rng.sample(range(1, 600), 5))
        pages = [ENTRIES[a:b] for a, b in zip([0, *cuts], [*cuts, 600], strict=True)]
        assert replay_log(WUHOU, 1, pages, HEADS).heads_explained == len(HEADS)
