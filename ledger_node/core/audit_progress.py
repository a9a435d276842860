"""How far an audit is: what a later run of the same audit need not do again.

Step 11. Spec: docs/spec/chain-copy.md, "Progress". The fold itself is not kept: it is done again
from the copied blocks, so nothing that a killed process left behind is taken for a state.

Invariants:
    * Only whole bundles count: a log's tree has a multiple of 256 entries, or its last size.
    * Progress of a log counts only while the heads it was compared with are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.chain_facts_format import encode_block, read_block
from ledger_node.core.merkle import CompactRange, TreeHead
from ledger_node.core.replay_log import LogReplay
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode, GenerationKey
from ledger_node.core.shapes import (
    read_bytes32,
    read_choice,
    read_city,
    read_hashes,
    read_version,
    refuse_shape,
)
from ledger_node.core.types import Digest, TreeSize

PROGRESS_VERSION = "tongban/audit-progress/v1"
MAX_PROGRESS_BYTES = 64 * 1024 * 1024
MAX_PEAKS = 64
_MEMBERS = ("v", "as_of", "sample", "logs", "storage_done", "storage_found")
_LOG = ("city", "generation", "size", "peaks", "explained", "heads", "discrepancies")


@dataclass(frozen=True, slots=True)
class LogProgress:
    """One log: where its replay stands, and the digest of the heads up to that size."""

    replay: LogReplay
    heads: Digest


@dataclass(frozen=True, slots=True)
class AuditProgress:
    """Progress of an audit.

    Attributes:
        as_of: Block the audit speaks of, fixed by its first run; None once it is done.
        sample: Of the storage; progress there counts for the same sample only.
        logs: By city and generation.
        storage_done: Grants and statuses read back.
        storage_found: What differed among them.
    """

    as_of: BlockFact | None = None
    sample: int | None = None
    logs: Mapping[GenerationKey, LogProgress] = field(default_factory=dict)
    storage_done: int = 0
    storage_found: tuple[Discrepancy, ...] = ()


def digest_heads(heads: Iterable[TreeHead], size: int) -> Digest:
    """SHA-256 over size (uint64) and root of every distinct head up to `size`, ascending."""
    hasher = hashlib.sha256()
    for number, root in sorted({(each.size, each.root) for each in heads if each.size <= size}):
        hasher.update(number.to_bytes(8, "big") + root)
    return Digest(hasher.digest())


def encode_progress(progress: AuditProgress) -> bytes:
    """Write progress as RFC 8785 bytes."""
    return encode_canonical(
        {
            "v": PROGRESS_VERSION,
            "as_of": None if progress.as_of is None else encode_block(progress.as_of),
            "sample": progress.sample,
            "logs": [_encode_log(key, log) for key, log in sorted(progress.logs.items())],
            "storage_done": progress.storage_done,
            "storage_found": encode_discrepancies(progress.storage_found),
        }
    )


def parse_progress(data: bytes) -> AuditProgress:
    """Read progress.

    Raises:
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError: Not
            what `encode_progress` wrote.
    """
    value = parse_canonical(data, what=PROGRESS_VERSION, max_bytes=MAX_PROGRESS_BYTES)
    read_version(value, PROGRESS_VERSION, what=PROGRESS_VERSION)
    members = require_members(value, _MEMBERS, what=PROGRESS_VERSION)
    as_of, sample = members["as_of"], members["sample"]
    return AuditProgress(
        None if as_of is None else read_block(as_of, what="as_of"),
        None if sample is None else require_int(sample, what="sample"),
        dict(_read_log(each) for each in require_list(members["logs"], what="logs")),
        require_int(members["storage_done"], what="storage_done"),
        read_discrepancies(members["storage_found"], what="storage_found"),
    )


def encode_discrepancies(found: Sequence[Discrepancy]) -> list[JsonValue]:
    """Discrepancies as plain JSON, in their order."""
    return [{"code": each.code.value, "where": each.where, "detail": each.detail} for each in found]


def read_discrepancies(value: JsonValue, *, what: str) -> tuple[Discrepancy, ...]:
    """Read discrepancies; an unknown code is refused."""
    found = []
    for item in require_list(value, what=what):
        members = require_members(item, ("code", "where", "detail"), what=what)
        found.append(
            Discrepancy(
                read_choice(members["code"], DiscrepancyCode, what="code"),
                require_text(members["where"], what="where"),
                require_text(members["detail"], what="detail"),
            )
        )
    return tuple(found)


def _encode_log(key: GenerationKey, log: LogProgress) -> JsonObject:
    return {
        "city": key[0],
        "generation": key[1],
        "size": log.replay.tree.size,
        "peaks": [each.hex() for each in log.replay.tree.peaks],
        "explained": log.replay.heads_explained,
        "heads": log.heads.hex(),
        "discrepancies": encode_discrepancies(log.replay.discrepancies),
    }


def _read_log(value: JsonValue) -> tuple[GenerationKey, LogProgress]:
    members = require_members(value, _LOG, what="log")
    size = require_int(members["size"], what="size")
    peaks = read_hashes(members["peaks"], what="peaks", maximum=MAX_PEAKS)
    if len(peaks) != size.bit_count():
        raise refuse_shape("peaks", "与大小不符", "do not fit the size")
    replay = LogReplay(
        CompactRange(TreeSize(size), peaks),
        require_int(members["explained"], what="explained"),
        read_discrepancies(members["discrepancies"], what="discrepancies"),
    )
    key = (
        read_city(members["city"], what="city"),
        require_int(members["generation"], what="generation"),
    )
    return key, LogProgress(replay, Digest(read_bytes32(members["heads"], what="heads")))
