"""Step 10, other cities' logs: every anchored head is recomputed from its files and cosigned.

Promises P2, P8, P9. Crash order: checked files durable (log_copy) -> cosignatures, findings and
progress in one commit. Spec: docs/spec/mirror.md.

Invariants:
    * A head is cosigned only after every file behind it was checked against it and is durable here.
    * What is wrong with a log becomes a row in the round that saw it; a fork stays until a person
      ends it, and meanwhile nothing of that log is cosigned.
    * Only registered addresses are asked, and every answer is bounded.
Not here: the rules (core/witness.py), others' cosignatures (witnessing.py), this city's own log
(recovering.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import structlog

from ledger_node.core.checkpoint import (
    Checkpoint,
    build_origin,
    encode_checkpoint,
)
from ledger_node.core.cosignature import (
    CosignerKey,
    build_cosigned_message,
    build_cosigned_note,
    build_cosigner_name,
    encode_cosignature,
    split_signature_lines,
)
from ledger_node.core.event_types import KeyRole
from ledger_node.core.merkle import (
    EMPTY_ROOT,
    TreeHead,
)
from ledger_node.core.mirror import TileContradictionError, verify_extends
from ledger_node.core.tiles import MalformedTileError
from ledger_node.core.types import TreeSize
from ledger_node.core.witness import (
    FindingKind,
    Observation,
    compare_findings,
    judge_log,
    may_cosign,
)
from ledger_node.flows.chain_node import CHAIN_HALTS, demand_none_of
from ledger_node.flows.facts import load_chain_view
from ledger_node.flows.halts import latch_halt
from ledger_node.flows.log_copy import build_reader, copy_log
from ledger_node.flows.mirror_look import Round, fetch_signed, last_seen, look
from ledger_node.flows.node import Node
from ledger_node.ports.database_mirrors import (
    CosignatureRow,
    FindingRow,
    MirrorRow,
    NewestHead,
)
from ledger_node.ports.peers import LogFileRefusedError, PeerUnavailableError
from ledger_node.ports.tiles import TileConflictError

MIRROR_DAMAGED: Final = "mirror_damaged"


def list_logs(node: Node) -> list[NewestHead]:
    """Newest anchored head of every log but this city's own; the whole question of an idle turn.

    Raises:
        LedgerHaltedError: The chain that was followed is in doubt.
    """
    with node.database.read() as tx:
        demand_none_of(tx, CHAIN_HALTS)
        return [head for head in tx.mirrors.list_newest_heads() if head.city != node.city]


def mirror_log(node: Node, newest: NewestHead, promise_s: int) -> frozenset[FindingKind]:
    """One round over one log; returns what stands against it afterwards.

    Effects: as in the module's crash order. Idempotent; a second process may run it at once.

    Args:
        promise_s: Longest time from a signed head to its anchor.

    Raises:
        LedgerHaltedError: The chain is in doubt, or this city's own copy was damaged.
        NotFollowedError: Nothing was followed yet.
        UnavailableError: This node's own disk or database.
    """
    seen = _open_round(node, newest)
    look(node, seen)
    if seen.silent:
        return _close_round(node, seen, promise_s, ())
    _copy(node, seen)
    heads = _recompute(node, seen)
    return _close_round(node, seen, promise_s, heads)


def _open_round(node: Node, newest: NewestHead) -> Round:
    with node.database.read() as tx:
        demand_none_of(tx, CHAIN_HALTS)
        row = tx.mirrors.load_mirror(newest.city, newest.generation)
        standing = tx.mirrors.list_findings(newest.city)
        cosigned = tx.mirrors.list_largest_cosigned(newest.city, newest.generation)
        view = load_chain_view(tx)
    if row is None:
        row = MirrorRow(
            newest.city, newest.generation, 0, EMPTY_ROOT, None, 0, EMPTY_ROOT, None, 0,
            node.clock.now(), None,
        )  # fmt: skip
    return Round(
        newest,
        row,
        build_origin(node.domain, newest.city, newest.generation),
        frozenset(each.kind for each in standing if each.generation == newest.generation),
        view,
        TreeHead(TreeSize(row.size), row.root),
        cosigned.get(node.city, 0),
    )


def _copy(node: Node, seen: Round) -> None:
    """Bring the mirror to the newest anchored head."""
    head = seen.newest.tree_head
    if head.size <= seen.mirrored.size:
        return
    city, generation = seen.newest.city, seen.newest.generation
    fetch = build_reader(node, city, f"/log/{generation}/")
    try:
        copy_log(fetch, node.mirrors.open(seen.origin), seen.mirrored, head)
    except TileContradictionError as error:
        seen.blame(FindingKind.FORKED, error)
    except (LogFileRefusedError, MalformedTileError) as error:
        seen.blame(FindingKind.WITHHELD, error)
    except PeerUnavailableError:
        seen.silent = True
    except TileConflictError as error:
        raise latch_halt(node, MIRROR_DAMAGED, f"{seen.origin}: {error.message_en}") from error
    else:
        seen.mirrored = head


def _recompute(node: Node, seen: Round) -> tuple[TreeHead, ...]:
    """Every head anchored and not cosigned yet, recomputed; and the signed one seen before."""
    if seen.mirrored.size == seen.cosigned_size:
        return ()
    with node.database.read() as tx:
        heads = tx.mirrors.list_heads_between(
            seen.newest.city, seen.newest.generation, seen.cosigned_size, seen.mirrored.size
        )
    store, last = node.mirrors.open(seen.origin), last_seen(seen)
    explained = []
    for head in heads:
        try:
            verify_extends(head, seen.mirrored, store.read)
        except TileContradictionError as error:
            seen.blame(FindingKind.FORKED, error)
        else:
            explained.append(head)
    if 0 < last.size <= seen.mirrored.size:
        try:
            verify_extends(last, seen.mirrored, store.read)
        except TileContradictionError as error:
            seen.blame(FindingKind.FORKED, error)
            seen.evidence = seen.row.seen_note
    return tuple(explained)


def _close_round(
    node: Node, seen: Round, promise_s: int, heads: tuple[TreeHead, ...]
) -> frozenset[FindingKind]:
    """Judge, cosign, and store all of it in one commit."""
    now = node.clock.now()
    row = _move_on(node, seen)
    found = judge_log(
        Observation(
            anchored=seen.newest.tree_head,
            mirrored=seen.mirrored,
            served=None if seen.served is None else seen.served[0],
            seen=None
            if row.seen_size == 0
            else (TreeHead(TreeSize(row.seen_size), row.seen_root), row.seen_at_s),
            troubles=tuple(seen.troubles),
            silent_since_s=None if row.silent_since is None else int(row.silent_since.timestamp()),
            now_s=int(now.timestamp()),
            chain_now_s=seen.view.tip.block_timestamp_s,
            promise_s=promise_s,
        )
    )
    changes = compare_findings(seen.standing, found)
    against = (seen.standing - changes.ended) | found.keys()
    signed = _cosign(node, seen, heads, against)
    if signed:
        row = replace(row, note=_build_note(node, seen, signed[-1]))
    city, generation = seen.newest.city, seen.newest.generation
    with node.database.transaction() as tx:
        tx.mirrors.save_mirror(row)
        for each in signed:
            tx.mirrors.save_cosignature(each)
        for kind, detail in changes.begun.items():
            evidence = row.seen_note if kind is FindingKind.LATE else seen.evidence
            tx.mirrors.save_finding(
                FindingRow(0, city, generation, kind, detail, evidence, now, None, None)
            )
        if changes.ended:
            tx.mirrors.end_findings(city, generation, changes.ended, "log", now)
    _tell(node, seen, changes.begun.keys(), changes.ended)
    return frozenset(against)


def _move_on(node: Node, seen: Round) -> MirrorRow:
    """The mirror's row after the round, its note still the old one."""
    now = node.clock.now()
    row = replace(
        seen.row,
        size=seen.mirrored.size,
        root=seen.mirrored.root,
        looked_at=now,
        silent_since=(seen.row.silent_since or now) if seen.silent else None,
    )
    if seen.served is not None and seen.served[0].size > row.seen_size:
        head, note = seen.served
        row = replace(
            row,
            seen_size=head.size,
            seen_root=head.root,
            seen_note=note,
            seen_at_s=seen.view.tip.block_timestamp_s,
        )
    return row


def _cosign(
    node: Node, seen: Round, heads: tuple[TreeHead, ...], against: frozenset[FindingKind]
) -> list[CosignatureRow]:
    """Cosignatures of the heads that were recomputed, smallest first."""
    largest, key = seen.cosigned_size, build_cosigner_key(node)
    rows = []
    for head in heads:
        if not may_cosign(head, largest, against):
            continue
        largest = head.size
        checkpoint = Checkpoint(seen.origin, head)
        at_s = int(node.clock.now().timestamp())
        message = build_cosigned_message(encode_checkpoint(checkpoint), at_s)
        line = encode_cosignature(key, at_s, node.keys.sign(KeyRole.COSIGNER, message))
        note = build_cosigned_note(checkpoint, [line])
        rows.append(
            CosignatureRow(
                seen.newest.city,
                seen.newest.generation,
                head.size,
                node.city,
                head.root,
                at_s,
                note,
            )
        )
    return rows


def build_cosigner_key(node: Node) -> CosignerKey:
    """This city's cosigner key."""
    name = build_cosigner_name(node.domain, node.city)
    return CosignerKey(name, node.keys.public_key(KeyRole.COSIGNER))


def _build_note(node: Node, seen: Round, cosigned: CosignatureRow) -> bytes:
    """The checkpoint a mirror serves: the log's own signature where it is to be had, and ours."""
    head = TreeHead(TreeSize(cosigned.size), cosigned.root)
    lines = split_signature_lines(cosigned.note)
    served = seen.served
    is_served = served is not None and served[0] == head
    origin_note = served[1] if served and is_served else fetch_signed(node, seen, head)
    if origin_note is not None:
        own = [
            line
            for line in split_signature_lines(origin_note)
            if line.startswith(f"\u2014 {seen.origin} ")
        ]
        lines = own + lines
    return build_cosigned_note(Checkpoint(seen.origin, head), lines)


def _tell(
    node: Node, seen: Round, begun: Iterable[FindingKind], ended: Iterable[FindingKind]
) -> None:
    log = structlog.get_logger().bind(
        city=node.city, peer=seen.newest.city, generation=seen.newest.generation
    )
    for kind in begun:
        log.warning("log_finding", kind=kind.value)
    for kind in ended:
        log.info("log_finding_ended", kind=kind.value)
