"""Rows of the auditor's lists: one description for the page's table and for the exported file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from api.pages.audit_words import BASES, FLAGS, OUTCOMES, Pair, shorten
from api.pages.cities import name_city
from api.pages.language import LATEST_S, Speech
from ledger_node.ports.database_chain import (
    AnchoredHead,
    Objection,
    Place,
    Revocation,
    StatusChange,
)
from ledger_node.ports.database_exploring import ConsumptionLine, EventKind, EventLine, GrantLine

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BOM: Final = "\ufeff"  # spreadsheets then read Chinese as it is
_LINES_PER_CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """One value.

    Attributes:
        text: As shown.
        whole: As exported; the text if None.
        href: Where it leads; None for nowhere.
        mono: Whether it is a hash.
        number: Whether it is a number, to stand right.
    """

    text: str
    whole: str | None = None
    href: str | None = None
    mono: bool = False
    number: bool = False


_PLACE: Final[tuple[Pair, ...]] = (("时间", "Time"), ("区块", "Block"))
COLUMNS: Final[Mapping[EventKind, tuple[Pair, ...]]] = {
    EventKind.ANCHOR: (
        *_PLACE, ("城市", "City"), ("代", "Generation"), ("条数", "Entries"), ("树根", "Root"),
        ("末个树头", "Closing"),
    ),
    EventKind.GRANT: (
        *_PLACE, ("授权", "Grant"), ("提供", "Releasing"), ("接收", "Receiving"),
        ("登记", "Recorder"), ("依据", "Basis"), ("次数", "Uses"), ("有效至", "Until"),
    ),
    EventKind.CONSUMPTION: (
        *_PLACE, ("授权", "Grant"), ("提供", "Releasing"), ("接收", "Receiving"),
        ("余次", "Uses left"), ("放行承诺", "Release commitment"),
    ),
    EventKind.REVOCATION: (*_PLACE, ("授权", "Grant"), ("撤回方", "Revoked by")),
    EventKind.STATUS: (
        *_PLACE, ("城市", "City"), ("状态", "Status"), ("叶哈希", "Leaf hash"),
    ),
    EventKind.OBJECTION: (
        *_PLACE, ("编号", "Number"), ("材料所属", "City"), ("提出方", "Raised by"),
        ("结果", "Outcome"), ("叶哈希", "Leaf hash"),
    ),
}  # fmt: skip


def describe_line(speech: Speech, kind: EventKind, line: EventLine) -> list[Cell]:
    """Cells of a row in the order of `COLUMNS`."""
    return [*_describe_place(speech, line.place), *_DESCRIBE[kind](speech, line)]


def stream_csv(speech: Speech, kind: EventKind, lines: Iterable[EventLine]) -> Iterator[bytes]:
    """The rows as CSV, some at a time; no cell can be taken for a formula."""
    rows = (
        [each.text if each.whole is None else each.whole for each in describe_line(speech, kind, x)]
        for x in lines
    )
    yield (_BOM + _write_csv([[speech.t(*pair) for pair in COLUMNS[kind]]])).encode()
    chunk: list[list[str]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) >= _LINES_PER_CHUNK:
            yield _write_csv(chunk).encode()
            chunk = []
    yield _write_csv(chunk).encode()


def escape_cell(text: str) -> str:
    """A cell that a spreadsheet shows and never runs."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def _write_csv(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([escape_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _describe_place(speech: Speech, place: Place) -> list[Cell]:
    at = datetime.fromtimestamp(place.block_timestamp_s, UTC)
    number = place.block_number
    return [
        Cell(speech.moment(at), at.isoformat()),
        Cell(speech.number(number), str(number), f"/audit/blocks/{number}", number=True),
    ]


def _city(speech: Speech, city: str | None) -> Cell:
    return Cell("—", "") if city is None else Cell(name_city(city, speech.language), city)


def _grant(grant_id: bytes) -> Cell:
    return Cell(shorten(grant_id), grant_id.hex(), f"/audit/grants/{grant_id.hex()}", mono=True)


def _hash(value: bytes) -> Cell:
    return Cell(shorten(value), value.hex(), mono=True)


def _count(speech: Speech, value: int) -> Cell:
    return Cell(speech.number(value), str(value), number=True)


def _describe_anchor(speech: Speech, line: AnchoredHead) -> list[Cell]:
    return [
        _city(speech, line.city),
        _count(speech, line.generation),
        _count(speech, line.tree_head.size),
        _hash(line.tree_head.root),
        Cell(speech.t("是", "yes") if line.closing else "", "1" if line.closing else "0"),
    ]


def _describe_grant(speech: Speech, line: GrantLine) -> list[Cell]:
    until = min(line.not_after_s, LATEST_S)
    return [
        _grant(line.grant_id),
        _city(speech, line.releasing),
        _city(speech, line.receiving),
        _city(speech, line.recorder),
        Cell(speech.t(*BASES.get(line.basis, (str(line.basis), str(line.basis))))),
        _count(speech, line.uses),
        Cell(speech.moment(until), datetime.fromtimestamp(until, UTC).isoformat()),
    ]


def _describe_consumption(speech: Speech, line: ConsumptionLine) -> list[Cell]:
    return [
        _grant(line.consumption.grant_id),
        _city(speech, line.releasing),
        _city(speech, line.receiving),
        _count(speech, line.consumption.uses_left),
        _hash(line.consumption.release_commitment),
    ]


def _describe_revocation(speech: Speech, line: Revocation) -> list[Cell]:
    return [_grant(line.grant_id), _city(speech, line.city)]


def _describe_status(speech: Speech, line: StatusChange) -> list[Cell]:
    name = FLAGS.get(line.flag, (str(line.flag), str(line.flag)))
    return [_city(speech, line.city), Cell(speech.t(*name)), _leaf(line.city, line.leaf_hash)]


def _describe_objection(speech: Speech, line: Objection) -> list[Cell]:
    name = OUTCOMES.get(line.outcome, (str(line.outcome), str(line.outcome)))
    return [
        _count(speech, line.objection_id),
        _city(speech, line.city),
        _city(speech, line.raiser),
        Cell(speech.t(*name)),
        _leaf(line.city, line.leaf_hash),
    ]


def _leaf(city: str, leaf_hash: bytes) -> Cell:
    href = f"/audit/leaves/{city}/{leaf_hash.hex()}"
    return Cell(shorten(leaf_hash), leaf_hash.hex(), href, mono=True)


_DESCRIBE: Final[Mapping[EventKind, Callable[[Speech, Any], list[Cell]]]] = {
    EventKind.ANCHOR: _describe_anchor,
    EventKind.GRANT: _describe_grant,
    EventKind.CONSUMPTION: _describe_consumption,
    EventKind.REVOCATION: _describe_revocation,
    EventKind.STATUS: _describe_status,
    EventKind.OBJECTION: _describe_objection,
}
