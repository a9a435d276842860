"""Decisions, change notes, runbooks and the README keep their forms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

DOCS = ROOT / "docs"
SECTIONS = [
    "Context",
    "Options",
    "Decision",
    "Consequences",
    "What would make us reverse it",
]
AREAS = {
    "local-chain",
    "contracts",
    "log",
    "registration",
    "import",
    "grants",
    "release",
    "receipts",
    "verify",
    "command-line",
    "demo",
}
FRAGMENT = re.compile(r"([a-z0-9-]+)\.(added|changed|fixed|removed|security)\.md")


def list_decisions() -> list[Path]:
    return sorted(path for path in (DOCS / "decisions").glob("*.md") if path.stem != "README")


def list_commands(app: object) -> set[str]:
    """Every command of the program, groups walked, as typed after its name."""
    import typer.main

    def walk(command: object, words: tuple[str, ...]) -> set[str]:
        inside = getattr(command, "commands", None)
        if inside is None:
            return {" ".join(words)}
        return {each for name in inside for each in walk(inside[name], (*words, name))}

    return walk(typer.main.get_command(app), ())  # type: ignore[arg-type]


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in list_decisions()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 8


@pytest.mark.parametrize("path", list_decisions(), ids=lambda path: path.stem)
def test_decision_has_its_sections_and_fits_a_page(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.match(rf"# {path.name[:4]} · \S", text), "title is `# NNNN · Words`"
    assert [s for s in re.findall(r"^## (.+)$", text, re.MULTILINE) if s in SECTIONS] == SECTIONS
    assert len(text.split()) <= 1_100


def test_decision_index_names_every_decision() -> None:
    index = (DOCS / "decisions" / "README.md").read_text("utf-8")
    assert re.findall(r"\((\d{4}-[^)]+\.md)\)", index) == [path.name for path in list_decisions()]


def test_change_notes_are_named_by_kind_and_cover_every_area() -> None:
    notes = sorted((DOCS / "changes").glob("*.md"))
    parts = [FRAGMENT.fullmatch(path.name) for path in notes]
    assert all(parts), [path.name for path in notes]
    assert {part[1] for part in parts if part} >= AREAS
    for path in notes:
        text = path.read_text("utf-8").strip()
        assert 20 <= len(text) <= 600, path.name
        assert not text.startswith("#"), path.name


def test_changelog_says_where_its_lines_come_from() -> None:
    text = (DOCS / "CHANGELOG.md").read_text("utf-8")
    assert text.startswith("# Changelog")
    assert "docs/changes/" in text


def test_commands_named_in_documents_exist() -> None:
    from ledger_node.cli import app

    commands = list_commands(app)
    groups = {name.split()[0] for name in commands if " " in name}
    pages = [ROOT / "README.md", *(DOCS / "runbooks").glob("*.md")]
    for page in pages:
        for first, second in re.findall(
            r"tongban ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", page.read_text("utf-8")
        ):
            name = f"{first} {second}" if first in groups else first
            assert name in commands, (page.name, name)
    assert len(commands) >= 18


def test_readme_lists_every_command_and_opens_with_two_that_exist() -> None:
    from ledger_node.cli import app

    text = (ROOT / "README.md").read_text("utf-8")
    opening = re.findall(r"^make (\S+)", text, re.MULTILINE)
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert opening[:2] == ["demo", "test"]
    assert set(opening) <= set(targets)
    listed = set(re.findall(r"`([a-z-]+(?: [a-z-]+)?)`", text.split("## Command line")[1]))
    missing = list_commands(app) - listed
    assert not missing


def test_makefile_targets_stand_in_ci() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert [
        word for word in re.findall(r"make ([a-z-]+)", script) if word in {"check", "test"}
    ] == [
        "check",
        "test",
    ]
