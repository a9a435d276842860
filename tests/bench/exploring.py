"""The auditor's pages over 100,000 events: server time of each beside the bare health route."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from starlette.testclient import TestClient

from tests.bench.harness import Result, compare
from tests.support.hall import open_hall
from tests.support.ledger_rows import digest, fill_ledger, utc_now

EVENTS = 100_000
GRANT = digest("grant", 31_415).hex()
PAGES = {
    "overview": "/audit",
    "members": "/audit/members",
    "activity, 24 hours": "/audit/activity?range=day",
    "activity, 90 days": "/audit/activity?range=quarter",
    "activity, everything": "/audit/activity?range=all",
    "grants, first page": "/audit/events?kind=grant",
    "grants, a page deep down": "/audit/events?kind=grant&before=200.0",
    "grants of one city": "/audit/events?kind=grant&city=610113",
    "consumptions of some days": "/audit/events?kind=consumption&until_day=2026-09-01",
    "one grant": f"/audit/grants/{GRANT}",
    "one block": "/audit/blocks/12345",
    "search": f"/audit/search?q={GRANT[:10]}",
}


def bench_explorer(scratch: Path) -> Iterator[Result]:
    """Every page ten times, in the process that serves it (SQLite)."""
    with open_hall(scratch / "hall") as hall:
        fill_ledger(hall.runtime.settings.database, EVENTS, utc_now())
        client = hall.sign_in("auditor")
        for name, url in PAGES.items():
            yield _measure(client, name, url)
    shutil.rmtree(scratch / "hall")


def _measure(client: TestClient, name: str, url: str) -> Result:
    def get(path: str) -> None:
        answer = client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200, (path, answer.status_code)

    result = compare(
        f"auditor: {name}",
        (f"page over {EVENTS:,} events, SQLite", "page", 1, lambda: get(url)),
        ("health route of the same application", "answer", 1, lambda: get("/healthz")),
        repeats=10,
    )
    slowest, median = max(result.job.seconds), sorted(result.job.seconds)[5]
    result.facts["server time"] = f"median {median * 1000:.0f} ms, slowest {slowest * 1000:.0f} ms"
    return result
