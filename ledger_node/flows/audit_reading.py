"""Reading the cities' logs for an audit: entry bundles as anybody may fetch them, nothing stored.

Step 11. Streams: memory holds one entry bundle.

Not here: the chain (audit_chain.py), comparing (audit_comparing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger_node.core.entry_bundle import parse_entry_bundle
from ledger_node.core.errors import LedgerError
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode
from ledger_node.core.tiles import ENTRIES, TILE_WIDTH, MalformedTileError, tile_path
from ledger_node.core.types import CityId

FetchLogFile = Callable[[CityId, str], bytes]
Progress = Callable[[str, int, int], None]


def iterate_bundles(
    fetch_log_file: FetchLogFile,
    city: CityId,
    generation: int,
    size: int,
    found: list[Discrepancy],
    progress: Progress | None = None,
    *,
    begin: int = 0,
) -> Iterator[list[bytes]]:
    """Entry bundles of a log up to `size` entries; ends early at the first that is not there.

    The first one given is bundle `begin`. What ends it is put into `found`; the heads behind it
    are then *withheld*.
    """
    for index in range(begin, -(-size // TILE_WIDTH)):
        width = min(TILE_WIDTH, size - index * TILE_WIDTH)
        try:
            yield fetch_bundle(fetch_log_file, city, generation, index, width)
        except MalformedTileError as error:
            place = f"log {city}/{generation} bundle {index}"
            found.append(Discrepancy(DiscrepancyCode.LOG_ENTRY_MALFORMED, place, error.message_en))
            return
        except LedgerError as error:
            place = f"log {city}/{generation} bundle {index}"
            found.append(Discrepancy(DiscrepancyCode.LOG_WITHHELD, place, error.message_en))
            return
        if progress is not None:
            progress(f"log {city}/{generation}", index * TILE_WIDTH + width, size)


def fetch_bundle(
    fetch_log_file: FetchLogFile, city: CityId, generation: int, index: int, width: int
) -> list[bytes]:
    """A bundle; where a partial one gave way to the full one, the first `width` of that."""

    def fetch(of_width: int) -> list[bytes]:
        path = f"/log/{generation}/{tile_path(ENTRIES, index, of_width)}"
        return parse_entry_bundle(fetch_log_file(city, path), of_width)

    if width == TILE_WIDTH:
        return fetch(TILE_WIDTH)
    try:
        return fetch(width)
    except MalformedTileError:
        raise
    except LedgerError as missing:
        try:
            return fetch(TILE_WIDTH)[:width]
        except LedgerError:
            raise missing from None
