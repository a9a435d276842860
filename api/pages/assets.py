"""Static files of the pages: listed once at start, named with their digest, cached for ever.

Only a file that was there at start is ever served; a path in a request is a look-up in that list
and never touches the file system.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ledger_node.core.errors import NotFoundError

STATIC: Final = Path(__file__).parent / "static"
_DIGEST_CHARS: Final = 12
_TYPES: Final = {".js": "text/javascript", ".ttf": "font/ttf", ".svg": "image/svg+xml"}


class AssetNotFoundError(NotFoundError):
    """The pages have no such file."""

    code = "asset_not_found"


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file: where it is, its media type, first characters of its SHA-256 in hex."""

    path: Path
    media_type: str
    digest: str


@cache
def list_assets() -> Mapping[str, Asset]:
    """Every static file by its name below `static/`."""
    return {
        path.relative_to(STATIC).as_posix(): _describe(path)
        for path in sorted(STATIC.rglob("*"))
        if path.is_file()
    }


def find_asset(name: str) -> Asset:
    """The file of a name.

    Raises:
        AssetNotFoundError: There is none.
    """
    asset = list_assets().get(name)
    if asset is None:
        raise AssetNotFoundError("没有这个页面文件。", "There is no such page file.")
    return asset


def asset_url(name: str) -> str:
    """Address of a file for a template; a changed file has another address.

    Raises:
        AssetNotFoundError: There is none.
    """
    return f"/static/{name}?v={find_asset(name).digest}"


def _describe(path: Path) -> Asset:
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST_CHARS]
    return Asset(path, media_type, digest)
