"""Registrations through the HTTP API beside a bare no-op route on the same server.

The server is a process of its own; the eight clients share the two cores with it. What a
registration includes: session look-up, limits, the idempotency key's two commits, intake with its
syncs. Its document is registered by digest: uploads are measured by `documents`.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import uvicorn

from tests.bench.harness import Result, compare
from tests.integration.processes import fork, wait
from tests.support.desk import build_unlimited, sign_in_headers
from tests.support.hall import Hall, open_hall

CLIENTS = 8
PER_REPEAT = 160
_numbers = itertools.count(1)


@contextmanager
def serving(hall: Hall) -> Iterator[str]:
    """The city's application, with a bare route beside it, as a process."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def work() -> None:
        signal.alarm(600)
        settings = hall.runtime.settings.model_copy(update={"public_url": url})
        app = build_unlimited(replace(hall.runtime, settings=settings))

        async def noop() -> dict[str, bool]:
            return {"ok": True}

        app.add_api_route("/bench/noop", noop, methods=["POST"])
        config = uvicorn.Config(app, log_config=None, access_log=False)
        uvicorn.Server(config).run(sockets=[listening])
        os._exit(0)

    pid = fork(work)
    listening.close()
    try:
        yield url
    finally:
        os.kill(pid, signal.SIGKILL)
        wait(pid)


def bench_api(scratch: Path) -> Iterator[Result]:
    """Both routes, in turn, over kept-alive connections."""
    with open_hall(scratch) as hall:
        headers = sign_in_headers(hall.runtime, "registrar")
        with (
            serving(hall) as url,
            httpx2.Client(base_url=url, headers={**headers, "origin": url}, timeout=60) as client,
            ThreadPoolExecutor(CLIENTS) as pool,
        ):

            def register(_: int) -> None:
                number = next(_numbers)
                answer = client.post(
                    "/api/v1/materials",
                    json=build_paper(number),
                    headers={"Idempotency-Key": f"bench-{number:08}"},
                )
                assert answer.status_code == 201, answer.text

            def bare(_: int) -> None:
                assert client.post("/bench/noop", json=build_paper(1)).status_code == 200

            yield compare(
                "registrations through the API",
                (
                    "register by digest, 8 clients",
                    "registrations",
                    PER_REPEAT,
                    lambda: list(pool.map(register, range(PER_REPEAT))),
                ),
                (
                    "no-op route of the same server",
                    "requests",
                    PER_REPEAT,
                    lambda: list(pool.map(bare, range(PER_REPEAT))),
                ),
            )


def build_paper(number: int) -> dict[str, object]:
    """A registration's body."""
    person = {"number": "510107199003070049", "name": "何雨晴"}
    return {
        "type_code": "marriage-cert",
        "grade": "A",
        "subjects": [{"role": "holder", "scheme": "cn-resident-id", **person}],
        "number": f"J-2026-{number:08}",
        "documents": [{"sha256": f"{number:064x}"}],
    }
