"""Pages of the simulated system and the callback the node's events come to.

Its own officers pick their name; a real one would have its own sign-in. What a page changes must
come from a page of the same origin. Nothing of a person stands in an address.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import FastAPI, Form, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import api
from ledger_node.core.case_event import MAX_EVENT_BYTES, parse_case_event
from ledger_node.core.errors import LedgerError
from ledger_node.demo.zongchuang.city import CityError, CityLine
from ledger_node.demo.zongchuang.journal import Journal
from ledger_node.demo.zongchuang.signatures import EventCheck
from ledger_node.demo.zongchuang.words import EVENTS, ITEMS, OFFICERS, STAGES, STATES, TAKEN_IN
from ledger_node.edges.clock import SystemClock

COOKIE: Final = "zc_officer"
CALLBACK: Final = "/tongban/events"
HERE: Final = Path(__file__).parent
FONT: Final = Path(api.__file__).parent / "pages" / "static" / "vendor" / "noto-sans-sc.ttf"
OUTLET: Final = "hall"


@dataclass(frozen=True)
class Hall:
    """What the pages work with.

    Attributes:
        origin: Address of these pages.
        node_origin: Address the panel is shown from; empty without one.
        logins: Our officers' logins at the node, by short name.
    """

    origin: str
    node_origin: str
    line: CityLine
    journal: Journal
    check: EventCheck
    logins: dict[str, str]


def build_hall(hall: Hall) -> FastAPI:
    """The application."""
    app = FastAPI(title="综合窗口系统（模拟）", openapi_url=None, docs_url=None, redoc_url=None)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    policy = (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-src 'self' {hall.node_origin}"
    )

    def show(name: str, status: int = 200, **context: Any) -> HTMLResponse:
        text = environment.get_template(name).render(
            officers=OFFICERS, items=ITEMS, states=STATES, stages=STAGES, words=EVENTS, **context
        )
        return HTMLResponse(text, status, {"content-security-policy": policy})

    @app.middleware("http")
    async def demand_own_page(request: Request, call_next: Any) -> Response:
        """Refuse a change that comes from elsewhere; the callback is signed instead."""
        own = request.headers.get("origin") == hall.origin
        if request.method == "POST" and request.url.path != CALLBACK and not own:
            return Response("请从本系统页面操作。", 403, media_type="text/plain")
        response: Response = await call_next(request)
        response.headers["cache-control"] = "no-store"
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["referrer-policy"] = "same-origin"
        return response

    _add_files(app)
    _add_callback(app, hall)
    _add_pages(app, hall, show)
    return app


def _add_files(app: FastAPI) -> None:
    @app.get("/style.css")
    def read_style() -> FileResponse:
        return FileResponse(HERE / "templates" / "style.css", media_type="text/css")

    @app.get("/favicon.ico")
    def read_icon() -> Response:
        return Response(status_code=204)

    @app.get("/font.ttf")
    def read_font() -> FileResponse:
        return FileResponse(FONT, media_type="font/ttf")


def _add_callback(app: FastAPI, hall: Hall) -> None:
    clock = SystemClock()

    @app.post(CALLBACK)
    async def take_event(request: Request) -> Response:
        """An event of the node: signed, kept on disk, then answered; doubles are told by their
        id."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_EVENT_BYTES:
                return Response(status_code=413)
        headers = [(name.decode(), value.decode("latin-1")) for name, value in request.headers.raw]
        try:
            fresh = hall.check.verify(headers, bytes(body), int(clock.now().timestamp()))
            parse_case_event(bytes(body))
        except LedgerError:
            hall.journal.refused += 1
            return Response(status_code=401)
        if fresh:
            await run_in_threadpool(hall.journal.keep_event, json.loads(body))
        return Response(status_code=204)

    @app.get("/events.json")
    def list_events() -> JSONResponse:
        """What was received, for whoever watches the demonstration; nothing personal."""
        journal = hall.journal
        content = {
            "events": [*journal.list_events(), *hall.line.list_events()],
            "doubles": journal.doubles,
            "refused": journal.refused,
            "told": {number: case["told"] for number, case in journal.cases.items()},
        }
        return JSONResponse(content)


def _add_pages(app: FastAPI, hall: Hall, show: Any) -> None:
    _add_list(app, hall, show)
    _add_form(app, hall, show)
    _add_case(app, hall, show)


def _add_list(app: FastAPI, hall: Hall, show: Any) -> None:
    @app.get("/")
    def read_start() -> HTMLResponse:
        return show("start.html", officer=None)  # type: ignore[no-any-return]

    @app.post("/officer")
    def choose_officer(officer: Annotated[str, Form(max_length=32)]) -> Response:
        if officer not in OFFICERS:
            return RedirectResponse("/", 303)
        response = RedirectResponse("/cases", 303)
        response.set_cookie(COOKIE, officer, httponly=True, samesite="strict")
        return response

    @app.get("/cases")
    def read_cases(request: Request) -> Response:
        cases = sorted(
            hall.journal.cases.values(),
            key=lambda case: case["draft"]["queue_number"],
            reverse=True,
        )
        events = [*hall.journal.list_events(), *hall.line.list_events()]
        latest = {event["case"]: event for event in events}
        officer = _find_officer(request)
        return show("cases.html", officer=officer, cases=cases, latest=latest)  # type: ignore[no-any-return]


def _add_form(app: FastAPI, hall: Hall, show: Any) -> None:
    @app.get("/cases/new")
    def read_new_case(request: Request) -> Response:
        return show("new.html", officer=_find_officer(request), filled={}, problem="")  # type: ignore[no-any-return]

    @app.post("/cases/new")
    def create_case(
        request: Request,
        item: Annotated[str, Form(max_length=64)] = "",
        name: Annotated[str, Form(max_length=60)] = "",
        number: Annotated[str, Form(max_length=40)] = "",
        agent_name: Annotated[str, Form(max_length=60)] = "",
        agent_number: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        officer = _find_officer(request)
        if item not in ITEMS or not name.strip() or not number.strip():
            filled = {"item": item, "name": name, "number": number}
            problem = "请选择事项，并填写姓名和证件号码。"
            return show("new.html", 422, officer=officer, filled=filled, problem=problem)  # type: ignore[no-any-return]
        case = f"MY{SystemClock().now():%Y%m%d}{secrets.token_hex(3).upper()}"
        agent = _subject(agent_name, agent_number) if agent_name.strip() else None
        draft = {
            "v": "tongban/case/v1",
            "item": item,
            "applicant": _subject(name, number),
            "agent": agent,
            "officer": hall.logins[officer],
            "outlet": OUTLET,
            "window": "03",
            "queue_number": hall.journal.next_queue_number(),
            "state": TAKEN_IN,
        }
        hall.journal.keep_case(case, officer, TAKEN_IN, draft)
        _hand_in(hall, case)
        return RedirectResponse(f"/cases/{case}", 303)


def _add_case(app: FastAPI, hall: Hall, show: Any) -> None:
    @app.get("/cases/{number}")
    def read_case(request: Request, number: str) -> Response:
        officer, case = _find_officer(request), _find_case(hall, number)
        answer = hall.line.collect(number)
        events = [*hall.journal.list_events(number), *hall.line.list_events()]
        context = {
            "case": case,
            "told": answer or case["told"],
            "events": [event for event in events if event["case"] == number],
            "panel": hall.node_origin != "" and case["officer"] == officer,
        }
        return show("case.html", officer=officer, **context)  # type: ignore[no-any-return]

    @app.post("/cases/{number}/state")
    def change_state(
        request: Request, number: str, state: Annotated[str, Form(max_length=20)] = ""
    ) -> Response:
        _find_officer(request)
        case = _find_case(hall, number)
        if state in STATES:
            hall.journal.keep_case(
                number, case["officer"], state, {**case["draft"], "state": state}
            )
        _hand_in(hall, number)
        return RedirectResponse(f"/cases/{number}", 303)

    @app.get("/cases/{number}/panel")
    def open_panel(request: Request, number: str) -> Response:
        """Into the frame: a fresh one-time link each time."""
        officer = _find_officer(request)
        if _find_case(hall, number)["officer"] != officer:
            raise HTTPException(404, "没有这个办件。")
        try:
            link = hall.line.open_panel(number)
        except CityError as error:
            return _in_frame(show("frame.html", 502, problem=str(error)))
        if link is None or not link.startswith(f"{hall.node_origin}/"):
            return _in_frame(show("frame.html", problem="本系统没有接口，请到通办窗口页面办理。"))
        return RedirectResponse(link, 303)


def _find_officer(request: Request) -> str:
    officer = request.cookies.get(COOKIE, "")
    if officer not in OFFICERS:
        raise HTTPException(303, headers={"location": "/"})
    return officer


def _find_case(hall: Hall, number: str) -> dict[str, Any]:
    case = hall.journal.cases.get(number)
    if case is None:
        raise HTTPException(404, "没有这个办件。")
    return case


def _hand_in(hall: Hall, number: str) -> str:
    """Hand in what is kept; the sentence of a refusal, else empty."""
    try:
        told = hall.line.hand_in(number, hall.journal.cases[number]["draft"])
    except CityError as error:
        return str(error)
    hall.journal.keep_told(number, told)
    return ""


def _in_frame(response: HTMLResponse) -> HTMLResponse:
    policy = response.headers["content-security-policy"]
    response.headers["content-security-policy"] = policy.replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    )
    return response


def _subject(name: str, number: str) -> dict[str, str]:
    return {"scheme": "cn-resident-id", "number": number.strip().upper(), "name": name.strip()}
