"""Chinese sentences that people read carry Chinese punctuation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import ROOT

HAN = "一-鿿"
VALUE = "〇"  # stands for a placeholder of an f-string
HALF_WIDTH = re.compile(
    rf"[{HAN}）」”][,;:?!]|[{HAN}]\(|\)[{HAN}，。；：]|[,;:?!][{HAN}]|{VALUE}[,;:?!]{VALUE}|（[^（）]*\)"
)
SPOKEN = re.compile(rf"[{HAN}]")
IN_TEMPLATES = re.compile(r"""\bt\(\s*"([^"\n]*)"|\bt\(\s*'([^'\n]*)'""")
ALLOWED = (
    "本人同意上述城市将勾选的材料",  # what version consent/zh-en/1 of the text says
    "武侯区不动产权第",  # numbers of papers, as they are registered
    "陕0113民初",
)
ROOMS = ("api", "ledger_node")


def list_faults(text: str) -> list[str]:
    """Places with half-width marks in a text that holds Chinese."""
    if not SPOKEN.search(text) or any(each in text for each in ALLOWED):
        return []
    return [text[max(0, m.start() - 8) : m.end() + 8] for m in HALF_WIDTH.finditer(text)]


def iterate_texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string of a module; docstrings only where they are help texts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(each) for each in node.values}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            first = str(node.value.value)[:1]
            if path.parent.name != "cli" or not SPOKEN.match(first):
                skipped.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(e.value) if isinstance(e, ast.Constant) else VALUE for e in node.values]
            yield node.lineno, "".join(parts)
        elif id(node) not in skipped and isinstance(getattr(node, "value", None), str):
            yield node.lineno, str(getattr(node, "value", ""))


def test_list_faults_sees_what_is_planted() -> None:
    for bad in (
        "已登记,编号",
        "状态:有效",
        "可以吗?",
        "区块(终局)",
        f"共 {VALUE} 条,拒绝",
        "（一)",
    ):
        assert list_faults(bad), bad
    for good in ("已登记，编号 / done, number", "taken in (容缺受理) today", f"{VALUE}：有效"):
        assert not list_faults(good), good


def test_chinese_sentences_of_the_code_have_chinese_punctuation() -> None:
    seen, faults = 0, []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for line, text in iterate_texts(path):
                seen += bool(SPOKEN.search(text))
                name = path.relative_to(ROOT)
                faults += [f"{name}:{line} {each}" for each in list_faults(text)]
    assert seen > 1500
    assert not faults, "\n".join(faults)


def test_chinese_sentences_of_the_pages_have_chinese_punctuation() -> None:
    seen, faults = 0, []
    for path in sorted((ROOT / "api/pages/templates").rglob("*.html")):
        for match in IN_TEMPLATES.finditer(path.read_text(encoding="utf-8")):
            seen += 1
            faults += [f"{path.name} {each}" for each in list_faults(match[1] or match[2] or "")]
    assert seen > 500
    assert not faults, "\n".join(faults)
