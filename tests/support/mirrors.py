"""Questions about mirrors, asked where the nodes cannot help: database files, HTTP, raw notes."""

from __future__ import annotations

import hashlib
import itertools
import urllib.request
from typing import Any

from tests.integration.processes import wait
from tests.support.cities import Cities
from tests.support.stock import BYSTANDER, ISSUER, RELIER, register_paper

WITNESSES = (RELIER, BYSTANDER)
_numbers = itertools.count(500)


def get(cities: Cities, slug: str, path: str) -> bytes:
    url = next(plan.url for plan in cities.stock.template.cities if plan.slug == slug)
    with urllib.request.urlopen(url + path, timeout=5) as answer:
        return bytes(answer.read())


def mirror_path(cities: Cities, slug: str) -> str:
    origin = f"tongban.example/{cities.stock.city[slug]}/1"
    return f"/mirror/{hashlib.sha256(origin.encode()).hexdigest()}"


def one(cities: Cities, slug: str, sql: str, *values: object) -> Any:
    rows = cities.rows(slug, sql, *values)
    return rows[0][0] if rows else None


def mirrored(cities: Cities, witness: str, slug: str = ISSUER) -> int:
    sql = "select max(size) from mirrors where city = ?"
    return one(cities, witness, sql, cities.stock.city[slug]) or 0


def anchored(cities: Cities, witness: str, slug: str = ISSUER) -> int:
    sql = "select max(size) from chain_heads where city = ?"
    return one(cities, witness, sql, cities.stock.city[slug]) or 0


def cosigned(cities: Cities, at: str, witness: str, slug: str = ISSUER) -> int:
    """Largest head of a log that `at` knows `witness` to have cosigned."""
    city = cities.stock.city
    sql = "select max(size) from cosignatures where city = ? and witness = ?"
    return one(cities, at, sql, city[slug], city[witness]) or 0


def standing(cities: Cities, witness: str) -> set[str]:
    sql = "select kind from log_findings where city = ? and ended_at is null"
    return {kind for (kind,) in cities.rows(witness, sql, cities.stock.city[ISSUER])}


def grow(cities: Cities) -> int:
    """One more paper in the lying city's log; returns the size after it."""
    which = next(_numbers)
    assert wait(cities.act(ISSUER, lambda node: register_paper(node, which))) == 0
    return int(one(cities, ISSUER, "select count(*) from entries"))


def wait_anchored(cities: Cities, size: int) -> None:
    for witness in WITNESSES:
        cities.wait_for(lambda w=witness: anchored(cities, w) >= size, "the anchor")


def wait_cosigned(cities: Cities, size: int) -> None:
    for at, witness in itertools.product((ISSUER, *WITNESSES), WITNESSES):
        cities.wait_for(
            lambda a=at, w=witness: cosigned(cities, a, w) >= size, f"{witness}'s word at {at}"
        )


def wait_found(cities: Cities, kinds: set[str]) -> None:
    for witness in WITNESSES:
        cities.wait_for(lambda w=witness: standing(cities, w) == kinds, f"{kinds} at {witness}")


def wait_seen(cities: Cities, size: int) -> None:
    """Until the witnesses saw a signed checkpoint of that size."""
    sql, city = "select seen_size from mirrors where city = ?", cities.stock.city[ISSUER]
    for witness in WITNESSES:
        cities.wait_for(lambda w=witness: one(cities, w, sql, city) >= size, "the look")
