"""A ledger made without a chain: many events to a block, as a chain copy and a mirror directory.

Blocks, blooms, logs and tiles are what a real chain and real logs would give; nothing executed
the contracts. For measuring and for tests that need more than a chain makes in their time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import eth_abi

from ledger_node.core.bloom import compute_bloom
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.cosignature import hash_origin
from ledger_node.core.event_layouts import EVENT_LAYOUTS, EventLayout
from ledger_node.core.merkle import EMPTY_RANGE, CompactRange, TreeHead, hash_leaves
from ledger_node.core.tiles import ENTRIES, TILE_WIDTH, tile_path
from ledger_node.edges.audit import AuditDirectory
from ledger_node.ports.audit import CopiedBlock
from ledger_node.ports.chain import BlockRef, ChainIdentity, RawLog
from tests.unit.core.chain_histories import CITIES, CITY_LOG, GRANTS, MEMBERSHIP, History, digest

CHAIN_ID = 7107
DOMAIN = "tongban.example"
BLOCKS_PER_PORTION = 50
_LAYOUTS = {each.kind: each for layouts in EVENT_LAYOUTS.values() for each in layouts}
_TOPICS = {each.kind.__name__: each.topic for each in _LAYOUTS.values()}
Emitted = tuple[bytes, tuple[bytes, ...], bytes]


@dataclass(frozen=True)
class MadeLedger:
    """Where it lies; `genesis` and MEMBERSHIP pin it."""

    copy: Path
    tiles: Path
    genesis: bytes
    blocks: int
    logs: int


def block_hash(number: int) -> bytes:
    return digest("block", number)


def make_ledger(
    folder: Path, *, materials: int, grants: int, blocks: int = 1000, tampered: bool = False
) -> MadeLedger:
    """Write a consortium of five cities, its logs and grants below `folder`.

    Args:
        materials: Entries over all logs, the same number in each.
        grants: Recorded and, a block later, consumed.
        blocks: Over which anchors and grants are spread.
        tampered: The last bundle of the last city holds another entry.
    """
    directory = AuditDirectory(folder / "copy")
    directory.save_identity(ChainIdentity(CHAIN_ID, block_hash(0)))  # type: ignore[arg-type]
    portion: list[CopiedBlock] = []
    number = logs = 0
    heads = _write_logs(folder / "tiles", materials // len(CITIES), blocks, tampered=tampered)
    for time_s, emitted in _iterate_blocks(heads, grants, blocks):
        portion.append(_build_block(number, time_s, emitted))
        logs += len(emitted)
        number += 1
        if len(portion) == BLOCKS_PER_PORTION:
            directory.save_blocks(portion)
            portion = []
    if portion:
        directory.save_blocks(portion)
    return MadeLedger(folder / "copy", folder / "tiles", block_hash(0), number, logs)


def encode_event(event: Any) -> Emitted:
    """Address, topics and data of an event, by its Solidity signature."""
    layout: EventLayout = _LAYOUTS[type(event)]
    names = list(event.__dataclass_fields__)[1:]
    kinds = layout.signature.partition("(")[2][:-1].split(",")
    values = [_plain(kind, getattr(event, name)) for kind, name in zip(kinds, names, strict=True)]
    marked = list(zip(kinds, values, layout.indexed, strict=True))
    topics = [eth_abi.encode([kind], [value]) for kind, value, indexed in marked if indexed]
    plain = [(kind, value) for kind, value, indexed in marked if not indexed]
    data = eth_abi.encode([kind for kind, _ in plain], [value for _, value in plain])
    return event.position.address, (layout.topic, *topics), data


def _plain(kind: str, value: Any) -> Any:
    if kind == "address":
        return "0x" + value.hex()
    return int(value) if kind.startswith("uint") else value


def _build_block(number: int, time_s: int, emitted: Sequence[Emitted]) -> CopiedBlock:
    hash_: Any = block_hash(number)
    bloom = compute_bloom(item for address, topics, _ in emitted for item in (address, *topics))
    parent: Any = block_hash(number - 1) if number else bytes(32)
    block = BlockRef(number, hash_, parent, time_s, bloom)  # type: ignore[arg-type]
    raw: list[Any] = [
        RawLog(address, topics, data, number, hash_, _tx(number, index), index)  # type: ignore[arg-type]
        for index, (address, topics, data) in enumerate(emitted)
    ]
    return block, raw


def _tx(number: int, index: int) -> Any:
    return digest("tx", number, index // 100)


def _iterate_blocks(
    heads: dict[str, list[TreeHead]], grants: int, blocks: int
) -> Iterator[tuple[int, list[Emitted]]]:
    """Founding, then anchors and grants."""
    history = History().found()
    by_block: dict[int, list[Any]] = {}
    for event in history.events:
        by_block.setdefault(event.position.block_number, []).append(event)
    time_s, last = history.events[0].position.block_timestamp_s, max(by_block)
    for number in range(last + 1):
        events = by_block.get(number, [])
        time_s = events[0].position.block_timestamp_s if events else time_s
        yield time_s, [encode_event(each) for each in events]
    waiting: list[bytes] = []
    for step in range(blocks):
        time_s += 60
        emitted = [_anchor(city, each[step]) for city, each in heads.items() if step < len(each)]
        emitted += [_consume(grant) for grant in waiting]
        first, end = step * grants // blocks, (step + 1) * grants // blocks
        waiting = [digest("grant", grant) for grant in range(first, end)]
        emitted += [_record(grant, time_s) for grant in waiting]
        yield time_s, emitted
    yield time_s + 60, [_consume(grant) for grant in waiting]


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _anchor(city: str, head: TreeHead) -> Emitted:
    topics = (_TOPICS["CheckpointAnchored"], _word(int(city)), _word(1))
    return CITY_LOG, topics, _word(head.size) + head.root


def _record(grant: bytes, time_s: int) -> Emitted:
    topics = (_TOPICS["GrantRecorded"], grant, _word(int(CITIES[0])), _word(int(CITIES[1])))
    recorder = _word(int(CITIES[1]))
    window = _word(time_s) + _word(time_s + 86_400) + _word(1) + _word(1)
    return GRANTS, topics, recorder + window + digest("evidence", grant)


def _consume(grant: bytes) -> Emitted:
    topics = (_TOPICS["GrantConsumed"], grant, hashlib.sha256(grant).digest())
    return GRANTS, topics, _word(0)


def _write_logs(
    folder: Path, entries: int, anchors: int, *, tampered: bool
) -> dict[str, list[TreeHead]]:
    """Entry bundles of every city's log; returns the heads to anchor, rising."""
    heads: dict[str, list[TreeHead]] = {}
    for city in CITIES:
        log = folder / hash_origin(build_origin(DOMAIN, city, 1))  # type: ignore[arg-type]
        sizes = sorted({(step + 1) * entries // anchors for step in range(anchors)} - {0})
        waiting, tree = list(sizes), EMPTY_RANGE
        found: list[TreeHead] = []
        for first in range(0, entries, TILE_WIDTH):
            count = min(TILE_WIDTH, entries - first)
            bundle = [b"\x01\x01" + _entry(city, first + each) for each in range(count)]
            tree = _append(tree, bundle, waiting, found)
            if tampered and city == CITIES[-1] and first + count == entries:
                bundle[-1] = bundle[-1][:-1] + bytes([bundle[-1][-1] ^ 1])
            path = log / tile_path(ENTRIES, first // TILE_WIDTH, count)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(b"\x00\x22" + each for each in bundle))
        heads[city] = found
    return heads


def _entry(city: str, index: int) -> bytes:
    return hashlib.sha256(b"%s/%d" % (city.encode(), index)).digest()


def _append(
    tree: CompactRange, bundle: Sequence[bytes], waiting: list[int], found: list[TreeHead]
) -> CompactRange:
    leaves = hash_leaves(bundle)
    while waiting and waiting[0] <= tree.size + len(bundle):
        size = waiting.pop(0)
        found.append(tree.append(leaves[: (size - tree.size) * 32]).compute_head())
    return tree.append(leaves)


def trust_profile(made: MadeLedger) -> Any:
    """What pins the chain of a made ledger."""
    from ledger_node.core.anchor import FinalityKind, FinalityPolicy
    from ledger_node.ports.chain import ChainProfile

    policy = FinalityPolicy(FinalityKind.IMMEDIATE, 0)
    return ChainProfile(CHAIN_ID, made.genesis, MEMBERSHIP, 0, policy)  # type: ignore[arg-type]


def write_trust(made: MadeLedger, path: Path) -> Path:
    """A trust file of a made ledger: what pins it, and Membership."""
    from ledger_node.core.consortium import Registration
    from ledger_node.core.event_types import ContractRole
    from ledger_node.core.trust import Trust, TrustedContract
    from ledger_node.core.trust_format import encode_trust

    registration: Any = Registration(MEMBERSHIP, 0)  # type: ignore[arg-type]
    contract = TrustedContract(ContractRole.MEMBERSHIP, registration, bytes(32))
    genesis: Any = made.genesis
    trust = Trust(DOMAIN, CHAIN_ID, genesis, (contract,), {}, None)
    path.write_bytes(encode_trust(trust))
    return path
