"""Logs' files below a directory: `<hash of the origin>/<tile path>`, as a mirror lays them out.

Step 11. Spec: docs/spec/mirror.md. Only read; the strict grammar of tile paths leaves no way out.
"""

from __future__ import annotations

from pathlib import Path

from ledger_node.core.checkpoint import build_origin
from ledger_node.core.cosignature import hash_origin
from ledger_node.core.tiles import parse_tile_path
from ledger_node.core.types import CityId
from ledger_node.ports.peers import LogFileRefusedError


class DirectoryLogFiles:
    """Reader of logs that somebody copied, a node's own mirrors among them."""

    def __init__(self, root: Path, domain: str) -> None:
        """Read below `root`; `domain` is the consortium's, for the origins."""
        self._root = root
        self._domain = domain

    def fetch_log_file(self, city: CityId, path: str) -> bytes:
        """File `/log/<generation>/<tile path>` of a city.

        Raises:
            LogFileRefusedError: It is not there.
        """
        generation, _, tile = path.removeprefix("/log/").partition("/")
        origin = build_origin(self._domain, city, int(generation))
        try:
            return (self._root / hash_origin(origin) / parse_tile_path(tile).path()).read_bytes()
        except OSError as error:
            raise LogFileRefusedError(city, type(error).__name__) from error
