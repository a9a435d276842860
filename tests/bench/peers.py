"""Between cities, over real HTTP on the loopback: find, and a whole release.

Both cities, their HTTP servers and the asking run in one process; the chain in another. The
yardsticks are no-op routes on the same server, so what is compared is the work, not the framework.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
from fastapi import Depends, FastAPI, Request, Response

from api.app import build_app
from api.deps import PeerMessage, read_peer_message
from api.routes.peer import answer
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.flows.finding import find_materials
from ledger_node.wiring import Runtime
from tests.bench.harness import Result, compare
from tests.integration.way.story import ENDED, FIELDS, Way
from tests.support import consortium

FINDS, BARE = 10, 100
RELEASES_MESSAGES = 4
USES = 50


def build_bench_app(runtime: Runtime) -> FastAPI:
    """The node's application with two more routes that do nothing, plain and signed."""
    app = build_app(runtime)

    @app.get("/bench/nothing")
    def nothing() -> dict[str, Any]:
        return {}

    @app.post("/bench/signed")
    def signed(
        request: Request, message: Annotated[PeerMessage, Depends(read_peer_message)]
    ) -> Response:
        return answer(request, message, lambda _runtime, _message: (200, b"{}"))

    return app


def bench_peers(scratch: Path) -> Iterator[Result]:
    """Two founded cities on a chain with a test clock: its blocks cost no waiting."""
    template = consortium.found_template(scratch / "template", 2)
    original, consortium.build_app = consortium.build_app, build_bench_app
    try:
        with consortium.running_consortium(template, scratch / "run") as running:
            yield from measure(Way(running))
    finally:
        consortium.build_app = original


def measure(way: Way) -> Iterator[Result]:
    """Signed no-op beside plain no-op, find beside both, release beside its messages."""
    enrolled = [
        way.enrol("bench-registrar-01", OfficerRole.REGISTRAR),
        way.enrol("bench-supervisor-01", OfficerRole.SUPERVISOR),
    ]
    way.settle(lambda: way.is_anchored(way.relier, enrolled))
    way.consortium.pass_time(2)
    materials = [way.register(f"J510107-2020-{n:06}") for n in range(8)]
    grant = way.consent("bench", USES)
    commitments = [each.commitment for each in materials]
    way.settle(lambda: way.is_anchored(way.issuer, commitments) and way.sees_grant(grant))
    issuer, peers = way.issuer.city, way.relier.peers
    url = way.consortium["wuhou"].registered_url()
    with httpx2.Client() as client:

        def plain(times: int) -> None:
            for _ in range(times):
                client.get(f"{url}/bench/nothing").raise_for_status()

        def signed(times: int) -> None:
            for _ in range(times):
                peers.send(issuer, "/bench/signed", b"{}")

        def find() -> None:
            for _ in range(FINDS):
                (outcome,) = find_materials(way.relier, (grant,), "bench-registrar-01")
                assert outcome.outcome == "answered", outcome
                assert len(outcome.candidates) == len(materials)

        def mine() -> None:
            """A city decides nothing on a head that is older than half a minute."""
            way.consortium.pass_time(0)
            way.consortium.turn()

        yield compare(
            "signed message",
            ("signed, verified, nonce stored, answer signed and verified", "messages", BARE,
             lambda: signed(BARE)),
            ("no-op route of the same server", "requests", BARE, lambda: plain(BARE)),
        )  # fmt: skip
        finding = ("find asked, answered, access entries on both sides, 8 candidates", "finds",
                   FINDS, find)  # fmt: skip
        yield compare(
            "find",
            finding,
            ("signed no-op message", "messages", BARE, lambda: signed(BARE)),
            prepare=mine,
        )
        yield compare(
            "find over no-op",
            finding,
            ("no-op route of the same server", "requests", BARE, lambda: plain(BARE)),
            prepare=mine,
        )

        def release() -> None:
            digest = way.request(grant, materials[0], FIELDS)
            way.settle(lambda: way.state_of(digest) in ENDED)
            assert way.state_of(digest) == "acknowledged"

        yield compare(
            "release",
            ("request, permit final on chain, answer, document, acknowledgement", "releases", 1,
             release),
            ("four signed no-op messages", "rounds", 1, lambda: signed(RELEASES_MESSAGES)),
            prepare=mine,
        )  # fmt: skip
