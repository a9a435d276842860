"""Tiles in memory; passes the conformance suite of the tile directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger_node.core.tiles import parse_tile_path
from ledger_node.ports.tiles import TileConflictError, TileNotFoundError
from tests.fakes.faults import FaultPlan, no_faults, run_with_faults


class MemoryTiles:
    """Handles that share `files` are processes that share a directory."""

    def __init__(
        self, files: dict[str, bytes] | None = None, faults: FaultPlan = no_faults
    ) -> None:
        self.files = {} if files is None else files
        self.faults = faults

    def put_all(self, tiles: Mapping[str, bytes]) -> None:
        for path, data in tiles.items():
            if self.files.get(parse_tile_path(path).path(), data) != data:
                raise TileConflictError(path)
        run_with_faults(self.faults, "put_all", lambda: self.files.update(tiles))

    def read(self, path: str) -> bytes:
        def effect() -> bytes:
            try:
                return self.files[parse_tile_path(path).path()]
            except KeyError as error:
                raise TileNotFoundError(path) from error

        return run_with_faults(self.faults, "read", effect)

    def read_all(self, paths: Iterable[str]) -> list[bytes]:
        return [self.read(path) for path in paths]

    def replace_checkpoint(self, note: bytes) -> None:
        def effect() -> None:
            self.files["checkpoint"] = note

        run_with_faults(self.faults, "replace_checkpoint", effect)

    def read_checkpoint(self) -> bytes | None:
        return run_with_faults(self.faults, "read", lambda: self.files.get("checkpoint"))
