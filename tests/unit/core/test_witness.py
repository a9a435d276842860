"""What a round found: every kind, its twin that is clean, latching, and who counts as a witness."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead
from ledger_node.core.types import CityId, RootHash, TreeSize
from ledger_node.core.witness import (
    LATCHED,
    SILENCE_S,
    FindingKind,
    Observation,
    Trouble,
    compare_findings,
    count_witnesses,
    judge_log,
    may_cosign,
)

K = FindingKind


def head(size: int, mark: int = 0) -> TreeHead:
    return TreeHead(TreeSize(size), RootHash(bytes(30) + bytes((size % 256, mark))))


CLEAN = Observation(
    anchored=head(8), mirrored=head(8), served=head(9), seen=(head(9), 1000), troubles=(),
    silent_since_s=None, now_s=2000, chain_now_s=1100, promise_s=600,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, set()),
        ({"anchored": None, "mirrored": EMPTY_TREE_HEAD}, set()),
        ({"served": None}, set()),
        ({"served": head(8)}, set()),
        ({"served": head(8, 1)}, {K.FORKED}),
        ({"served": head(7)}, {K.SHRUNK}),
        ({"chain_now_s": 1600}, set()),
        ({"chain_now_s": 1601}, {K.LATE}),
        ({"chain_now_s": 1601, "now_s": 9**9}, {K.LATE}),
        ({"chain_now_s": 1600, "now_s": 9**9}, set()),  # while the chain stands nobody is late
        ({"chain_now_s": 1601, "anchored": head(9)}, set()),
        ({"silent_since_s": 2000}, {K.SILENT}),
        ({"silent_since_s": 2000 - SILENCE_S}, {K.SILENT}),  # nothing was anchored meanwhile
        ({"silent_since_s": 2000 - SILENCE_S, "mirrored": head(7)}, {K.SILENT, K.WITHHELD}),
        ({"silent_since_s": 2001 - SILENCE_S, "mirrored": head(7)}, {K.SILENT}),
        ({"troubles": (Trouble(K.WITHHELD, "a"), Trouble(K.FORKED, "b"))}, {K.WITHHELD, K.FORKED}),
    ],
)
def test_judge_log_finds_exactly(changes: dict[str, object], found: set[FindingKind]) -> None:
    assert judge_log(replace(CLEAN, **changes)).keys() == found  # type: ignore[arg-type]


def test_judge_log_keeps_the_first_detail_of_a_kind() -> None:
    troubles = (Trouble(K.WITHHELD, "first"), Trouble(K.WITHHELD, "second"))
    assert judge_log(replace(CLEAN, troubles=troubles)) == {K.WITHHELD: "first"}


def test_may_cosign_only_upwards_and_never_while_a_fork_stands() -> None:
    assert may_cosign(head(8), 0, ())
    assert may_cosign(head(8), 7, (K.LATE, K.SILENT))
    assert not may_cosign(head(8), 8, ())
    assert not may_cosign(head(8), 9, ())
    assert not may_cosign(head(8), 7, (K.LATE, K.FORKED))


def test_compare_findings_ends_what_is_gone_but_nothing_that_is_latched() -> None:
    changes = compare_findings(tuple(K), {K.LATE: "still"})
    assert changes.begun == {}
    assert changes.ended == frozenset(K) - {K.LATE} - LATCHED
    assert frozenset({K.FORKED}) == LATCHED
    assert compare_findings((), {K.LATE: "x"}).begun == {K.LATE: "x"}


def test_count_witnesses_counts_members_in_good_standing_but_not_the_city_itself() -> None:
    one, two, three, gone = (CityId(code) for code in ("510107", "510700", "133100", "500103"))
    cosigned = {one: 9, two: 8, three: 7, gone: 9}
    found = count_witnesses(8, cosigned, one, (one, two, three))
    assert found.by == {two, gone}  # who cosigned; a suspended member does not count below
    assert found.count == (1, 2)
    assert count_witnesses(7, cosigned, one, (one, two, three)).count == (2, 2)
