"""Write rows of docs/spec/routes.md for routes that have none: mark and docstring give the text.

`python scripts/list_routes.py` appends to the table of pages; a person may better the words.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi.routing import APIRoute

from api.access import Allow, Optionally, Peer, list_marks, walk_routes
from api.app import build_app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "spec" / "routes.md"
HEAD = "| Page and what it sends | For | Answer |\n|---|---|---|\n"
ROW = re.compile(r"^\| `([A-Z]+) (\S+)` \|", re.MULTILINE)


def describe(route: APIRoute, method: str) -> tuple[str, str, str]:
    """(method and path, whom it is for, what it answers)."""
    mark = next(list_marks(route.dependant))
    whom = f"`{mark.permission.value}`" if isinstance(mark, Allow) else "anybody"
    whom = "member cities" if isinstance(mark, Peer) else whom
    whom = "anybody; knows who is signed in" if isinstance(mark, Optionally) else whom
    said = " ".join((route.endpoint.__doc__ or "").split("\n\n")[0].split()).rstrip(".")
    return f"{method} {route.path.replace(':path}', '}')}", whom, said.replace("|", "\\|")


def main() -> int:
    """Append what is missing."""
    text = PAGE.read_text("utf-8")
    known = {f"{method} {path}" for method, path in ROW.findall(text)}
    app = build_app(cast(Any, SimpleNamespace()))
    rows = [
        describe(route, method)
        for route in walk_routes(app)
        if isinstance(route, APIRoute)
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]
    missing = sorted(
        (row for row in rows if row[0] not in known), key=lambda row: row[0].split()[1]
    )
    lines = "".join(f"| `{name}` | {whom} | {said} |\n" for name, whom, said in missing)
    if HEAD in text:
        text = text.replace(HEAD, HEAD + lines)
    else:
        text += f"\n## Pages\n\nWhom a permission belongs to: [access](access.md).\n\n{HEAD}{lines}"
    PAGE.write_text(text, "utf-8")
    print(f"{len(missing)} rows added")
    return 0


if __name__ == "__main__":
    sys.exit(main())
