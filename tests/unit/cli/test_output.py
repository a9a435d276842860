"""Exit codes by family, one JSON object, no traceback; the whole surface is documented."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from ledger_node import cli
from ledger_node.cli.output import command, exit_code_of
from ledger_node.config import (
    ChainSettings,
    DocumentSettings,
    FinalitySettings,
    IpfsSettings,
    KeySettings,
    S3Settings,
    Settings,
)
from ledger_node.core import errors
from tests.architecture.source import read_doc
from tests.unit.cli.conftest import City, Outcome, run_command


@pytest.mark.parametrize(
    ("family", "code"),
    [
        (errors.MalformedInputError, 2),
        (errors.NotFoundError, 2),
        (errors.ConflictError, 1),
        (errors.NotPermittedError, 1),
        (errors.VerificationError, 1),
        (errors.UnavailableError, 3),
        (errors.InvariantError, 3),
    ],
)
def test_exit_code_of_follows_the_family(family: type[errors.LedgerError], code: int) -> None:
    child = type("ChildError", (family,), {"code": "child"})
    assert exit_code_of(child("中", "en")) == code


def run_function(function: Any, *arguments: str) -> Outcome:
    from typer.testing import CliRunner

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command(function))
    result = CliRunner().invoke(app, list(arguments))
    return Outcome(result.exit_code, result.stdout, result.stderr)


def test_command_unexpected_error_is_one_sentence_without_detail() -> None:
    def fail(as_json: cli.output.JsonOption = False) -> int:
        raise RuntimeError("何雨晴 510107199003070049")

    people, machine = run_function(fail), run_function(fail, "--json")
    assert (people.code, machine.code, machine.error) == (3, 3, "internal")
    for outcome in (people, machine):
        assert "Traceback" not in outcome.out + outcome.err
        assert "何雨晴" not in outcome.out + outcome.err
    assert "[internal]" in people.err
    assert people.out == ""


def test_command_ledger_error_speaks_both_languages_on_standard_error() -> None:
    def fail() -> int:
        raise errors.ConflictError("请刷新。", "Reload.")

    outcome = run_function(fail)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "请刷新。\nReload.\n[conflict]\n"


@pytest.mark.parametrize(
    "arguments", [["no-such", "--json"], ["verify", "--json"], ["grant", "--wait", "x", "--json"]]
)
def test_main_wrong_usage_with_json_is_an_object(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["tongban", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_main_wrong_usage_without_json_is_bad_input_too() -> None:
    outcome = run_command(["verify"])
    assert (outcome.code, outcome.out) == (2, "")


def walk_commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield " ".join(path), command
        return
    for name, child in children.items():
        yield from walk_commands(child, (*path, name))


def list_commands() -> dict[str, Any]:
    return dict(walk_commands(typer.main.get_command(cli.app)))


def test_every_command_and_option_stands_in_the_command_page() -> None:
    sections = re.split(r"^### `tongban ([^`]+)`.*$", read_doc("cli.md"), flags=re.MULTILINE)
    page = dict(zip(sections[1::2], sections[2::2], strict=True))
    page = {re.match(r"[a-z -]+[a-z]", name)[0]: text for name, text in page.items()}
    commands = list_commands()
    assert page.keys() == commands.keys()
    for name, found in commands.items():
        options = {
            option
            for parameter in found.params
            if parameter.param_type_name == "option" and parameter.name != "help"
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--")
        }
        written = set(re.findall(r"`(--[a-z-]+)", page[name]))
        assert options == written, name


def test_every_command_but_processes_takes_json() -> None:
    without = {
        name
        for name, found in list_commands().items()
        if not any("--json" in parameter.opts for parameter in found.params)
    }
    assert without == {
        "chain run",
        "devices run",
        "node run",
    }  # these print one JSON line when they are ready


def test_every_setting_stands_in_the_settings_page() -> None:
    sections = {
        "chain": ChainSettings,
        "chain.finality": FinalitySettings,
        "documents": DocumentSettings,
        "documents.s3": S3Settings,
        "documents.ipfs": IpfsSettings,
        "keys": KeySettings,
    }
    fields = set(Settings.model_fields)
    for section, model in sections.items():
        fields |= {f"{section}.{name}" for name in model.model_fields}
    rows = re.findall(r"^\| `([a-z0-9_.]+)` \|", read_doc("settings.md"), flags=re.MULTILINE)
    assert sorted(rows) == sorted(fields - sections.keys())


@pytest.mark.parametrize("name", sorted(list_commands()))
def test_every_command_has_help_in_both_languages(name: str) -> None:
    outcome = run_command([*name.split(), "--help"])
    assert outcome.code == 0
    assert re.search(r"[\u4e00-\u9fff]", outcome.out)
    assert " / " in outcome.out


def test_commands_without_a_city_name_the_missing_settings(city: City) -> None:
    outcome = city.run("node", "status", "--node", city.files)
    assert (outcome.code, outcome.error) == (2, "settings_invalid")
