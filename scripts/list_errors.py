"""Write docs/errors.md, every error with its code, from source and ABI; `--check` compares only."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from api.problems import STATUS_BY_CODE, status_of  # noqa: E402
from ledger_node.cli.output import exit_code_of  # noqa: E402
from ledger_node.core import errors  # noqa: E402
from ledger_node.edges.chain.errors import load_reverts  # noqa: E402
from scripts.error_source import ErrorClass, collect_errors, collect_sentences  # noqa: E402

TARGET = ROOT / "docs" / "errors.md"
HEAD = """# Errors

Written by `scripts/list_errors.py`; do not edit. A code never changes its meaning; sentences may
change. Family, HTTP status and exit code follow from whose fault it is (`core/errors.py`). Over
HTTP an error of the family `InvariantError` says `internal` and no more. `{…}` is filled in.
On verification a rejected item is the answer itself, not a failure (see the spec of receipts).
"""
NO_FAMILY = "LedgerError"  # whose fault it is differs by case
TABLE = "| code | meaning | HTTP | exit | 中文 | English |\n|---|---|---|---|---|---|\n"


def family_of(name: str, classes: dict[str, ErrorClass]) -> str:
    """Name of the family a class belongs to."""
    if errors.LedgerError in getattr(getattr(errors, name, None), "__bases__", ()):
        return name
    bases = classes[name].bases if name in classes else ()
    found = [family for base in bases if (family := family_of(base, classes))]
    return min(found, key=lambda family: family == NO_FAMILY, default=NO_FAMILY)


def code_of(name: str, classes: dict[str, ErrorClass]) -> str:
    """Its own code, or the inherited one."""
    if name not in classes:
        return ""
    own = classes[name]
    return own.code or next((c for base in own.bases if (c := code_of(base, classes))), "")


def list_rows() -> dict[str, list[tuple[str, str, str, str]]]:
    """Family -> (code, meaning, Chinese, English)."""
    classes, sentences = collect_errors(), collect_sentences()
    rows: dict[str, list[tuple[str, str, str, str]]] = {}
    for name, each in classes.items():
        if each.code:
            texts = sentences.get(name, ("", ""))
            family = family_of(name, classes)
            rows.setdefault(family, []).append((each.code, each.meaning, *texts))
    for layout in load_reverts().values():
        family = family_of(layout.error.__mro__[1].__name__, classes)
        meaning = f"the contract reverted with `{layout.name}`"
        rows.setdefault(family, []).append((layout.error.code, meaning, layout.message_zh, ""))
    return rows


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    for family, rows in sorted(list_rows().items()):
        error: errors.LedgerError = getattr(errors, family)("", "")
        status, code_of_exit = status_of(error), str(exit_code_of(error))
        lines = {
            "| "
            + " | ".join(
                (
                    f"`{code}`",
                    meaning,
                    str(STATUS_BY_CODE.get(code, status)),
                    code_of_exit,
                    zh,
                    en,
                )
            )
            + " |"
            for code, meaning, zh, en in rows
        }
        whose = " ".join((type(error).__doc__ or "").split())
        parts.append(f"## {family}\n\n{whose}\n\n{TABLE}" + "\n".join(sorted(lines)) + "\n")
    return "\n".join(parts)


def main() -> int:
    """Write, or with `--check` compare; 1 when the page is not fresh."""
    text = render()
    if "--check" not in sys.argv:
        TARGET.write_text(text, "utf-8")
    if TARGET.is_file() and TARGET.read_text("utf-8") == text:
        return 0
    print("not fresh: docs/errors.md (python scripts/list_errors.py writes it)")
    return 1


if __name__ == "__main__":
    sys.exit(main())
