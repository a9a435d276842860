"""Entry bundles: up to 256 log entries in one file, each after its length as uint16.

Step 3 of the data flow. Spec: C2SP tlog-tiles, "Log entries"; docs/spec/log.md.
Vectors: tests/vectors/tiles/.

Not here: what an entry says (entry.py), tile paths (tiles.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger_node.core.tiles import (
    ENTRIES,
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    MalformedTileError,
    ReadTile,
    Tile,
    tile_path,
)


def encode_entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Write entries one after the other, each after its length as big-endian uint16.

    Raises:
        MalformedTileError: An entry has more than 65,535 bytes.
    """
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise MalformedTileError("日志条目过长。", "a log entry has more than 65,535 bytes.")
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def parse_entry_bundle(data: bytes, width: int) -> list[bytes]:
    """Read the entries of a bundle.

    Args:
        data: The bytes of the bundle.
        width: Entries its name promises, 1 to 256.

    Raises:
        MalformedTileError: Fewer or more entries, or the last one cut off.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < width:
        begin = at + 2
        at = begin + int.from_bytes(data[at:begin], "big")
        entries.append(data[begin:at])
    if at != len(data) or len(entries) != width:
        raise MalformedTileError(
            "日志条目分块的内容与其名称不符。",
            f"an entry bundle of {width} entries does not end where its bytes end.",
        )
    return entries


def build_entry_bundles(
    old_size: int, entries: Sequence[bytes], read_tile: ReadTile
) -> Iterator[tuple[str, bytes]]:
    """Entry bundles that change when entries are appended.

    Args:
        old_size: Entries before.
        entries: New entries.
        read_tile: Reads the partial bundle at the end of the old log.

    Yields:
        Path and bytes, left to right; full bundles and the last partial one.

    Raises:
        MalformedTileError: The old partial bundle does not fit its name, or an entry is too long.
    """
    if not entries:
        return
    first, width = divmod(old_size, TILE_WIDTH)
    bundle = b""
    if width:
        bundle = read_tile(Tile(ENTRIES, first, width).path())
        parse_entry_bundle(bundle, width)
    index, at = first, 0
    while at < len(entries):
        part = entries[at : at + TILE_WIDTH - width]
        at, width = at + len(part), width + len(part)
        yield tile_path(ENTRIES, index, width), bundle + encode_entry_bundle(part)
        index, width, bundle = index + 1, 0, b""
