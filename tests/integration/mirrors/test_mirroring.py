"""T24 over processes: every city mirrors and witnesses every other log; a city that lies is caught.

The cities are forked node processes; a city that lies has a wrapper around its ASGI application.
The oracle reads the witnesses' database files and what they serve over HTTP, checks signatures
with the registered keys, and recomputes the root with the reference tree.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner

from ledger_node.cli import app
from ledger_node.core.event_types import KeyRole
from ledger_node.edges.keys.city_keys import CityKeysFile
from ledger_node.flows.judging_logs import LogForkedError, end_findings_by_person
from ledger_node.flows.node import Node
from ledger_node.wiring import keys_path
from tests.integration.processes import wait
from tests.reference.cosigned import parse_cosigned
from tests.reference.tree import mth
from tests.support.cities import Cities
from tests.support.liars import FORK, FORK_TILES, LATE, LATE_SHRINK, SHRINK, WITHHOLD, Liar
from tests.support.mirrors import (
    WITNESSES,
    anchored,
    cosigned,
    get,
    grow,
    mirror_path,
    mirrored,
    one,
    standing,
    wait_anchored,
    wait_cosigned,
    wait_found,
    wait_seen,
)
from tests.support.stock import BYSTANDER, ISSUER, MATERIALS, RELIER, consent, prepare

pytestmark = [pytest.mark.integration]


def test_honest_city_is_mirrored_and_witnessed_by_every_other(cities: Cities) -> None:
    size = int(one(cities, ISSUER, "select count(*) from entries"))
    assert size >= MATERIALS
    wait_cosigned(cities, size)
    wait_found(cities, set())
    for witness in WITNESSES:
        path = mirror_path(cities, ISSUER)
        note = parse_cosigned(get(cities, witness, f"{path}/checkpoint"))
        assert (note.origin, note.size) == (f"tongban.example/{cities.stock.city[ISSUER]}/1", size)
        bundle = get(cities, witness, f"{path}/tile/entries/000.p/{size}")
        leaves = [bundle[at + 2 : at + 36] for at in range(0, len(bundle), 36)]
        assert mth(leaves) == note.root
        # the log's own signature, then the witness's, each under its registered key
        own = CityKeysFile(keys_path(cities.path / ISSUER)).public_key(KeyRole.CHECKPOINT)
        Ed25519PublicKey.from_public_bytes(own).verify(note.lines[0].signature, note.text)
        its = CityKeysFile(keys_path(cities.path / witness)).public_key(KeyRole.COSIGNER)
        line = note.lines[1]
        assert line.name == f"tongban.example/witness/{cities.stock.city[witness]}"
        Ed25519PublicKey.from_public_bytes(its).verify(line.signature, line.cosigned(note.text))
        assert line.key_id == line.compute_key_id(its)
    # narrower partial tiles are the beginning of what is kept
    assert get(cities, RELIER, f"{path}/tile/entries/000.p/3") == bundle[: 3 * 36]
    cities.wait_for(lambda: list_witnessed(cities) == {(2, 2)}, "every log's cosignatures")
    health = json.loads(get(cities, BYSTANDER, "/healthz"))
    logs = {each["city"]: each for each in health["logs"]}
    assert logs[cities.stock.city[ISSUER]]["witnessed"] == 2
    assert logs[cities.stock.city[ISSUER]]["witnesses"] == 2


def list_witnessed(cities: Cities) -> set[tuple[int, int]]:
    code, told = ask_cli(cities, BYSTANDER, "status")
    assert code == 0
    return {(log["witnessed"], log["witnesses"]) for log in told["logs"]}


def test_withheld_log_is_found_by_all_and_cosigned_once_it_is_served(
    cities: Cities, liar: Liar
) -> None:
    wait_cosigned(cities, MATERIALS)
    liar.tell(WITHHOLD)
    size = grow(cities)
    wait_anchored(cities, size)
    wait_found(cities, {"withheld"})
    assert liar.was_told
    assert all(mirrored(cities, w) < size and cosigned(cities, w, w) < size for w in WITNESSES)
    liar.stop()
    wait_found(cities, set())
    wait_cosigned(cities, size)
    kept = cities.rows(RELIER, "select kind, ended_by from log_findings")
    assert ("withheld", "log") in kept


def test_shrunk_log_is_found_and_the_signed_checkpoint_is_kept(cities: Cities, liar: Liar) -> None:
    wait_cosigned(cities, MATERIALS)
    liar.tell(SHRINK)
    wait_found(cities, {"shrunk"})
    assert liar.was_told
    sql = "select evidence from log_findings where kind = 'shrunk'"
    for witness in WITNESSES:
        note = parse_cosigned(one(cities, witness, sql))
        assert note.size < anchored(cities, witness)
    liar.stop()
    wait_found(cities, set())


def test_shrunk_unanchored_log_is_found_by_what_it_signed_before(
    cities: Cities, liar: Liar
) -> None:
    wait_cosigned(cities, MATERIALS)
    before = anchored(cities, RELIER)
    liar.tell(LATE)
    size = grow(cities)
    wait_seen(cities, size)
    liar.tell(f"{LATE_SHRINK}{before}")  # signed, anchored, and less than it signed since
    wait_found(cities, {"shrunk"})
    assert liar.was_told
    liar.stop()
    wait_found(cities, set())
    wait_cosigned(cities, size)


def test_late_anchor_is_found_and_ends_when_it_comes(cities: Cities, liar: Liar) -> None:
    wait_cosigned(cities, MATERIALS)
    liar.tell(LATE)
    size = grow(cities)
    wait_seen(cities, size)
    for witness in WITNESSES:
        assert standing(cities, witness) == set()  # within the promise nobody is late
    cities.pass_time(61)
    wait_found(cities, {"late"})
    assert liar.was_told
    liar.stop()
    wait_found(cities, set())
    wait_cosigned(cities, size)


def ask_cli(cities: Cities, slug: str, *words: str) -> tuple[int, Any]:
    """Exit code and JSON of `tongban mirror …` in a city."""
    arguments = ["mirror", *words, "--node", str(cities.path / slug), "--json"]
    done = CliRunner().invoke(app, arguments)
    structlog.reset_defaults()  # its log went to the runner's own stream
    return done.exit_code, json.loads(done.stdout)


def prepare_anything(cities: Cities, node: Node, refused: type[Exception] | None) -> None:
    """Store a release request to the city, or see it refused with nothing stored."""
    grant_id = consent(node, cities.stock)
    if refused is None:
        assert prepare(node, grant_id, cities.stock.materials[0])
        return
    with pytest.raises(refused):
        prepare(node, grant_id, cities.stock.materials[0])


def end_fork(cities: Cities) -> None:
    """A person in each of the other cities looked."""
    city = cities.stock.city[ISSUER]
    for witness in WITNESSES:
        ended = cities.act(
            witness, lambda node: end_findings_by_person(node, city, 1, "forked", "Li Lei")
        )
        assert wait(ended) == 0


@pytest.mark.slow
def test_files_of_another_history_are_never_kept_nor_cosigned(cities: Cities, liar: Liar) -> None:
    wait_cosigned(cities, MATERIALS)
    before = mirrored(cities, RELIER)
    liar.tell(FORK_TILES)
    size = grow(cities)
    wait_anchored(cities, size)
    wait_found(cities, {"forked"})
    assert liar.was_told
    assert all(mirrored(cities, witness) == before for witness in WITNESSES)
    liar.stop()
    for witness in WITNESSES:
        cities.wait_for(lambda w=witness: mirrored(cities, w) == size, "the true files")
        assert cosigned(cities, witness, witness) == before
    end_fork(cities)
    wait_cosigned(cities, size)
    wait_found(cities, set())


def test_forked_log_is_never_cosigned_again_before_a_person_ended_it(
    cities: Cities, liar: Liar
) -> None:
    wait_cosigned(cities, MATERIALS)
    liar.tell(FORK)
    wait_found(cities, {"forked"})
    assert liar.was_told
    sql = "select evidence from log_findings where kind = 'forked'"
    note = parse_cosigned(one(cities, RELIER, sql))
    own = CityKeysFile(keys_path(cities.path / ISSUER)).public_key(KeyRole.CHECKPOINT)
    Ed25519PublicKey.from_public_bytes(own).verify(note.lines[0].signature, note.text)
    code, told = ask_cli(cities, RELIER, "findings")
    assert (code, told["findings"][0]["kind"]) == (1, "forked")
    assert told["findings"][0]["evidence"].startswith("tongban.example/")
    assert ask_cli(cities, BYSTANDER, "status")[0] == 1
    assert (
        wait(cities.act(RELIER, lambda node: prepare_anything(cities, node, LogForkedError))) == 0
    )
    liar.stop()
    size = grow(cities)
    wait_anchored(cities, size)
    for witness in WITNESSES:
        cities.wait_for(lambda w=witness: mirrored(cities, w) >= size, "the mirror")
        assert standing(cities, witness) == {"forked"}
        assert cosigned(cities, witness, witness) < size
    end_fork(cities)
    assert wait(cities.act(RELIER, lambda node: prepare_anything(cities, node, None))) == 0
    size = grow(cities)
    wait_cosigned(cities, size)
    kept = cities.rows(BYSTANDER, "select kind, ended_by from log_findings")
    assert ("forked", "Li Lei") in kept
