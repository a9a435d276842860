"""T17: every (method, path) × every role, signed in or not, own and foreign, from here or not.

Adding a route? If its path has a parameter name nobody used before, add one line to
`parameters.py` (its head says how); `python scripts/list_routes.py` writes its row of
docs/spec/routes.md. Nothing else: what
each role may do follows from the mark the route carries (`allow(…)`, `public()`, `peer()`,
`find_principal()`), and the calls are made from that.

What the door says is compared with an independent table of roles below, not with the one in
`core/access.py`. Every refusal has a twin that differs in one thing and passes the door.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from api.access import Allow, Optionally, Peer, Public, list_marks, walk_routes
from ledger_node.core.access import SECOND_FACTOR, Role
from ledger_node.flows.sessions import begin_session
from tests.architecture.source import list_routes, read_doc
from tests.integration.access.parameters import PARAMETERS, Owned
from tests.integration.access.twins import ELSEWHERE, list_bodies, list_values
from tests.support.hall import (
    ORIGIN,
    Hall,
    begin_headers,
    make_account,
    open_hall,
    session_headers,
)

pytestmark = pytest.mark.integration

SAFE = {"GET", "HEAD"}
CALL_S = 20.0
DOOR = {"not_signed_in", "not_permitted_here", "forged_request"}
WINDOW = {"registrar", "reviewer", "supervisor"}
DECIDE = {"reviewer", "supervisor"}
# Who may do what, written a second time by hand.
MAY: dict[str, set[str]] = {
    "materials.register": WINDOW,
    "materials.read": WINDOW,
    "documents.view": WINDOW,
    "cases.handle": WINDOW,
    "consent.collect": WINDOW,
    "finds.make": WINDOW,
    "releases.make": WINDOW,
    "releases.read": WINDOW,
    "decisions.make": DECIDE,
    "overrides.make": DECIDE,
    "grants.revoke": WINDOW,
    "verifications.file": WINDOW,
    "devices.use": WINDOW,
    "audit.explore": {"auditor"},
    "accounts.manage": {"system_admin"},
    "security.manage": {"security_admin"},
    "trail.read": {"audit_admin"},
    "me.use": {"citizen"},
    "systems.cases": {"system"},
}
ROLES = sorted(role.value for role in Role)
# What a page may answer that wants a chain, or a question: its door was passed all the same.
WITHOUT_CHAIN = {"chain_not_followed", "chain_unavailable", "request_malformed"}


@dataclass(frozen=True)
class Route:
    """A (method, path) with its mark."""

    method: str
    path: str
    mark: Any

    @property
    def names(self) -> list[str]:
        return re.findall(r"\{(\w+)(?::\w+)?\}", self.path)

    def fill(self, values: dict[str, str]) -> str:
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values[found[1]], self.path)


@contextmanager
def open_peopled_hall(path: Path) -> Iterator[Hall]:
    with open_hall(path) as opened:
        opened.people["registrar-elsewhere"] = make_account(opened.runtime.node, "registrar")
        yield opened


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_peopled_hall(tmp_path_factory.mktemp("matrix")) as opened:
        yield opened


@pytest.fixture
def untouched_hall(tmp_path: Path) -> Iterator[Hall]:
    """One in which no other test left anything open."""
    with open_peopled_hall(tmp_path) as opened:
        yield opened


def routes_of(hall: Hall) -> list[Route]:
    return [
        Route(method, route.path, next(list_marks(route.dependant)))
        for route in walk_routes(hall.app)
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]


class Caller:
    """Calls the application directly; a call that does not end fails with its name."""

    def __init__(self, hall: Hall) -> None:
        transport = httpx2.ASGITransport(hall.app, raise_app_exceptions=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url=ORIGIN)
        self.calls = 0

    async def __call__(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        origin: str | None = ORIGIN,
        **content: Any,
    ) -> httpx2.Response:
        self.calls += 1
        sent = {"accept": "application/json", **headers, **({"origin": origin} if origin else {})}
        try:
            return await asyncio.wait_for(
                self._client.request(method, path, headers=sent, **content), timeout=CALL_S
            )
        except TimeoutError:
            raise AssertionError(f"{method} {path} does not end: mark it in test_matrix") from None


def door(answer: httpx2.Response) -> str:
    """What the door said: a code of `DOOR`, or empty when the call passed it."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        code = str(answer.json()["code"])
        return code if code in DOOR else ""
    return ""


def run(hall: Hall, work: Callable[[Caller], Awaitable[None]]) -> int:
    caller = Caller(hall)
    asyncio.run(work(caller))  # type: ignore[arg-type]
    return caller.calls


def shared_values(route: Route) -> dict[str, str]:
    """Values for the parameters of a path; what is owned gets one that does not exist."""
    values = {}
    for name in route.names:
        known = PARAMETERS.get(name)
        assert known is not None, (
            f"{route.method} {route.path}: add a line for {{{name}}} to "
            "tests/integration/access/parameters.py (its head says how)"
        )
        values[name] = "0" * 8 if isinstance(known, Owned) else known.value
    return values


def test_matrix_counts_every_route_of_the_running_application(hall: Hall) -> None:
    counted = {(route.method, route.path) for route in routes_of(hall)}
    walked = {each for each in list_routes(list(hall.app.routes)) if each[0] != "HEAD"}
    framework = list(iter_route_contexts(hall.app.routes))
    assert counted == walked
    assert len(framework) == len([*walk_routes(hall.app)])
    assert len(counted) >= 50
    plain = {(method, path.replace(":path}", "}")) for method, path in counted}
    shown = {
        (method.upper(), path)
        for path, methods in hall.app.openapi()["paths"].items()
        for method in methods
    }
    hidden = set(re.findall(r"^\| `([A-Z]+) (\S+)` \|", read_doc("spec/routes.md"), re.M)) - shown
    missing = plain - shown - hidden
    assert not missing, f"run scripts/list_routes.py (docs/spec/routes.md): {sorted(missing)}"
    assert plain == shown | hidden, sorted((shown | hidden) - plain)


def test_roles_of_every_permission_are_those_of_the_table_written_by_hand(hall: Hall) -> None:
    from ledger_node.core.access import ROLE_PERMISSIONS, Permission

    held = {
        permission.value: {role.value for role in Role if permission in ROLE_PERMISSIONS[role]}
        for permission in Permission
    }
    assert held == MAY


def test_every_parameter_of_a_path_is_known(hall: Hall) -> None:
    for route in routes_of(hall):
        shared_values(route)


def test_every_route_without_login_is_refused_unless_open_to_all(hall: Hall) -> None:
    routes = routes_of(hall)

    async def work(call: Caller) -> None:
        for route in routes:
            answer = await call(route.method, route.fill(shared_values(route)), {})
            where = f"{route.method} {route.path}"
            if isinstance(route.mark, Allow):
                assert (answer.status_code, door(answer)) == (401, "not_signed_in"), where
            elif isinstance(route.mark, Peer):
                assert answer.status_code >= 400, where  # twins: tests/integration/exchange
            elif isinstance(route.mark, Optionally):  # the route itself may ask for somebody
                assert door(answer) in ("", "not_signed_in"), where
            else:
                assert door(answer) == "", where

    assert run(hall, work) == len(routes)


def test_every_route_with_a_session_of_another_city_is_refused(hall: Hall, tmp_path: Path) -> None:
    guarded = [route for route in routes_of(hall) if isinstance(route.mark, Allow)]
    with open_hall(tmp_path) as other:
        foreign = {role: begin_headers(other.runtime.node, role, other.person) for role in ROLES}

    async def work(call: Caller) -> None:
        for route in guarded:
            role = min(MAY[route.mark.permission.value])
            answer = await call(route.method, route.fill(shared_values(route)), foreign[role])
            assert door(answer) == "not_signed_in", f"{route.method} {route.path} {role}"

    assert run(hall, work) == len(guarded) >= 30


def test_every_route_and_role_opens_for_whom_it_is_marked_and_nobody_else(hall: Hall) -> None:
    guarded = [route for route in routes_of(hall) if isinstance(route.mark, Allow)]
    node = hall.runtime.node
    opened: set[tuple[str, str]] = set()

    async def work(call: Caller) -> None:
        signed_in = {role: begin_headers(node, role, hall.person) for role in ROLES}
        for route in guarded:
            for role in ROLES:
                answer = await call(route.method, route.fill(shared_values(route)), signed_in[role])
                where = f"{route.method} {route.path} as {role}: {answer.status_code}"
                if role in MAY[route.mark.permission.value]:
                    assert door(answer) == "", f"{where} {answer.text[:200]}"
                    assert answer.status_code != 500, f"{where} {answer.text[:200]}"
                    opened.add((route.method, route.path))
                else:
                    assert (answer.status_code, door(answer)) == (403, "not_permitted_here"), where

    assert run(hall, work) == len(guarded) * len(ROLES)
    assert opened == {(route.method, route.path) for route in guarded}


def test_every_page_without_parameters_succeeds_for_whom_it_is_meant(hall: Hall) -> None:
    pages = [
        route
        for route in routes_of(hall)
        if route.method == "GET" and isinstance(route.mark, Allow) and not route.names
    ]
    whole: list[str] = []

    async def work(call: Caller) -> None:
        for route in pages:
            role = min(MAY[route.mark.permission.value])
            headers = begin_headers(hall.runtime.node, role, hall.person)
            answer = await call("GET", route.path, {**headers, "accept": "text/html"})
            code = re.search(r"<code>(\w+)</code>", answer.text)
            if code is not None and code[1] in WITHOUT_CHAIN:
                continue
            assert answer.status_code < 400, f"{route.path} as {role}: {answer.text[-300:]}"
            whole.append(route.path)

    assert run(hall, work) == len(pages)
    assert len(whole) >= 6


def test_every_permitted_call_succeeds_or_is_walked_elsewhere(untouched_hall: Hall) -> None:
    hall = untouched_hall
    guarded = [route for route in routes_of(hall) if isinstance(route.mark, Allow)]
    node, values = hall.runtime.node, list_values(hall)
    case = PARAMETERS["case_id"]
    assert isinstance(case, Owned)
    bodies = list_bodies(case.make(hall, hall.account_id("registrar"))[0])
    failed: dict[tuple[str, str], str] = {}

    async def work(call: Caller) -> None:
        for number, route in enumerate(guarded):
            role, which = min(MAY[route.mark.permission.value]), (route.method, route.path)
            headers = begin_headers(node, role, hall.person)  # some routes end the session
            filled = shared_values(route)
            for name in route.names:
                if isinstance(kind := PARAMETERS[name], Owned):
                    filled[name] = kind.make(hall, hall.account_id(role))[0]
            path = route.fill(filled | {name: values[name] for name in filled if name in values})
            headers |= {"idempotency-key": f"twin-{number:04}"}
            headers |= {} if path.startswith("/api/") else {"accept": "text/html"}
            body = bodies.get(which)
            if isinstance(body, bytes):
                headers |= {"content-type": "application/octet-stream"}
                answer = await call(route.method, path, headers, content=body)
            else:
                answer = await call(route.method, path, headers, **({"json": body} if body else {}))
            away = answer.headers.get("location", "").startswith("/login")
            if answer.status_code >= 400 or (away and route.path != "/logout"):
                failed[which] = f"{answer.status_code} {answer.text[-200:]}"

    run(hall, work)
    missing = {each: failed[each] for each in failed if each not in ELSEWHERE}
    assert not missing
    assert not set(ELSEWHERE) - set(failed), "these succeed or are gone: take their lines away"
    assert len(guarded) - len(failed) >= 60


def test_every_object_opens_for_its_owner_and_is_not_found_by_others(hall: Hall) -> None:
    owned = [
        (route, name, kind)
        for route in routes_of(hall)
        for name in route.names
        if isinstance(kind := PARAMETERS[name], Owned) and isinstance(route.mark, Allow)
    ]
    node = hall.runtime.node

    async def work(call: Caller) -> None:
        for route, name, kind in owned:
            role = min(MAY[route.mark.permission.value])
            headers = begin_headers(node, role, hall.person)
            own, foreign = kind.make(hall, hall.account_id(role))
            values = shared_values(route)
            refused = await call(route.method, route.fill({**values, name: foreign}), headers)
            allowed = await call(route.method, route.fill({**values, name: own}), headers)
            where = f"{route.method} {route.path}"
            # with a second parameter (a city, a paper of the visit) what was just made has none yet
            if refused.status_code != 422:  # a body that is missing is said before who owns it
                assert refused.status_code == 404, f"{where} foreign: {refused.status_code}"
                assert refused.json()["code"] not in DOOR, where
            assert allowed.status_code != 404 or len(route.names) > 1, (
                f"{where} own: {allowed.text[:200]}"
            )
            assert door(allowed) == "", f"{where} own: {allowed.text[:200]}"
            assert allowed.status_code != 500, f"{where} own: {allowed.text[:200]}"

    assert run(hall, work) == 2 * len(owned) >= 20


def test_every_change_from_elsewhere_or_without_the_form_token_is_refused(hall: Hall) -> None:
    unsafe = [
        route
        for route in routes_of(hall)
        if route.method not in SAFE and isinstance(route.mark, Allow | Optionally)
    ]
    node = hall.runtime.node

    async def work(call: Caller) -> None:
        for route in unsafe:
            may = MAY[route.mark.permission.value] if isinstance(route.mark, Allow) else WINDOW
            sessions = sorted(may - {"system"})
            if not sessions:
                continue
            mine, other = (begin_headers(node, sessions[0], hall.person) for _ in range(2))
            path, token = route.fill(shared_values(route)), "x-csrf-token"
            attempts = {
                "without token": ({"cookie": mine["cookie"]}, ORIGIN),
                "another session's token": ({**mine, token: other[token]}, ORIGIN),
                "from elsewhere": (mine, "https://elsewhere.example"),
                "from nowhere": (mine, None),
                "from null": (mine, "null"),
            }
            for name, (headers, origin) in attempts.items():
                answer = await call(route.method, path, headers, origin)
                where = f"{route.method} {route.path} {name}"
                assert (answer.status_code, door(answer)) == (403, "forged_request"), where
            twin = await call(route.method, path, mine)
            assert door(twin) == "", f"{route.method} {route.path} {twin.text[:200]}"

    assert run(hall, work) >= 6 * 10


def test_every_change_open_to_all_is_refused_from_a_page_elsewhere(hall: Hall) -> None:
    unsafe = [
        route
        for route in routes_of(hall)
        if route.method not in SAFE and isinstance(route.mark, Public)
    ]

    async def work(call: Caller) -> None:
        for route in unsafe:
            path = route.fill(shared_values(route))
            refused = await call(route.method, path, {}, "https://elsewhere.example")
            assert door(refused) == "forged_request", f"{route.method} {route.path}"
            for origin in (ORIGIN, None):  # a page of ours, and a program
                assert door(await call(route.method, path, {}, origin)) == ""

    assert run(hall, work) == 3 * len(unsafe) >= 3


def test_every_guarded_route_refuses_a_session_without_its_second_factor(hall: Hall) -> None:
    guarded = [route for route in routes_of(hall) if isinstance(route.mark, Allow)]
    node = hall.runtime.node
    halves = {
        role.value: session_headers(
            begin_session(node, hall.person(role.value).row, second_factor=False)
        )
        for role in SECOND_FACTOR
    }

    async def work(call: Caller) -> None:
        for route in guarded:
            for role in sorted(MAY[route.mark.permission.value] & set(halves)):
                path = route.fill(shared_values(route))
                answer = await call(route.method, path, halves[role])
                assert door(answer) == "not_signed_in", f"{route.method} {route.path} {role}"

    assert run(hall, work) >= 15


def test_every_route_outside_its_visit_refuses_a_session_of_one_visit(hall: Hall) -> None:
    guarded = [
        route
        for route in routes_of(hall)
        if isinstance(route.mark, Allow) and "registrar" in MAY[route.mark.permission.value]
    ]
    row = hall.person("registrar").row
    kind = PARAMETERS["run_id"]
    assert isinstance(kind, Owned)
    run_id, _ = kind.make(hall, row.account_id)
    visit = f"/window/runs/{run_id}"
    scopes = {"": False, f"zongchuang:{visit}": True, f"zongchuang:{visit[:-1]}": False}
    scopes |= {":/account/password": False}

    async def work(call: Caller) -> None:
        for scope, opens in scopes.items():
            token = begin_session(hall.runtime.node, row, second_factor=False, scope=scope)
            limited = session_headers(token)
            answer = await call("GET", visit, limited)
            assert door(answer) == ("" if opens else "not_permitted_here"), scope
            for route in guarded:
                answer = await call(route.method, route.fill(shared_values(route)), limited)
                assert door(answer) == "not_permitted_here", f"{route.method} {route.path}"

    assert run(hall, work) >= 4 * 11
