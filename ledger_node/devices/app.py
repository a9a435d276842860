"""The bridge over HTTP: pairing, commands, batches. Everything behind the gate (`gate.py`).

GET  /v1/state                      devices, and whether this page is paired
POST /v1/pair {code}                -> {token}
POST /v1/unpair
POST /v1/read-card, /v1/capture, /v1/sign, /v1/print-slip {pdf}, /v1/scan-batch {from}
POST /v1/cancel {device}
GET  /v1/batches/{id}/pages/{n}     preview
POST /v1/batches/{id}/finish {parts}, /v1/batches/{id}/drop
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ledger_node.devices.batches import Batches
from ledger_node.devices.desk import Desk
from ledger_node.devices.errors import (
    BatchNotFoundError,
    CommandMalformedError,
    CommandNotFoundError,
    DeviceError,
    FeederEmptyError,
)
from ledger_node.devices.gate import Gate, encode_error
from ledger_node.devices.grouping import OrderedPage
from ledger_node.devices.hot_folder import HotFolder
from ledger_node.devices.pairing import Pairing
from ledger_node.devices.port import Cancel
from ledger_node.devices.tray import build_tray_routes
from ledger_node.devices.values import Device

VERSION: Final = 1
Handler = Callable[["Bridge", Request, str], Awaitable[Response]]


class Bridge:
    """Everything one running bridge has."""

    def __init__(
        self, desk: Desk, pairing: Pairing, batches: Batches, folder: HotFolder | None
    ) -> None:
        self.desk, self.pairing, self.batches, self.folder = desk, pairing, batches, folder


def build_app(bridge: Bridge, hosts: list[str], origins: list[str]) -> Gate:
    """The application of a bridge that is reached as one of `hosts`."""

    def route(path: str, handler: Handler, method: str, paired: bool = True) -> Route:
        async def answer(request: Request) -> Response:
            return await _answer(bridge, request, handler, paired)

        return Route(path, answer, methods=[method])

    async def lost(request: Request, error: Exception) -> Response:
        del request, error
        return _refusal(CommandNotFoundError())

    app = Starlette(
        routes=[
            route("/v1/state", _state, "GET", paired=False),
            route("/v1/pair", _pair, "POST", paired=False),
            route("/v1/unpair", _unpair, "POST"),
            route("/v1/read-card", _read_card, "POST"),
            route("/v1/capture", _capture, "POST"),
            route("/v1/sign", _sign, "POST"),
            route("/v1/print-slip", _print_slip, "POST"),
            route("/v1/scan-batch", _scan_batch, "POST"),
            route("/v1/cancel", _cancel, "POST"),
            route("/v1/batches/{batch}/pages/{number:int}", _preview, "GET"),
            route("/v1/batches/{batch}/finish", _finish, "POST"),
            route("/v1/batches/{batch}/drop", _drop, "POST"),
            *build_tray_routes(bridge.desk.driver, bridge.pairing),
        ],
        exception_handlers={404: lost, 405: lost},
    )
    return Gate(app, hosts, origins)


async def _answer(bridge: Bridge, request: Request, handler: Handler, paired: bool) -> Response:
    origin = request.headers["origin"]
    try:
        if paired:
            bridge.pairing.demand(origin, _token(request))
        return await handler(bridge, request, origin)
    except DeviceError as error:
        return _refusal(error)
    except Exception:  # noqa: BLE001 (a driver raises anything; its message may name a person)
        return _refusal(DeviceError())


def _refusal(error: DeviceError) -> Response:
    return Response(encode_error(error), error.status, media_type="application/json")


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else ""


async def _body(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as error:
        raise CommandMalformedError from error
    if not isinstance(found, dict):
        raise CommandMalformedError
    return found


async def _state(bridge: Bridge, request: Request, origin: str) -> Response:
    paired = bridge.pairing.holds(origin, _token(request))
    facts: dict[str, object] = {"bridge": "tongban", "version": VERSION, "paired": paired}
    if paired:
        facts["devices"] = bridge.desk.list_states()
        if bridge.folder is not None:
            ready, waiting = await run_in_threadpool(bridge.folder.poll)
            facts["folder"] = {"ready": len(ready), "waiting": waiting}
    return JSONResponse(facts)


async def _pair(bridge: Bridge, request: Request, origin: str) -> Response:
    code = (await _body(request)).get("code")
    if not isinstance(code, str):
        raise CommandMalformedError
    return JSONResponse({"token": bridge.pairing.pair(origin, code)})


async def _unpair(bridge: Bridge, request: Request, origin: str) -> Response:
    del origin
    bridge.pairing.forget(_token(request))
    return JSONResponse({"paired": False})


async def _read_card(bridge: Bridge, request: Request, origin: str) -> Response:
    del request
    driver = bridge.desk.driver
    card = await bridge.desk.run(Device.READER, origin, driver.read_card)
    return JSONResponse(
        {
            "scheme": card.scheme,
            "number": card.number,
            "name": card.name,
            "birth": card.birth.isoformat(),
            "read_by_device": True,
            "device": driver.names[Device.READER],
        }
    )


async def _capture(bridge: Bridge, request: Request, origin: str) -> Response:
    del request
    driver = bridge.desk.driver
    picture = await bridge.desk.run(Device.CAMERA, origin, driver.capture)
    return JSONResponse(
        {
            "media_type": picture.media_type,
            "data": base64.b64encode(picture.data).decode(),
            "device": driver.names[Device.CAMERA],
        }
    )


async def _sign(bridge: Bridge, request: Request, origin: str) -> Response:
    del request
    driver = bridge.desk.driver
    signature = await bridge.desk.run(Device.PAD, origin, driver.sign)
    return JSONResponse(
        {
            "png": base64.b64encode(signature.png).decode(),
            "strokes": [[[p.x_px, p.y_px, p.at_ms] for p in each] for each in signature.strokes],
            "device": driver.names[Device.PAD],
        }
    )


async def _print_slip(bridge: Bridge, request: Request, origin: str) -> Response:
    try:
        pdf = base64.b64decode(str((await _body(request)).get("pdf", "")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CommandMalformedError from error
    if not pdf.startswith(b"%PDF-"):
        raise CommandMalformedError
    driver = bridge.desk.driver
    await bridge.desk.run(Device.PRINTER, origin, lambda cancel: driver.print_slip(pdf, cancel))
    return JSONResponse({"printed": True, "device": driver.names[Device.PRINTER]})


async def _scan_batch(bridge: Bridge, request: Request, origin: str) -> Response:
    source = (await _body(request)).get("from", "scanner")
    if source not in {"scanner", "folder"}:
        raise CommandMalformedError
    driver, folder = bridge.desk.driver, bridge.folder

    def scan(cancel: Cancel) -> dict[str, object]:
        files = [each.data for each in driver.scan(cancel)]
        return bridge.batches.add(origin, files).as_json()

    def collect(cancel: Cancel) -> dict[str, object]:
        del cancel
        ready = folder.poll()[0] if folder else []
        if folder is None or not ready:
            raise FeederEmptyError
        return bridge.batches.add(origin, [folder.read(n) for n in ready], ready).as_json()

    work = scan if source == "scanner" else collect
    found = await bridge.desk.run(Device.SCANNER, origin, work)
    return JSONResponse({**found, "device": driver.names[Device.SCANNER]})


async def _cancel(bridge: Bridge, request: Request, origin: str) -> Response:
    name = (await _body(request)).get("device")
    if name not in {each.value for each in Device}:
        raise CommandMalformedError
    return JSONResponse({"cancelled": bridge.desk.cancel(Device(name), origin)})


async def _preview(bridge: Bridge, request: Request, origin: str) -> Response:
    batch = bridge.batches.find(origin, request.path_params["batch"])
    number = request.path_params["number"]
    if number >= len(batch.previews):
        raise BatchNotFoundError
    return Response(batch.previews[number], media_type="image/jpeg")


async def _finish(bridge: Bridge, request: Request, origin: str) -> Response:
    batch = bridge.batches.find(origin, request.path_params["batch"])
    parts = _parse_parts(await _body(request))
    built = await asyncio.to_thread(bridge.batches.build, batch, parts)
    if bridge.folder is not None:
        for name in batch.taken:
            bridge.folder.remove(name)
    bridge.batches.drop(batch)
    return JSONResponse(
        {
            "parts": [
                {"page_count": count, "pdf": base64.b64encode(pdf).decode()} for count, pdf in built
            ]
        }
    )


def _parse_parts(body: dict[str, Any]) -> list[list[OrderedPage]]:
    try:
        parts = [
            [OrderedPage(page["number"], page.get("rotate", 0)) for page in part["pages"]]
            for part in body["parts"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise CommandMalformedError from error
    numbers = [n for part in parts for page in part for n in (page.number, page.rotate)]
    if any(type(number) is not int for number in numbers):
        raise CommandMalformedError
    return parts


async def _drop(bridge: Bridge, request: Request, origin: str) -> Response:
    bridge.batches.drop(bridge.batches.find(origin, request.path_params["batch"]))
    return JSONResponse({"dropped": True})
