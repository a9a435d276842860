"""The auditor's overview, members, events over time and rows. Permission `audit.explore`.

Sees no person: the flows read the shared part only. Single items stand in `audit_items.py`,
replays in `audit_replays.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from api.access import Principal, allow
from api.deps import get_runtime
from api.pages import audit_words as words
from api.pages.charts import Chart, compute_bars, compute_steps
from api.pages.cities import name_city
from api.pages.event_rows import COLUMNS, describe_line, stream_csv
from api.pages.language import CHINA, Speech, read_speech
from api.pages.render import page
from ledger_node.core.access import Permission
from ledger_node.core.buckets import Range
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.event_types import KeyRole
from ledger_node.core.types import CityId
from ledger_node.flows import exploring
from ledger_node.flows.halts import list_halts
from ledger_node.flows.witnessing import load_standings
from ledger_node.ports.database_exploring import BucketActivity, EventKind
from ledger_node.wiring import Runtime

router = APIRouter(prefix="/audit", tags=["audit"], include_in_schema=False)

Auditor = Annotated[Principal, allow(Permission.AUDIT_EXPLORE)]
RuntimeDep = Annotated[Runtime, Depends(get_runtime)]
FINDINGS: Final = 50
CityCode = Annotated[str, Query(pattern=r"^([0-9]{6})?$")]
Day = Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")]
Seconds = Annotated[int | None, Query(ge=0, le=2**40)]


class DayMalformedError(MalformedInputError):
    """A day of the filter does not exist."""

    code = "day_malformed"

    def __init__(self) -> None:
        super().__init__("日期不存在，请重新选择。", "There is no such day; choose again.")


def audit_page(
    request: Request, principal: Principal, template: str, context: Mapping[str, Any]
) -> HTMLResponse:
    """A page of this area: with its tabs, and what is wrong with what it shows."""
    node = get_runtime(request).node
    language = read_speech(request).language
    shared = {
        "words": words,
        "shorten": words.shorten,
        "city": lambda code: name_city(code, language),
        "freshness": exploring.load_freshness(node),
        "standing_halts": list_halts(node),
    }
    return page(request, principal, f"audit/{template}", {**shared, **context})


@router.get("", response_class=HTMLResponse)
def read_overview(request: Request, principal: Auditor, runtime: RuntimeDep) -> Response:
    """Members and logs, counts, halts, releases nobody acknowledged, the newest replay."""
    overview = exploring.load_overview(runtime.node)
    return audit_page(request, principal, "overview.html", {"overview": overview})


@router.get("/members", response_class=HTMLResponse)
def read_members(request: Request, principal: Auditor, runtime: RuntimeDep) -> Response:
    """Members with keys over time, who witnessed which log and what was found, contracts."""
    membership = exploring.load_membership(runtime.node)
    with runtime.node.database.read() as tx:
        findings = tx.mirrors.list_findings(standing_only=False, limit=FINDINGS)
    context = {
        "membership": membership,
        "roles": list(KeyRole),
        "logs": load_standings(runtime.node),
        "findings": findings,
    }
    return audit_page(request, principal, "members.html", context)


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with the words and the table that say the same.

    Attributes:
        name: Of its elements and of its style.
        columns, rows: Of the table; a row is (bucket's name, link, values).
        labels: Names of the buckets on the axis.
    """

    name: str
    title: str
    summary: str
    chart: Chart
    columns: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[int, ...]], ...]
    labels: tuple[str, ...]


@router.get("/activity", response_class=HTMLResponse)
def read_activity(
    request: Request,
    principal: Auditor,
    runtime: RuntimeDep,
    range: Range = Range.MONTH,
) -> Response:
    """Anchors per city, grants, consumptions and revocations over time."""
    activity = exploring.load_activity(runtime.node, range)
    speech = read_speech(request)
    figures = [
        _draw_heads(speech, activity),
        _draw_counts(speech, activity, EventKind.ANCHOR, lambda row: row.anchors),
        _draw_counts(speech, activity, EventKind.GRANT, lambda row: row.grants),
        _draw_consumptions(speech, activity),
        _draw_counts(speech, activity, EventKind.REVOCATION, lambda row: row.revocations),
    ]
    context = {"figures": figures, "range": range, "ranges": words.RANGES, "activity": activity}
    return audit_page(request, principal, "activity.html", context)


def _draw_counts(
    speech: Speech,
    activity: exploring.Activity,
    kind: EventKind,
    count: Callable[[BucketActivity], int],
) -> Figure:
    """One bar per bucket over all cities; the table splits it by city."""
    split = {city: [0] * activity.buckets.count for city in activity.cities}
    for row in activity.rows:
        split[row.city][row.bucket] = count(row)
    rows = [
        (sum(values[i] for values in split.values()), *(values[i] for values in split.values()))
        for i in range(activity.buckets.count)
    ]
    names = tuple(name_city(city, speech.language) for city in split)
    return _draw_bars(speech, activity, kind, (speech.t("合计", "All"), *names), rows)


def _draw_consumptions(speech: Speech, activity: exploring.Activity) -> Figure:
    """A consumption names its grant and no city, so there is nothing to split by."""
    totals = [0] * activity.buckets.count
    for bucket, count in activity.consumptions:
        totals[bucket] = count
    rows = [(total,) for total in totals]
    return _draw_bars(speech, activity, EventKind.CONSUMPTION, (speech.t("合计", "All"),), rows)


def _draw_bars(
    speech: Speech,
    activity: exploring.Activity,
    kind: EventKind,
    columns: tuple[str, ...],
    rows: Sequence[tuple[int, ...]],
) -> Figure:
    totals = [row[0] for row in rows]
    return Figure(
        name=kind.value,
        title=speech.t(*words.KINDS[kind]),
        summary=_summarise(speech, activity, totals),
        chart=compute_bars(totals),
        columns=columns,
        rows=_rows(speech, activity, kind, rows, changes_only=False),
        labels=_labels(speech, activity),
    )


def _draw_heads(speech: Speech, activity: exploring.Activity) -> Figure:
    """Anchored entries of each city: the size of its newest head."""
    buckets = activity.buckets
    sizes = {name: [activity.before.get(name, 0)] * buckets.count for name in activity.cities}
    for row in activity.rows:
        if row.head_size is not None:
            values = sizes[row.city]
            values[row.bucket :] = [row.head_size] * (buckets.count - row.bucket)
    named = {name_city(city, speech.language): values for city, values in sizes.items()}
    rows = [tuple(values[i] for values in sizes.values()) for i in range(buckets.count)]
    parts = [f"{name} {speech.number(values[-1])}" for name, values in named.items()]
    return Figure(
        name="heads",
        title=speech.t("已锚定条数", "Entries anchored"),
        summary=speech.t("现在：", "Now: ") + speech.t("、", ", ").join(parts),
        chart=compute_steps(named),
        columns=tuple(named),
        rows=_rows(speech, activity, EventKind.ANCHOR, rows, changes_only=True),
        labels=_labels(speech, activity),
    )


def _summarise(speech: Speech, activity: exploring.Activity, totals: Sequence[int]) -> str:
    whole = sum(totals)
    if not whole:
        return speech.t("这段时间没有。", "None in this time.")
    most = max(range(len(totals)), key=totals.__getitem__)
    buckets = activity.buckets
    _, when = words.label_bucket(speech, buckets.starts_s[most], buckets.width_s)
    return speech.t(
        f"共 {speech.number(whole)} 次；最多的一段从{when}起，{speech.number(totals[most])} 次。",
        f"{speech.number(whole)} in all; most from {when} on: {speech.number(totals[most])}.",
    )


def _labels(speech: Speech, activity: exploring.Activity) -> tuple[str, ...]:
    buckets = activity.buckets
    return tuple(words.label_bucket(speech, start, buckets.width_s)[0] for start in buckets)


def _rows(
    speech: Speech,
    activity: exploring.Activity,
    kind: EventKind,
    values: Sequence[tuple[int, ...]],
    *,
    changes_only: bool,
) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    """Newest first; buckets in which nothing was (or nothing changed) are left out."""
    buckets = activity.buckets
    rows = []
    for i, start in enumerate(buckets):
        if not any(values[i]) or (changes_only and i and values[i] == values[i - 1]):
            continue
        query = urlencode({"kind": kind.value, "from_s": start, "until_s": start + buckets.width_s})
        _, name = words.label_bucket(speech, start, buckets.width_s)
        rows.append((name, f"/audit/events?{query}", values[i]))
    return tuple(reversed(rows))


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter of a list, as the address carries it."""

    kind: EventKind
    city: CityId | None
    from_s: int | None
    until_s: int | None

    def query(self, **more: str) -> str:
        """The same filter as a query string."""
        values = {
            "kind": self.kind.value,
            "city": self.city or "",
            "from_s": "" if self.from_s is None else str(self.from_s),
            "until_s": "" if self.until_s is None else str(self.until_s),
            **more,
        }
        return urlencode({name: value for name, value in values.items() if value})


def read_filter(
    kind: EventKind = EventKind.ANCHOR,
    city: CityCode = "",
    from_day: Day = "",
    until_day: Day = "",
    from_s: Annotated[str, Query(pattern=r"^[0-9]{0,12}$")] = "",
    until_s: Annotated[str, Query(pattern=r"^[0-9]{0,12}$")] = "",
) -> Asked:
    """Kind, city and times; days are whole days in China, the last one included.

    Raises:
        DayMalformedError: There is no such day.
    """
    begin = int(from_s) if from_s else None
    end = int(until_s) if until_s else None
    if from_day:
        begin = _begin_of(from_day)
    if until_day:
        end = _begin_of(until_day, days=1)
    chosen = None if kind is EventKind.CONSUMPTION or not city else CityId(city)
    return Asked(kind, chosen, begin, end)


def _begin_of(day: str, *, days: int = 0) -> int:
    try:
        midnight = datetime.combine(date.fromisoformat(day), time(), CHINA)
        return max(0, int((midnight + timedelta(days=days)).timestamp()))
    except (ValueError, OverflowError) as error:
        raise DayMalformedError from error


Filter = Annotated[Asked, Depends(read_filter)]
CURSOR: Final = Query(max_length=32)


@router.get("/events", response_class=HTMLResponse)
def list_events(
    request: Request,
    principal: Auditor,
    runtime: RuntimeDep,
    asked: Filter,
    before: Annotated[str, CURSOR] = "",
) -> Response:
    """Rows of one kind, newest first, page by page."""
    cursor = exploring.parse_cursor(before) if before else None
    shown = exploring.list_events(
        runtime.node, asked.kind, city=asked.city, from_s=asked.from_s, until_s=asked.until_s,
        before=cursor,
    )  # fmt: skip
    speech = read_speech(request)
    next_url = None
    if shown.next_before is not None:
        following = asked.query(before=exploring.encode_cursor(shown.next_before))
        next_url = f"/audit/events?{following}"
    context = {
        "asked": asked,
        "columns": COLUMNS[asked.kind],
        "rows": [describe_line(speech, asked.kind, line) for line in shown.lines],
        "next_url": next_url,
        "cities": exploring.list_members(runtime.node),
        "first_page": cursor is None,
        "days": [_day_of(asked.from_s, 0), _day_of(asked.until_s, 1)],
    }
    return audit_page(request, principal, "events.html", context)


def _day_of(at_s: int | None, back_s: int) -> str:
    """The day a time lies in, for the form; the end of a range is its last second."""
    if at_s is None:
        return ""
    try:
        return datetime.fromtimestamp(max(0, at_s - back_s), CHINA).date().isoformat()
    except (ValueError, OverflowError):
        return ""


@router.get(
    "/events.csv",
    response_class=StreamingResponse,
    dependencies=[allow(Permission.AUDIT_EXPLORE)],
)
def export_events(request: Request, runtime: RuntimeDep, asked: Filter) -> Response:
    """The same rows as a file, streamed; final blocks only."""
    lines = exploring.iterate_events(
        runtime.node, asked.kind, city=asked.city, from_s=asked.from_s, until_s=asked.until_s
    )
    name = f"tongban-{runtime.node.city}-{asked.kind.value}.csv"
    return StreamingResponse(
        stream_csv(read_speech(request), asked.kind, lines),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )
