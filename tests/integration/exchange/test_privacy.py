"""P5: after a whole exchange no operational log, chain, public log file or database row tells a
person's number, name, case, document number or document; the scanner first finds a planted case.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.flows.finding import find_materials
from ledger_node.flows.granting import record_grant, revoke_grant
from tests.support.cities import Cities
from tests.support.stock import CASE, ISSUER, NAME, NUMBER, RELIER, consent, paper_of, prepare

pytestmark = pytest.mark.integration

CANARIES = {
    "number": NUMBER.encode(),
    "name": NAME.encode(),
    "case": CASE.encode(),
    "document number": b"J510107-2020-000000",
    "document": paper_of(0),
}


def forms_of(value: bytes) -> Iterator[bytes]:
    """The spellings a leak may take."""
    yield value
    yield value.hex().encode()
    yield value.hex().upper().encode()
    for shift in range(3):  # base64 at each alignment, without the ends that depend on neighbours
        text = base64.b64encode(bytes(shift) + value)
        yield text[4 if shift else 0 : -4]
    digest = hashlib.sha256(value).digest()
    yield digest
    yield digest.hex().encode()
    yield value.decode().encode("unicode_escape")


def scan(folder: Path) -> list[str]:
    """(file, canary) of everything found below a folder, key files left out."""
    found = []
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        found += [
            f"{path.relative_to(folder)}: {name}"
            for name, value in CANARIES.items()
            if any(form in data for form in forms_of(value))
        ]
    return found


def test_scan_finds_what_is_planted(tmp_path: Path) -> None:
    for name, value in CANARIES.items():
        for at, form in enumerate(forms_of(value)):
            folder = tmp_path / f"{name}-{at}"
            folder.mkdir()
            (folder / "clean").write_bytes(b"nothing here")
            assert scan(folder) == []
            (folder / "dirty").write_bytes(b"{" + form + b"}")
            assert scan(folder) == [f"dirty: {name}"]


def test_whole_exchange_leaves_no_person_in_logs_chain_or_databases(cities: Cities) -> None:
    for slug in (ISSUER, RELIER):
        cities.start(slug)
    with cities.opened(RELIER) as node:
        used, revoked = (consent(node, cities.stock) for _ in range(2))
        (outcome,) = find_materials(node, [used], "my-registrar-01")
        assert outcome.outcome == "answered"
        assert len(outcome.candidates) == len(cities.stock.materials)
        for grant_id in (used, revoked):
            record_grant(node, grant_id)
    cities.wait_grant(ISSUER, revoked)
    with cities.opened(RELIER) as node:
        asked = prepare(node, used, cities.stock.materials[0])
        assert cities.wait_ended(RELIER, asked)[0] == "acknowledged"
        revoke_grant(node, revoked)
        for grant_id in (used, revoked):
            refused = prepare(node, grant_id, cities.stock.materials[0])
            assert cities.wait_ended(RELIER, refused)[0] == "refused"
    cities.kill(ISSUER)
    with cities.opened(RELIER) as node:
        (silent,) = find_materials(node, [used], "my-registrar-01")
        assert silent.outcome == "silent"
    cities.stop(RELIER)
    assert (cities.path / f"{ISSUER}.log").stat().st_size > 0
    assert scan(cities.path) == []
