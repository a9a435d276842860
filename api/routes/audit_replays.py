"""Replays: asking for one, watching it, taking its report away. Permission `audit.explore`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.access import allow
from api.pages import audit_words as words
from api.pages.language import read_speech
from api.pages.render import fragment
from api.routes.audit import Auditor, RuntimeDep, audit_page
from api.routes.audit_items import send_file
from ledger_node.core.access import Permission
from ledger_node.core.canonical import parse_canonical
from ledger_node.flows import replaying
from ledger_node.ports.database_exploring import OPEN_REPLAYS, ReplayRow

router = APIRouter(prefix="/audit/replays", tags=["audit"], include_in_schema=False)

ReplayId = Annotated[int, Path(ge=1, lt=2**53)]
PER_PAGE = 20
SHOWN_DISCREPANCIES = 100
MAX_REPORT_BYTES = 64 * 1024 * 1024


@router.get("", response_class=HTMLResponse)
def list_replays(
    request: Request,
    principal: Auditor,
    runtime: RuntimeDep,
    before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
) -> Response:
    """All replays, newest first, and the button for another."""
    rows = replaying.list_replays(runtime.node, before, PER_PAGE + 1)
    more = len(rows) > PER_PAGE
    rows = rows[:PER_PAGE]
    context = {
        "rows": rows,
        "open": next((row for row in rows if row.state in OPEN_REPLAYS), None),
        "next_url": f"/audit/replays?before={rows[-1].replay_id}" if more else None,
        "sample": replaying.SAMPLE,
    }
    return audit_page(request, principal, "replays.html", context)


@router.post("", response_class=HTMLResponse)
def request_replay(
    principal: Auditor, runtime: RuntimeDep, whole: Annotated[str, Form()] = ""
) -> Response:
    """Ask for a replay and go to its page."""
    sample = None if whole == "yes" else replaying.SAMPLE
    replay_id = replaying.request_replay(runtime.node, principal.account_id, sample=sample)
    return RedirectResponse(f"/audit/replays/{replay_id}", 303)


@router.get("/{replay_id}", response_class=HTMLResponse)
def read_replay(
    request: Request, principal: Auditor, runtime: RuntimeDep, replay_id: ReplayId
) -> Response:
    """One replay; while it is open the page asks for its progress again and again."""
    row = replaying.load_replay(runtime.node, replay_id)
    return audit_page(request, principal, "replay.html", _context(request, row))


@router.get("/{replay_id}/progress", response_class=HTMLResponse)
def read_progress(
    request: Request, principal: Auditor, runtime: RuntimeDep, replay_id: ReplayId
) -> Response:
    """The part of the page that changes."""
    row = replaying.load_replay(runtime.node, replay_id)
    context = {"words": words, "shorten": words.shorten, **_context(request, row)}
    return fragment(request, principal, "audit/replay_progress.html", context)


def _context(request: Request, row: ReplayRow) -> dict[str, object]:
    report = None
    if row.report is not None:
        report = parse_canonical(row.report, what="report", max_bytes=MAX_REPORT_BYTES)
    return {
        "row": row,
        "is_open": row.state in OPEN_REPLAYS,
        "stage": words.name_stage(read_speech(request), row.stage),
        "report": report,
        "shown": SHOWN_DISCREPANCIES,
    }


@router.post(
    "/{replay_id}/cancel",
    response_class=HTMLResponse,
    dependencies=[allow(Permission.AUDIT_EXPLORE)],
)
def cancel_replay(runtime: RuntimeDep, replay_id: ReplayId) -> Response:
    """Ask it to end."""
    replaying.cancel_replay(runtime.node, replay_id)
    return RedirectResponse(f"/audit/replays/{replay_id}", 303)


@router.get("/{replay_id}/report.json", dependencies=[allow(Permission.AUDIT_EXPLORE)])
def download_report(runtime: RuntimeDep, replay_id: ReplayId) -> Response:
    """The report, exactly as it was stored."""
    row = replaying.load_replay(runtime.node, replay_id)
    if row.report is None:
        raise replaying.ReplayNotFoundError
    return send_file(row.report, f"tongban-{runtime.node.city}-replay-{replay_id}.json")
