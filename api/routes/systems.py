"""Case systems (综窗): cases in, events out by cursor, a one-time link to the panel of one case.

Spec: docs/spec/systems.md. A machine account sees its own system only; for another's the answer is
404. Nothing of a person stands in an address.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from api.access import PANEL_COOKIE, Principal, allow, public
from api.deps import get_runtime
from ledger_node.core.access import Permission
from ledger_node.core.canonical import encode_canonical
from ledger_node.core.errors import MalformedInputError, NotFoundError
from ledger_node.edges.database.cases import CaseNotFoundError
from ledger_node.flows.case_intake import HandedIn, hand_in
from ledger_node.flows.cases import load_case, make_link, use_link
from ledger_node.flows.sessions import begin_session
from ledger_node.flows.window import Clerk
from ledger_node.flows.window_cases import begin_case_visit
from ledger_node.ports.case_systems import CaseSystem
from ledger_node.seed import load_catalogue
from ledger_node.wiring import Runtime

router = APIRouter(tags=["systems"])

MAX_CASE_BYTES = 64 * 1024
MAX_EVENTS = 200
System = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,23}$")]
Number = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Machine = Annotated[Principal, allow(Permission.SYSTEMS_CASES)]
RuntimeDep = Annotated[Runtime, Depends(get_runtime)]


class CaseBodyError(MalformedInputError):
    """The body is no JSON object of a case, or too large."""

    code = "case_body_malformed"


class OfficerUnknownError(NotFoundError):
    """The case names no officer who has an account here."""

    code = "case_officer_unknown"


async def read_case_body(request: Request) -> bytes:
    """The body as RFC 8785 bytes, whatever its spelling.

    Raises:
        CaseBodyError: No JSON object, or more than 64 KiB.
    """
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_CASE_BYTES:
            raise CaseBodyError("办件内容超过 64 KiB。", "The case exceeds 64 KiB.")
    try:
        return encode_canonical(json.loads(received))
    except (ValueError, RecursionError) as error:
        raise CaseBodyError("办件内容不是 JSON。", "The case is not JSON.") from error


Body = Annotated[bytes, Depends(read_case_body)]


@router.put("/systems/v1/{system}/cases/{number}", status_code=200)
def put_case(
    runtime: RuntimeDep,
    principal: Machine,
    system: System,
    number: Number,
    body: Body,
    if_match: Annotated[str | None, Header(max_length=24)] = None,
) -> JSONResponse:
    """Hand a case in, or bring it up to date; the same body again changes nothing."""
    found = _own_system(runtime, principal, system)
    expected = None if if_match is None else _read_revision(if_match)
    handed = hand_in(
        runtime.node,
        found.states,
        number,
        body,
        load_catalogue().items.keys(),
        by=principal.account_id,
        expected_revision=expected,
    )
    return _describe(handed)


@router.get("/systems/v1/{system}/cases/{number}")
def get_case(
    runtime: RuntimeDep, principal: Machine, system: System, number: Number
) -> JSONResponse:
    """Where a case stands here."""
    _own_system(runtime, principal, system)
    with runtime.node.database.read() as tx:
        row = tx.cases.find_case(system, number)
    if row is None:
        raise CaseNotFoundError
    return _describe(HandedIn(load_case(runtime.node, row.case_id), False, False))


@router.post("/systems/v1/{system}/cases/{number}/panel", status_code=201)
def create_panel_link(
    runtime: RuntimeDep, principal: Machine, system: System, number: Number
) -> dict[str, Any]:
    """A link that opens the panel of this case once, within a minute, for the case's officer."""
    _own_system(runtime, principal, system)
    with runtime.node.database.read() as tx:
        row = tx.cases.find_case(system, number)
    if row is None:
        raise CaseNotFoundError
    if row.account_id is None:
        raise OfficerUnknownError(
            "办件没有指明经办人，或该经办人在本节点没有账号。",
            "The case names no officer, or one without an account here.",
        )
    token = make_link(runtime.node, row.case_id, row.account_id)
    return {"url": f"{runtime.settings.origin}/panel/{token}", "expires_in_s": 60}


@router.get("/systems/v1/{system}/events")
def list_events(
    runtime: RuntimeDep,
    principal: Machine,
    system: System,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = 50,
) -> dict[str, Any]:
    """Events of this system after a cursor, for systems that cannot be called."""
    _own_system(runtime, principal, system)
    with runtime.node.database.read() as tx:
        rows = tx.cases.list_events_after(system, after, limit)
        given_up = tx.cases.count_dead_events(system)
    return {
        "events": [{"cursor": row.event_id, **json.loads(row.body)} for row in rows],
        "next": rows[-1].event_id if rows else after,
        "given_up": given_up,
    }


@router.get(
    "/panel/{token}",
    dependencies=[public()],
    include_in_schema=False,
    response_class=RedirectResponse,
)
def open_panel(
    runtime: RuntimeDep, token: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
) -> Response:
    """Take a one-time link up: a session that opens this one visit and nothing else."""
    node = runtime.node
    link = use_link(node, token)
    case = load_case(node, link.case_id)
    system = runtime.case_systems.systems.get(case.row.system)
    with node.database.read() as tx:
        account = tx.accounts.load_account(link.account_id)
    if system is None or account.disabled_at is not None or account.officer is None:
        raise CaseNotFoundError
    clerk = Clerk(account.account_id, account.officer)
    run_id = begin_case_visit(node, clerk, case, load_catalogue(), device=system.name)
    path = f"/window/runs/{run_id}"
    session = begin_session(node, account, second_factor=False, scope=f"{system.system}:{path}")
    response = RedirectResponse(path, 303)
    # A frame of another site: the cookie is kept apart for that site and sent nowhere else.
    response.headers.append(
        "set-cookie",
        f"{PANEL_COOKIE}={session}; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
    )
    return response


def _own_system(runtime: Runtime, principal: Principal, system: str) -> CaseSystem:
    found = runtime.case_systems.systems.get(system)
    if found is None or principal.system != system:
        raise CaseNotFoundError
    return found


def _read_revision(if_match: str) -> int:
    text = if_match.strip('"')
    if not text.isdigit():
        raise CaseBodyError("If-Match 须为办件版本号。", "If-Match is a revision number.")
    return int(text)


def _describe(handed: HandedIn) -> JSONResponse:
    row = handed.case.row
    content = {
        "case": row.number,
        "system": row.system,
        "stage": row.stage,
        "revision": row.revision,
        "changed": handed.changed,
    }
    return JSONResponse(content, 201 if handed.created else 200, {"ETag": f'"{row.revision}"'})
