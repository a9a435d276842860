"""Tables, events, routes and errors stand in the documents; nothing there is out of date."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from alembic.config import Config
from alembic.script import ScriptDirectory

from api.app import build_app
from ledger_node.core.errors import LedgerError
from tests.architecture.source import (
    ROOT,
    import_every_module,
    list_routes,
    read_doc,
    walk_subclasses,
)

# Codes that several classes carry on purpose; anything else is a mistake.
SHARED_CODES: dict[str, set[str]] = {}
MIGRATIONS = ROOT / "ledger_node" / "edges" / "database" / "migrations"


def list_error_classes() -> list[type[LedgerError]]:
    import_every_module()
    return [
        cast(type[LedgerError], each)
        for each in walk_subclasses(LedgerError)
        if each.__module__.split(".")[0] in {"ledger_node", "api", "contracts"}
    ]


def app_routes() -> set[tuple[str, str]]:
    app = build_app(cast(Any, SimpleNamespace()))
    return {
        (method, path.replace(":path}", "}"))
        for method, path in list_routes(list(app.routes))
        if method != "HEAD"
    }


def test_every_error_code_stands_on_the_error_page() -> None:
    # An independent count: the page is written from the source text, this from the classes.
    page = set(re.findall(r"^\| `(\w+)` \|", read_doc("errors.md"), re.MULTILINE))
    codes = {each.code for each in list_error_classes() if "code" in vars(each)}
    assert len(codes) >= 150
    assert codes <= page, codes - page
    assert len(page) >= len(codes)


def test_every_error_has_its_own_code() -> None:
    owners: dict[str, set[str]] = {}
    for each in list_error_classes():
        if "code" in vars(each):
            owners.setdefault(each.code, set()).add(each.__name__)
    shared = {code: names for code, names in owners.items() if len(names) > 1}
    assert shared == SHARED_CODES
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", code) for code in owners)


def test_every_error_belongs_to_exactly_one_family() -> None:
    import_every_module()
    families = {each for each in LedgerError.__subclasses__() if "core.errors" in each.__module__}
    assert len(families) == 7
    # The first is abstract; the second carries another city's own code.
    without = {"ContractRevertError", "PeerRefusedError"}
    several = [
        each.__name__
        for each in list_error_classes()
        if each.__name__ not in without | {base.__name__ for base in families}
        and len(families & set(each.__mro__)) != 1
    ]
    assert not several


def test_every_table_stands_in_the_database_page(sqlite_template: Path) -> None:
    import sqlite3

    with sqlite3.connect(sqlite_template) as database:
        rows = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    tables = {name for (name,) in rows if not name.startswith("sqlite_")}
    database.close()
    named = set(re.findall(r"`(\w+)`", read_doc("spec/database.md")))
    assert len(tables) >= 25
    assert tables <= named, tables - named


def test_every_migration_follows_the_one_before() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    files = [path for path in (MIGRATIONS / "versions").glob("*.py") if path.stem != "__init__"]
    assert len(revisions) == len(files) >= 3
    # Groups may grow side by side, but all on one first revision (edges/database/migrate.py).
    assert len(ScriptDirectory.from_config(config).get_bases()) == 1


def test_every_event_stands_in_the_contract_page() -> None:
    artifacts = [json.loads(path.read_text("utf-8")) for path in (ROOT / "contracts/abi").iterdir()]
    events = {item["name"] for each in artifacts for item in each["abi"] if item["type"] == "event"}
    page = read_doc("spec/events.md")
    assert len(events) >= 18
    assert not {name for name in events if f"{name}(" not in page and f"`{name}`" not in page}


def test_every_route_stands_in_the_route_page() -> None:
    listed = re.findall(
        r"^\| `(GET|POST|PUT|DELETE) (\S+)` \|", read_doc("spec/routes.md"), re.MULTILINE
    )
    assert len(listed) == len(set(listed))
    assert set(listed) == app_routes()


def test_list_routes_finds_what_openapi_finds_and_what_it_hides() -> None:
    paths = build_app(cast(Any, SimpleNamespace())).openapi()["paths"]
    shown = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert len(shown) >= 11
    hidden = app_routes() - shown  # pages; what programs call is all shown
    assert not [path for _, path in hidden if path.startswith(("/api/", "/peer/", "/log/"))]
    assert shown <= app_routes()


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        if "://" not in target
    ]
    assert len(links) >= 10
    assert not [(p.name, t) for p, t in links if not (p.parent / t).exists()]
