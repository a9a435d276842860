"""The bridge's own page at its address: the pairing code, the devices, and the simulator's hand.

Opened by hand on the machine itself; no other page can read or frame it (`gate.py`).
"""

from __future__ import annotations

from html import escape
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ledger_node.devices.pairing import Pairing
from ledger_node.devices.port import Driver
from ledger_node.devices.simulator import SILENT, TROUBLES, Hand, Simulator

STYLE: Final = """
body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b2430; background: #f4f6f8; }
main { background: #fff; border: 1px solid #c4ccd6; border-radius: 12px; padding: 1rem 1.5rem; }
.code { font-size: 3rem; letter-spacing: .3em; font-weight: 700; margin: .2rem 0; }
label { display: block; margin: .6rem 0 .2rem; }
select, button { font: inherit; min-height: 2.4rem; padding: .2rem .8rem; max-width: 100%; }
button { margin-top: 1rem; }
"""


def build_tray_routes(driver: Driver, pairing: Pairing) -> list[Route]:
    """Routes of the page; the simulator's only where it is the driver."""

    async def show(request: Request) -> Response:
        del request
        return HTMLResponse(_page(driver, pairing.read_code()))

    async def style(request: Request) -> Response:
        del request
        return Response(STYLE, media_type="text/css")

    routes = [Route("/", show), Route("/tray.css", style)]
    if isinstance(driver, Simulator):
        simulator = driver

        async def set_hand(request: Request) -> Response:
            form = parse_qs((await request.body()).decode("utf-8", "replace"))
            hand = Hand(form.get("card", [""])[0], form.get("trouble", [""])[0])
            if not simulator.set_hand(hand):
                return HTMLResponse("", 422)
            return RedirectResponse("/", 303)

        routes.append(Route("/simulator", set_hand, methods=["POST"]))
    return routes


def _page(driver: Driver, code: str) -> str:
    devices = "".join(f"<li>{escape(name)}</li>" for name in driver.names.values())
    hand = _hand_form(driver) if isinstance(driver, Simulator) else ""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>通办设备桥 · Tongban device bridge</title>"
        '<link rel="stylesheet" href="/tray.css"></head><body><main>'
        "<h1>通办设备桥</h1><p>在窗口系统的“设备”页输入这个配对码。"
        'Type this code on the console\'s "Devices" page.</p>'
        f'<p class="code">{escape(code)}</p>'
        f"<h2>设备 · Devices</h2><ul>{devices}</ul>{hand}</main></body></html>"
    )


def _hand_form(simulator: Simulator) -> str:
    hand = simulator.hand
    cards = "".join(_option(card, card, card == hand.card) for card in simulator.cards)
    troubles = [
        ("", "一切正常 · all is well"),
        *((c, f"{e.zh} · {c}") for c, e in TROUBLES.items()),
    ]
    troubles.append((SILENT, "设备不应答 · no answer"))
    options = "".join(_option(code, text, code == hand.trouble) for code, text in troubles)
    return (
        '<h2>模拟器 · Simulator</h2><form method="post" action="/simulator">'
        f'<label for="card">读卡器上的证件 · card on the reader</label>'
        f'<select id="card" name="card">{cards}</select>'
        f'<label for="trouble">会发生什么 · what happens</label>'
        f'<select id="trouble" name="trouble">{options}</select>'
        "<br><button>照此 · Set</button></form>"
    )


def _option(value: str, text: str, chosen: bool) -> str:
    selected = " selected" if chosen else ""
    return f'<option value="{escape(value)}"{selected}>{escape(text)}</option>'
