"""What the code says of itself, for tests that compare it with the documents."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ledger_node", "api", "contracts")
NOT_FOR_IMPORT = re.compile(r"__main__$|\.versions(\.|$)|\.migrations\.env$|\.localchain")


def read_doc(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def import_every_module() -> int:
    """Import the product, so that every class of it exists; returns how many modules."""
    count = 0
    for name in PACKAGES:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not NOT_FOR_IMPORT.search(found.name):
                importlib.import_module(found.name)
                count += 1
    return count


def walk_subclasses(base: type) -> Iterator[type]:
    for each in base.__subclasses__():
        yield each
        yield from walk_subclasses(each)


def list_routes(routes: list[object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of every route, included routers and mounts walked, hidden ones too."""
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        inside = getattr(route, "routes", None) or getattr(
            getattr(route, "original_router", None), "routes", None
        )
        if inside:
            yield from list_routes(list(inside), path)
        for method in getattr(route, "methods", None) or ():
            yield method, path
