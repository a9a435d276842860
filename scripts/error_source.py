"""Read the error classes and their sentences out of the source text, without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ledger_node", "api", "contracts")
HAN = re.compile(r"[\u4e00-\u9fff]")
BASE = "LedgerError"


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One class statement: named bases, `code` if it sets one, first sentence of its docstring."""

    name: str
    path: str
    bases: tuple[str, ...]
    code: str | None
    meaning: str


def walk_sources() -> Iterator[tuple[str, ast.Module]]:
    """Path and syntax tree of every module of the product."""
    for path in sorted(each for name in PACKAGES for each in (ROOT / name).rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def text_of(node: ast.expr | None, constants: dict[str, str]) -> str:
    """The text of a literal or of a module's constant; `{…}` where something is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, constants) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return "{…}"
    if isinstance(node, ast.Name):
        return constants.get(node.id, "")
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def read_assignments(body: list[ast.stmt], constants: dict[str, str]) -> dict[str, str]:
    """Names a block gives a text."""
    found: dict[str, str] = {}
    for line in body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(line, ast.Assign | ast.AnnAssign):
                found[target.id] = text_of(line.value, constants)
    return found


def read_classes(path: str, tree: ast.Module) -> Iterator[ErrorClass]:
    """Every class of one module, errors or not."""
    constants = read_assignments(tree.body, {})
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            code = read_assignments(node.body, constants).get("code") or None
            meaning = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            bases = tuple(ast.unparse(base).rpartition(".")[2] for base in node.bases)
            yield ErrorClass(node.name, path, bases, code, meaning)


def collect_errors() -> dict[str, ErrorClass]:
    """Every class that stands on `LedgerError`, by name."""
    classes = {
        each.name: each for path, tree in walk_sources() for each in read_classes(path, tree)
    }

    def is_error(name: str) -> bool:
        bases = classes[name].bases if name in classes else ()
        return name == BASE or any(is_error(base) for base in bases if base != name)

    return {name: each for name, each in classes.items() if is_error(name)}


def collect_sentences() -> dict[str, tuple[str, str]]:
    """Class name -> Chinese and English sentence: its own, else where it is first raised."""
    own: dict[str, tuple[str, str]] = {}
    raised: dict[str, tuple[str, str]] = {}
    for _, tree in walk_sources():
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        inside = {id(n): c.name for c in classes for n in ast.walk(c) if isinstance(n, ast.Call)}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            texts = [text_of(each, {}) for each in call.args[:2]]
            if len(texts) < 2 or not HAN.search(texts[0]) or not texts[1]:
                continue
            if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
                own.setdefault(inside.get(id(call), ""), (texts[0], texts[1]))
            elif isinstance(call.func, ast.Name):
                raised.setdefault(call.func.id, (texts[0], texts[1]))
    return raised | own
