"""The access trail speaks to people: every action and every kind of object has its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from api.pages.case_papers import CasePaper
from api.pages.trail_words import ACTIONS, KINDS
from ledger_node.core.case import CaseEvent
from ledger_node.core.trail import TrailAction

ROOT = Path(__file__).parents[2]


def list_kinds() -> Iterator[str]:
    """Kinds of objects that calls of `tx.trail.log_access` name in words."""
    for folder in ("api", "ledger_node"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or len(node.args) != 5:
                    continue
                name = node.func
                kind = node.args[3]
                called = name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "")
                if called == "log_access" and isinstance(kind, ast.Constant):
                    yield str(kind.value)


def test_every_action_of_the_trail_has_chinese_and_english_words() -> None:
    assert set(ACTIONS) == set(TrailAction)
    assert all(zh and en for zh, en in ACTIONS.values())


def test_every_kind_of_object_of_the_trail_has_words() -> None:
    assert set(list_kinds()) == set(KINDS)


def test_steps_and_papers_of_a_case_are_actions_of_the_trail() -> None:
    for event in CaseEvent:
        TrailAction(event.value)
    for paper in CasePaper:
        TrailAction(f"print_{paper.value}")
