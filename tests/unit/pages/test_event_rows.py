"""Rows as cells: exported as they are, and never run by a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from api.pages.event_rows import COLUMNS, describe_line, escape_cell, stream_csv
from api.pages.language import Speech
from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import (
    Address,
    BlockHash,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    RootHash,
    TreeSize,
    TxHash,
)
from ledger_node.ports.database_chain import (
    AnchoredHead,
    Consumption,
    Objection,
    Place,
    Revocation,
    StatusChange,
)
from ledger_node.ports.database_exploring import ConsumptionLine, EventKind, EventLine, GrantLine

ZH, EN = Speech("zh", "plain"), Speech("en", "plain")
PLACE = Place(
    BlockNumber(1234), BlockHash(b"b" * 32), 1_795_000_000, TxHash(b"t" * 32), 0, Address(b"c" * 20)
)
WUHOU, MIANYANG = CityId("510107"), CityId("510700")
GRANT = GrantId(b"\xab" * 32)
LINES: dict[EventKind, EventLine] = {
    EventKind.ANCHOR: AnchoredHead(
        WUHOU, 1, TreeHead(TreeSize(4321), RootHash(b"r" * 32)), False, PLACE
    ),
    EventKind.GRANT: GrantLine(GRANT, WUHOU, MIANYANG, MIANYANG, 0, 2**64 - 1, 3, 2, PLACE),
    EventKind.CONSUMPTION: ConsumptionLine(
        Consumption(GRANT, ReleaseCommitment(b"x" * 32), 2, PLACE), None, None
    ),
    EventKind.REVOCATION: Revocation(GRANT, WUHOU, PLACE),
    EventKind.STATUS: StatusChange(WUHOU, LeafHash(b"l" * 32), 1, Commitment(bytes(32)), PLACE),
    EventKind.OBJECTION: Objection(
        7, WUHOU, LeafHash(b"l" * 32), MIANYANG, Commitment(b"q" * 32), 0, PLACE
    ),
}


@pytest.mark.parametrize(
    "text", ["=1+1", "+86", "-2", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＠x"]
)
def test_escape_cell_formula_is_shown_and_never_run(text: str) -> None:
    assert escape_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "5=5", "武侯", "abc-1", "'x"])
def test_escape_cell_plain_text_is_left_alone(text: str) -> None:
    assert escape_cell(text) == text


@pytest.mark.parametrize("kind", list(EventKind))
def test_describe_line_every_kind_has_a_cell_per_column(kind: EventKind) -> None:
    for speech in (ZH, EN):
        assert len(describe_line(speech, kind, LINES[kind])) == len(COLUMNS[kind])


@pytest.mark.parametrize("kind", list(EventKind))
def test_stream_csv_every_kind_parses_and_carries_whole_values(kind: EventKind) -> None:
    data = b"".join(stream_csv(ZH, kind, [LINES[kind]] * 3)).decode()
    assert data.startswith("\ufeff")
    head, *rows = csv.reader(io.StringIO(data.removeprefix("\ufeff")))
    assert head == [zh for zh, _ in COLUMNS[kind]]
    assert len(rows) == 3
    assert rows[0][:2] == ["2026-11-18T11:06:40+00:00", "1234"]
    assert "…" not in data  # hashes are not shortened in a file


def test_stream_csv_formula_in_a_value_is_escaped() -> None:
    line = Revocation(GRANT, CityId("=cmd()"), PLACE)
    data = b"".join(stream_csv(ZH, EventKind.REVOCATION, [line])).decode()
    assert ",'=cmd()" in data
