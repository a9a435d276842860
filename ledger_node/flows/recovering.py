"""This city's own log taken back from the other cities' mirrors after a restore.

Design section 6. Runs before anything is sequenced. A log that is behind its own anchored head
takes the missing entries from a mirror, checked against that head; every entry keeps the index it
had. Crash order: files durable -> rows, indexes and the recovery in one commit -> checkpoint
signed. Idempotent: a crash leaves files that are found again, or a head still to be signed.

Invariants:
    * Nothing is believed of a mirror but what the anchored head explains.
    * An index that was ever shown is not assigned again: where a mirror saw a signed checkpoint
      beyond what can be taken back, a halt is latched in the same commit.
Not here: comparing with the chain (anchoring.verify_log_head), which halts what is still behind.
"""

from __future__ import annotations

from typing import Final

import structlog

from ledger_node.core.checkpoint import verify_checkpoint
from ledger_node.core.cosignature import hash_origin
from ledger_node.core.entry import parse_entry
from ledger_node.core.errors import (
    LedgerError,
    MalformedInputError,
    UnavailableError,
    VerificationError,
)
from ledger_node.core.event_types import KeyRole
from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead
from ledger_node.core.mirror import (
    TileContradictionError,
    list_edge,
    read_entries,
    verify_extends,
)
from ledger_node.core.signed_note import VerifierKey
from ledger_node.core.tiles import ENTRIES, TILE_WIDTH, MalformedTileError, Tile
from ledger_node.core.types import CityId, RootHash, TreeSize
from ledger_node.flows.anchoring import fetch_held
from ledger_node.flows.chain_node import LOG_BEHIND_MIRRORS, NONCE_AHEAD
from ledger_node.flows.facts import load_chain_view
from ledger_node.flows.halts import LedgerHaltedError, latch_halt
from ledger_node.flows.log_copy import build_reader, copy_log
from ledger_node.flows.mirror_files import read_tile_at
from ledger_node.flows.node import Node
from ledger_node.flows.sequencing import publish_checkpoint
from ledger_node.flows.witnessing import fetch_cosigned
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_log import LogHead
from ledger_node.ports.database_mirrors import RecoveryRow
from ledger_node.ports.peers import PeerUnavailableError
from ledger_node.ports.tiles import TileConflictError

TILE_CONFLICT: Final = "tile_conflict"


class MirrorsSilentError(UnavailableError):
    """The log is behind its anchored head, and a city that may have the rest does not answer."""

    code = "mirrors_silent"

    def __init__(self) -> None:
        super().__init__(
            "本市日志落后于链上已锚定的记录，正在等待其他城市的镜像应答；期间不编号。",
            "The log is behind its anchored head and waits for another city's mirror to answer; "
            "nothing is numbered meanwhile.",
        )


def recover_log(node: Node) -> RecoveryRow | None:
    """Take back what the log lacks of its own anchored head; None when it lacks nothing.

    Effects: as in the module's crash order; logs `log_recovered`. Leaves a log that no mirror has
    whole as it is: `verify_log_head` halts it.

    Raises:
        LedgerHaltedError: A halt stands, or the own files contradict the anchored head.
        MirrorsSilentError: A member in good standing did not answer: it may have the rest, or
            have seen more.
        ChainUnavailableError, NoCityLogError, NotFollowedError: Nobody knows yet.
    """
    with node.database.read() as tx:
        _demand_no_other_halt(tx)
        before = tx.log.load_head()
        published = tx.log.load_latest_checkpoint(before.generation)
    held, _ = fetch_held(node)
    if held.generation != before.generation or held.tree_head.size < before.size:
        return None
    row, head = None, held.tree_head
    if head.size > before.size:
        source, seen_size = _find_source(node, before, head)
        if source is None:
            return None
        row = _adopt(node, before, head, source, seen_size)
    elif before.root != head.root:
        return None  # a contradiction: verify_log_head halts
    if published is not None and published.size < head.size:
        publish_checkpoint(node, head)
    return row


def _find_source(node: Node, before: LogHead, held: TreeHead) -> tuple[CityId | None, int]:
    """Whose mirror gave every file up to `held`, and the largest head anybody saw signed."""
    with node.database.read() as tx:
        view = load_chain_view(tx)
        members = sorted(view.consortium.members.keys() - {node.city})
    source: CityId | None = None
    seen_size, silent = 0, False
    for member in members:
        try:
            _, seen = fetch_cosigned(node, member)
            seen_size = max([seen_size, *(_size_of_own(node, note) for note in seen)])
            if source is None and _copy(node, member, before, held):
                source = member
        except PeerUnavailableError:
            silent = silent or member in view.good_standing
        except MalformedInputError as error:
            _tell_refused(node, member, error)
    if silent:
        raise MirrorsSilentError  # what it has, and what it saw signed, is not known
    return source, seen_size


def _copy(node: Node, member: CityId, before: LogHead, held: TreeHead) -> bool:
    """Files of the held head from one mirror; False when it has not all of them."""
    fetch = build_reader(node, member, f"/mirror/{hash_origin(node.origin)}/")
    old = TreeHead(TreeSize(before.size), RootHash(before.root))
    try:
        copy_log(fetch, node.tiles, EMPTY_TREE_HEAD, held)
        verify_extends(old, held, node.tiles.read)
        _put_edge(node, old, held)
    except TileConflictError as error:
        raise latch_halt(node, TILE_CONFLICT, error.message_en) from error
    except (TileContradictionError, MalformedTileError) as error:
        _tell_refused(node, member, error)
        return False
    return True


def _put_edge(node: Node, old: TreeHead, held: TreeHead) -> None:
    """The partial tiles with which the next checkpoint begins, cut from those of the held head."""
    tiles = list_edge(old.size)
    if old.size % TILE_WIDTH:
        tiles.append(Tile(ENTRIES, old.size // TILE_WIDTH, old.size % TILE_WIDTH))
    node.tiles.put_all({t.path(): read_tile_at(node.tiles, held.size, t) for t in tiles})


def _size_of_own(node: Node, note: bytes) -> int:
    """Size of a checkpoint that this city signed; 0 for anything else."""
    try:
        key = VerifierKey(node.origin, node.keys.public_key(KeyRole.CHECKPOINT))
        return verify_checkpoint(note, node.origin, key).tree_head.size
    except (VerificationError, MalformedInputError):
        return 0


def _adopt(
    node: Node, before: LogHead, held: TreeHead, source: CityId, seen_size: int
) -> RecoveryRow:
    """Rows and indexes of what came back, in one commit with a halt where more was shown."""
    entries = read_entries(node.tiles.read, before.size, held.size)
    leaves = [(int(e.kind), e.commitment) for e in map(parse_entry, entries)]
    now = node.clock.now()
    with node.database.transaction() as tx:
        _demand_no_other_halt(tx)
        ids, lost = tx.log.adopt_entries(leaves, now)
        tx.log.assign_indexes(before, ids, held.size, held.root)
        row = RecoveryRow(before.generation, before.size, held.size, source, lost, now)
        tx.mirrors.save_recovery(row)
        if seen_size > held.size:
            detail = f"a mirror saw {seen_size} signed entries, {held.size} could be taken back"
            tx.log.latch_halt(LOG_BEHIND_MIRRORS, detail, now)
    structlog.get_logger().warning(
        "log_recovered",
        city=node.city,
        peer=source,
        old_size=before.size,
        size=held.size,
        lost=lost,
    )
    return row


def _demand_no_other_halt(tx: Transaction) -> None:
    """Old nonces come with every restore and stop what is signed; rows may come back meanwhile."""
    for halt in tx.log.list_halts():
        if halt.reason != NONCE_AHEAD:
            raise LedgerHaltedError(halt.reason, halt.detail)


def _tell_refused(node: Node, member: CityId, error: LedgerError) -> None:
    structlog.get_logger().warning("mirror_refused", city=node.city, peer=member, code=error.code)
