"""Step 3: committed entries get their leaf index, tiles are written, a checkpoint is signed.

Crash order (design section 6): compare-and-swap on the head row assigns indexes -> tiles put if
absent -> checkpoint signed after both. One round first finishes what an earlier one (of whichever
process) left, then assigns the next batch and publishes it; start-up runs the same code.

Invariants:
    * An index is never assigned twice: the head row is the fence, whoever runs this.
    * What is published is built from the sequenced rows and must lead to the head's root.
    * A contradiction (another tile in place, tiles or rows that lead to another root) latches a
      halt; only a person clears it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger_node.core.checkpoint import Checkpoint, encode_checkpoint
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.entry_bundle import build_entry_bundles, parse_entry_bundle
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.merkle import EMPTY_ROOT, RootMismatchError, TreeHead, hash_leaves
from ledger_node.core.signed_note import build_note
from ledger_node.core.tiles import (
    ENTRIES,
    TILE_WIDTH,
    MalformedTileError,
    build_inclusion_proof,
    compute_root_from_tiles,
    extend_tiles,
    tile_path,
)
from ledger_node.core.types import Commitment, LeafIndex, NodeHash, RootHash, TreeSize
from ledger_node.flows.halts import demand_no_halt, latch_halt
from ledger_node.flows.node import Node
from ledger_node.ports.database import StaleHeadError
from ledger_node.ports.database_intake import EntryRow
from ledger_node.ports.database_log import LogHead, PublishedCheckpoint
from ledger_node.ports.keys import KeyRole
from ledger_node.ports.tiles import TileConflictError, TileNotFoundError

MAX_BATCH: Final = 65_536


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: the published head, and how many entries it gave an index."""

    head: TreeHead
    assigned: int


def open_log(node: Node) -> TreeHead:
    """Make sure the log of the node's generation exists and its head is published.

    Effects: head row of size 0; checkpoint of the empty log. Idempotent.
    """
    with node.database.transaction() as tx:
        tx.log.open_generation(node.generation, EMPTY_ROOT, node.clock.now())
    return _publish_head(node)


def resume_sequencing(node: Node) -> TreeHead:
    """Take over writing and bring everything committed into the published log.

    Runs at start and whenever a process becomes the writer; rounds that another process has under
    way will not commit any more. Idempotent.

    Raises:
        LedgerHaltedError: A halt stands or was latched.
    """
    with node.database.transaction() as tx:
        demand_no_halt(tx)
        tx.log.open_generation(node.generation, EMPTY_ROOT, node.clock.now())
        tx.log.take_writer_term(node.generation)
    while True:
        try:
            done = run_sequencing_round(node)
        except StaleHeadError:
            continue  # another process moved the head: what it did counts
        if done.assigned == 0:
            return done.head


def run_sequencing_round(node: Node, max_batch: int = MAX_BATCH) -> Round:
    """One turn of the loop: publish what is assigned, assign what waits, publish that.

    Effects:
        1. Tiles and checkpoint of an earlier, interrupted round.
        2. Head row and indexes of at most `max_batch` entries, in one commit.
        3. Their tiles and entry bundles, durable; 4. the checkpoint file; 5. its row.
        A crash after any of them is finished by the next round.
    Idempotent: yes; with nothing waiting it changes nothing.

    Raises:
        LedgerHaltedError: A halt stands or was latched.
        StaleHeadError: Another writer was first; run another round.
    """
    head = _publish_head(node)
    assigned = _assign(node, head, max_batch)
    return Round(_publish_head(node) if assigned else head, assigned)


def build_proof(node: Node, leaf_index: LeafIndex, tree_size: TreeSize) -> tuple[NodeHash, ...]:
    """Inclusion proof of a leaf in the tree of `tree_size`, from the tiles.

    Raises:
        LeafOutOfRangeError: The leaf is not in that tree.
        TileNotFoundError: That size was never published.
    """
    return build_inclusion_proof(node.tiles.read, leaf_index, tree_size)


def _assign(node: Node, published: TreeHead, max_batch: int) -> int:
    """Give indexes to what waits; returns how many."""
    with node.database.read() as tx:
        demand_no_halt(tx)
        before = _load_head(tx.log.load_head(), node)
        pending = tx.log.list_pending(max_batch)
    if not pending:
        return 0
    if before.size != published.size or before.root != published.root:
        raise StaleHeadError(before.generation, published.size)
    _, after = _extend(node, published, pending)
    with node.database.transaction() as tx:
        demand_no_halt(tx)
        tx.log.assign_indexes(before, [row.entry_id for row in pending], after.size, after.root)
    return len(pending)


def _publish_head(node: Node) -> TreeHead:
    """Write tiles and checkpoint up to the sequenced head, from the rows; returns that head."""
    with node.database.read() as tx:
        demand_no_halt(tx)
        head = _load_head(tx.log.load_head(), node)
        latest = tx.log.load_latest_checkpoint(node.generation)
        size = 0 if latest is None else latest.size
        rows = tx.log.list_leaves(node.generation, size, head.size)
    target = TreeHead(TreeSize(head.size), head.root)
    published = TreeHead(TreeSize(size), EMPTY_ROOT if latest is None else latest.root)
    if latest is not None and published == target:
        return target
    if len(rows) != head.size - size:
        raise latch_halt(node, "leaves_missing", f"{len(rows)} of {head.size - size} rows")
    files, reached = _extend(node, published, rows)
    if reached != target:
        raise latch_halt(
            node, "rows_contradict_head", f"size {head.size}, root {reached.root.hex()}"
        )
    try:
        node.tiles.put_all(files)
    except TileConflictError as error:
        raise latch_halt(node, "tile_conflict", error.message_en) from error
    publish_checkpoint(node, target)
    return target


def _extend(
    node: Node, published: TreeHead, rows: Sequence[EntryRow]
) -> tuple[dict[str, bytes], TreeHead]:
    """Files and head of the tree after appending rows to what is published and on disk."""
    entries = [encode_entry(EntryKind(row.kind), row.commitment) for row in rows]
    try:
        root = compute_root_from_tiles(node.tiles.read, published.size)
        if root != published.root:
            raise RootMismatchError(published.size, published.root, root)
        _demand_bundle(node, published.size)
        tiles, head = extend_tiles(published.size, hash_leaves(entries), node.tiles.read)
        bundles = dict(build_entry_bundles(published.size, entries, node.tiles.read))
    except (RootMismatchError, MalformedInputError, TileNotFoundError) as error:
        raise latch_halt(node, "tile_damaged", error.message_en) from error
    return {**tiles, **bundles}, head


def _demand_bundle(node: Node, size: int) -> None:
    """The partial entry bundle that the next one begins with belongs to the tile beside it."""
    index, width = divmod(size, TILE_WIDTH)
    if width == 0:
        return
    path = tile_path(ENTRIES, index, width)
    entries = parse_entry_bundle(node.tiles.read(path), width)
    leaf_hashes = node.tiles.read(tile_path(0, index, width))
    if hash_leaves(entries) != leaf_hashes:
        raise MalformedTileError("日志条目分块与其哈希不符。", f"{path} does not fit its tile.")


def publish_checkpoint(node: Node, head: TreeHead) -> None:
    """Sign and publish a head whose files are durable, unless a larger one was published meanwhile.

    The transaction holds the head row, so that the checkpoint file never goes back.
    """
    note = sign_checkpoint(node, head)
    with node.database.transaction() as tx:
        tx.log.lock_head(node.generation)
        latest = tx.log.load_latest_checkpoint(node.generation)
        if latest is not None and latest.size >= head.size:
            return
        node.tiles.replace_checkpoint(note)
        tx.log.save_checkpoint(
            PublishedCheckpoint(node.generation, head.size, head.root, note, node.clock.now())
        )


def sign_checkpoint(node: Node, head: TreeHead) -> bytes:
    """The C2SP checkpoint of a head, signed by the city's checkpoint key (Ed25519: always the
    same bytes for the same head)."""
    text = encode_checkpoint(Checkpoint(node.origin, head))
    signature = node.keys.sign(KeyRole.CHECKPOINT, text.encode())
    return build_note(text, node.origin, node.keys.public_key(KeyRole.CHECKPOINT), signature)


def load_leaf(node: Node, commitment: Commitment) -> EntryRow | None:
    """The sequenced entry of a commitment; None while it waits."""
    with node.database.read() as tx:
        return tx.log.find_leaf(commitment)


def _load_head(head: LogHead, node: Node) -> LogHead:
    if head.generation != node.generation:
        raise latch_halt(node, "generation_closed", f"the database is at {head.generation}")
    return LogHead(head.generation, head.size, RootHash(head.root), head.writer_term)
