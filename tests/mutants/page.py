"""`python -m tests.mutants.page`: write docs/mutants.md from the table."""

from __future__ import annotations

from pathlib import Path

from tests.mutants.table import MUTANTS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mutants.md"
HEAD = """# Guards, mutants, tests

Each guard is taken out in a copy of the repository, and the named test must fail. `make test`
does so for the five marked *quick*, `make test-full` for all of them. Written by
`python -m tests.mutants.page` from `tests/mutants/table*.py`.

| Mutant | Guard | File | Test that notices | Trial | |
|---|---|---|---|---|---|
"""


def render_page() -> str:
    """The page as the table says."""
    rows = [
        f"| `{m.name}` | {m.guard} | `{m.file}` | `{m.test}` | {m.trial or '–'} "
        f"| {'quick' if m.quick else ''} |"
        for m in MUTANTS
    ]
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render_page(), "utf-8")
