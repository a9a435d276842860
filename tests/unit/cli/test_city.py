"""Officers, terms, grants, halts: refused inputs leave nothing behind."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger_node.flows.halts import latch_halt
from ledger_node.wiring import Runtime
from tests.unit.cli.conftest import PLAN, City, run_command

GRANT = "ab" * 32
SUBJECT = {"scheme": "cn-resident-id", "number": "510107199003070049", "name": "何雨晴"}
CONSENT: dict[str, Any] = {
    "subject": SUBJECT,
    "releasing": ["510700"],
    "types": [{"code": "marriage-cert", "fields": ["number"], "documents": True}],
    "item": "hpf-loan-remote",
    "case": "W-1",
}


def test_officer_enrol_makes_private_key_and_second_time_conflicts(city: City) -> None:
    first = city.run("officer", "enrol", "w-01", "--role", "registrar")
    assert (first.code, first.result["state"]) == (0, "pending")
    (key,) = (city.path / "officers").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    assert (city.path / "officers").stat().st_mode & 0o777 == 0o700
    before = key.read_bytes()
    again = city.run("officer", "enrol", "w-01", "--role", "supervisor")
    assert (again.code, again.error) == (1, "officer_enrolled")
    assert key.read_bytes() == before
    listed = city.run("officer", "list").result["officers"]
    assert [(each["officer"], each["role"], each["key_here"]) for each in listed] == [
        ("w-01", "registrar", True)
    ]


@pytest.mark.parametrize("officer", ["", "何警官", "../../keys/x", ".", "a" * 65, "a b"])
def test_officer_enrol_bad_id_refused_and_no_key_is_left(city: City, officer: str) -> None:
    outcome = city.run("officer", "enrol", officer, "--role", "registrar")
    assert (outcome.code, outcome.error) == (2, "unexpected_shape")
    assert not (city.path / "officers").exists()
    city.demand_empty()


def test_officer_enrol_key_of_a_refused_enrolment_is_removed(city: City) -> None:
    assert city.run("officer", "enrol", "w-01", "--role", "registrar").code == 0
    (key,) = (city.path / "officers").iterdir()
    key.unlink()  # enrolled from another machine: its key is not here
    outcome = city.run("officer", "enrol", "w-01", "--role", "registrar")
    assert (outcome.code, outcome.error) == (1, "officer_enrolled")
    assert list((city.path / "officers").iterdir()) == []


def test_officer_enrol_id_with_slash_stays_inside_the_directory(city: City) -> None:
    assert city.run("officer", "enrol", "w/../../x", "--role", "registrar").code == 0
    assert len(list((city.path / "officers").iterdir())) == 1


@pytest.mark.parametrize("command", ["grant", "revoke", "release"])
@pytest.mark.parametrize("wrong", ["", "xyz", GRANT.upper(), GRANT[:-2], "0x" + GRANT])
def test_ids_that_are_no_hex_of_32_bytes_refused(city: City, command: str, wrong: str) -> None:
    more = ("--officer", "w-01") if command == "release" else ()
    outcome = city.run(command, wrong, *more)
    assert (outcome.code, outcome.error) == (2, "malformed_argument")


def test_release_material_named_twice_refused(city: City) -> None:
    twice = ("--material", GRANT, "--material", GRANT)
    outcome = city.run("release", GRANT, "--officer", "w-01", *twice)
    assert (outcome.code, outcome.error) == (2, "malformed_argument")


def test_unknown_grant_release_and_officer_not_found(city: City) -> None:
    assert city.run("grant", GRANT).error == "grant_not_found"
    assert city.run("find", GRANT, "--officer", "w-01").error == "officer_not_found"
    assert city.run("release", GRANT, "--officer", "w-01").error == "officer_not_found"
    assert city.run("officer", "enrol", "w-01", "--role", "reviewer").code == 0
    assert city.run("release", GRANT, "--officer", "w-01").error == "grant_not_found"
    rely = ("rely", GRANT, "--officer", "w-01", "--role", "reviewer", "--outcome", "granted")
    assert (city.run(*rely).code, city.run(*rely).error) == (2, "release_not_found")
    wrong_role = (*rely[:5], "supervisor", *rely[6:])
    assert (city.run(*wrong_role).code, city.run(*wrong_role).error) == (1, "officer_not_entitled")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"v":"tongban/signed-terms/v2"}', b'{ "v": 1 }', b"\xff"]
)
def test_find_file_that_is_no_signed_terms_refused(city: City, content: bytes) -> None:
    outcome = city.run("find", city.file("terms.json", content), "--officer", "w-01")
    assert outcome.code == 2
    assert outcome.error in {"not_canonical", "unknown_version", "unexpected_shape"}


def test_terms_before_the_chain_was_followed_is_unavailable(city: City) -> None:
    fields = city.file("consent.json", CONSENT)
    pad = city.file("pad.png", b"pad")
    outcome = city.run("terms", "--fields", fields, "--officer", "w-01", "--signature", pad)
    assert (outcome.code, outcome.error) == (3, "chain_not_followed")


def test_grant_and_audit_with_a_silent_chain_are_unavailable(city: City) -> None:
    outcome = city.run("audit", "replay", "--node", city.path)
    assert (outcome.code, outcome.error) == (3, "chain_unavailable")
    nothing = city.run("audit", "replay")
    assert (nothing.code, nothing.error) == (2, "malformed_argument")


def test_halts_are_listed_and_cleared_by_a_named_person(city: City) -> None:
    assert city.run("node", "halts").result == {"halts": []}

    def latch(runtime: Runtime) -> None:
        latch_halt(runtime.node, "tile_differs", "tile 0/0")

    city.look(latch)
    standing = city.run("node", "halts")
    assert (standing.code, standing.result["halts"][0]["reason"]) == (1, "tile_differs")
    assert city.run("node", "status").result["halts"] == ["tile_differs"]
    nobody = city.run("node", "clear-halt", "tile_differs", "--by", " ")
    assert (nobody.code, nobody.error) == (2, "malformed_argument")
    assert city.run("node", "clear-halt", "other", "--by", "Li").code == 1
    assert city.run("node", "clear-halt", "tile_differs", "--by", "Li").result["cleared"] is True
    assert city.run("node", "halts").code == 0
    kept = city.run("node", "halts", "--all").result["halts"]
    assert [each["cleared_by"] for each in kept] == ["Li"]


def test_node_status_of_an_idle_city_speaks_of_no_person(city: City) -> None:
    assert city.register().code == 0
    outcome = city.run("node", "status")
    assert (outcome.code, outcome.result["materials"], outcome.result["chain"]) == (0, 1, None)
    assert outcome.result["log"]["pending"] == 1
    assert "何雨晴" not in outcome.out


def test_node_init_prints_founder_entry_once_and_never_replaces(city: City) -> None:
    target = city.files / "yanta"
    arguments = ["node", "init", str(target), "--city", "610113", "--name", "西安市雁塔区"]
    arguments += ["--url", "http://127.0.0.1:8105", "--json"]
    first = run_command(arguments)
    assert first.code == 0
    assert set(first.result["keys"]) >= {"anchor", "gate", "govern", "message", "encryption"}
    again = run_command(arguments)
    assert (again.code, again.error) == (1, "city_exists")


@pytest.mark.parametrize(
    ("option", "wrong"),
    [("--city", "61011"), ("--city", "成都武侯区"), ("--url", "ftp://x"), ("--name", ""),
     ("--url", "http://127.0.0.1:1/path"), ("--url", "http://user@host")],
)  # fmt: skip
def test_node_init_bad_values_refused_before_anything(city: City, option: str, wrong: str) -> None:
    values = {"--city": "610113", "--name": "雁塔", "--url": "http://127.0.0.1:8105"} | {
        option: wrong
    }
    target = city.files / "new"
    arguments = [text for pair in values.items() for text in pair]
    outcome = run_command(["node", "init", str(target), *arguments, "--json"])
    assert (outcome.code, outcome.error) == (2, "malformed_argument")
    assert not target.exists()


@pytest.mark.parametrize(
    "ports", ["1,2,3,4", "1,2,3,4,4", "a,b,c,d,e", "0,1,2,3,4", "1,2,3,4,70000"]
)
def test_consortium_init_bad_ports_refused_before_anything(city: City, ports: str) -> None:
    arguments = ["consortium", "init", str(city.files / "c"), "--rpc", "http://127.0.0.1:9"]
    outcome = run_command([*arguments, "--ports", ports, "--json"])
    assert (outcome.code, outcome.error) == (2, "malformed_argument")
    assert not (city.files / "c").exists()


def test_log_vkey_is_a_note_verifier_key_of_the_origin(city: City) -> None:
    outcome = city.run("log", "vkey")
    assert outcome.result["vkey"].startswith(f"tongban.example/{PLAN.city}/1+")
    assert json.loads(outcome.out)["origin"] == f"tongban.example/{PLAN.city}/1"
