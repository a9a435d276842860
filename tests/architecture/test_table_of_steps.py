"""The architecture page is kept true: every module and event its table names exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d+|–) (\w+) \|(.*)\|$", re.MULTILINE)
NAME = re.compile(r"`(\w+)`")


def read_rows() -> list[tuple[str, str, list[str]]]:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = text.split("## The way of one material")[1].split("## ")[0]
    return [
        (number, step, [cell.strip() for cell in rest.split("|")])
        for number, step, rest in ROW.findall(section)
    ]


def list_events() -> set[str]:
    artifacts = [json.loads(path.read_text("utf-8")) for path in (ROOT / "contracts/abi").iterdir()]
    return {item["name"] for each in artifacts for item in each["abi"] if item["type"] == "event"}


def test_table_has_the_eleven_steps_in_order() -> None:
    rows = read_rows()
    assert [number for number, _, _ in rows] == [str(n) for n in range(1, 12)] + ["–"]


def test_modules_of_every_step_exist() -> None:
    rows = read_rows()
    for _, step, cells in rows:
        for name in NAME.findall(cells[1]):
            assert (ROOT / "ledger_node" / "core" / f"{name}.py").is_file(), (step, name)
        for name in NAME.findall(cells[2]):
            assert (ROOT / "ledger_node" / "flows" / f"{name}.py").is_file(), (step, name)
    named = sum(len(NAME.findall(cells[1] + cells[2])) for _, _, cells in rows)
    assert named >= 35


def test_edges_of_every_step_exist() -> None:
    for _, step, cells in read_rows():
        for edge in re.findall(r"[a-z]+", cells[3]):
            assert (ROOT / "ledger_node" / "edges" / edge).is_dir(), (step, edge)


def test_events_of_every_step_are_in_the_abi() -> None:
    events = list_events()
    assert len(events) >= 15
    named = {name for _, _, cells in read_rows() for name in NAME.findall(cells[4])}
    assert named <= events
    assert {"CheckpointAnchored", "GrantConsumed", "StatusSet"} <= named
