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
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from ledger_node.core.checkpoint import (
    Checkpoint,
    build_origin,
    encode_checkpoint,
    verify_checkpoint,
)
from ledger_node.core.cosignature import (
    CosignerKey,
    build_cosigned_message,
    build_cosigned_note,
    build_cosigner_name,
    encode_cosignature,
    split_signature_lines,
)
from ledger_node.core.errors import LedgerError, MalformedInputError, VerificationError
from ledger_node.core.event_types import KeyRole
from ledger_node.core.merkle import (
    EMPTY_ROOT,
    RootMismatchError,
    TreeHead,
    verify_consistency,
)
from ledger_node.core.mirror import TileContradictionError, verify_extends
from ledger_node.core.signed_note import VerifierKey
from ledger_node.core.tiles import MalformedTileError, build_consistency_proof
from ledger_node.core.types import PublicKey, TreeSize
from ledger_node.core.witness import (
    FindingKind,
    Observation,
    Trouble,
    compare_findings,
    judge_log,
    may_cosign,
)
from ledger_node.flows.chain_node import CHAIN_HALTS, demand_none_of
from ledger_node.flows.facts import ChainView, load_chain_view
from ledger_node.flows.halts import latch_halt
from ledger_node.flows.log_copy import build_reader, copy_log
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
MAX_NOTE_BYTES: Final = 64 * 1024


@dataclass
class _Round:
    """What one round over one log sees; built up while the city is asked.

    Attributes:
        newest: Newest head at a final block.
        row: The mirror before the round.
        mirrored: Largest head checked so far.
        cosigned_size: Of the largest head this city cosigned before the round.
        served: Newest head the city signed and served, with its note.
        troubles: What went wrong.
        evidence: Signed checkpoint that contradicts, where there is one.
        silent: Whether the city did not answer.
    """

    newest: NewestHead
    row: MirrorRow
    origin: str
    standing: frozenset[FindingKind]
    view: ChainView
    mirrored: TreeHead
    cosigned_size: int
    served: tuple[TreeHead, bytes] | None = None
    troubles: list[Trouble] = field(default_factory=list)
    evidence: bytes | None = None
    silent: bool = False

    def blame(self, kind: FindingKind, error: LedgerError) -> None:
        """Note what went wrong."""
        self.troubles.append(Trouble(kind, error.message_en))


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
    _look(node, seen)
    if seen.silent:
        return _close_round(node, seen, promise_s, ())
    _copy(node, seen)
    heads = _recompute(node, seen)
    return _close_round(node, seen, promise_s, heads)


def _open_round(node: Node, newest: NewestHead) -> _Round:
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
    return _Round(
        newest,
        row,
        build_origin(node.domain, newest.city, newest.generation),
        frozenset(each.kind for each in standing if each.generation == newest.generation),
        view,
        TreeHead(TreeSize(row.size), row.root),
        cosigned.get(node.city, 0),
    )


def _look(node: Node, seen: _Round) -> None:
    """Ask for the signed checkpoint and hold it against what is anchored and what was seen."""
    city, generation = seen.newest.city, seen.newest.generation
    prefix = f"/log/{generation}/"
    try:
        note = node.peers.fetch_log_file(city, prefix + "checkpoint", max_bytes=MAX_NOTE_BYTES)
        head = _verify_served(seen, note)
    except LogFileRefusedError as error:
        seen.blame(FindingKind.WITHHELD, error)
        return
    except PeerUnavailableError:
        seen.silent = True
        return
    except (VerificationError, MalformedInputError) as error:
        seen.blame(FindingKind.WITHHELD, error)
        return
    seen.served = (head, note)
    fetch = build_reader(node, city, prefix)
    for earlier in (seen.newest.tree_head, _last_seen(seen)):
        if 0 < earlier.size <= head.size:
            try:
                proof = build_consistency_proof(fetch, earlier.size, head.size)
                verify_consistency(earlier, head, proof)
            except RootMismatchError as error:
                seen.blame(FindingKind.FORKED, error)
                seen.evidence = note
            except (PeerUnavailableError, MalformedTileError) as error:
                seen.blame(FindingKind.WITHHELD, error)
        elif earlier.size > head.size:
            detail = f"serves {head.size} entries, signed or anchored {earlier.size}"
            seen.troubles.append(Trouble(FindingKind.SHRUNK, detail))
            seen.evidence = note


def _last_seen(seen: _Round) -> TreeHead:
    return TreeHead(TreeSize(seen.row.seen_size), seen.row.seen_root)


def _verify_served(seen: _Round, note: bytes) -> TreeHead:
    """Head of a checkpoint that a checkpoint key of the city signed, present or former."""
    member = seen.view.consortium.member(seen.newest.city)
    intervals = member.keys.get(KeyRole.CHECKPOINT, ())
    keys = [each.key for each in intervals if each.distrusted_since_block is None]
    problem: VerificationError | None = None
    for key in reversed(keys):
        try:
            verifier = VerifierKey(seen.origin, PublicKey(key))
            return verify_checkpoint(note, seen.origin, verifier).tree_head
        except VerificationError as error:
            problem = problem or error
    raise problem or NoCheckpointKeyError(
        "该城市没有有效的日志签名密钥。", "The city has no trusted checkpoint key."
    )


class NoCheckpointKeyError(VerificationError):
    """A member has no checkpoint key that counts."""

    code = "no_checkpoint_key"


def _copy(node: Node, seen: _Round) -> None:
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


def _recompute(node: Node, seen: _Round) -> tuple[TreeHead, ...]:
    """Every head anchored and not cosigned yet, recomputed; and the signed one seen before."""
    if seen.mirrored.size == seen.cosigned_size:
        return ()
    with node.database.read() as tx:
        heads = tx.mirrors.list_heads_between(
            seen.newest.city, seen.newest.generation, seen.cosigned_size, seen.mirrored.size
        )
    store, last = node.mirrors.open(seen.origin), _last_seen(seen)
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
    node: Node, seen: _Round, promise_s: int, heads: tuple[TreeHead, ...]
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


def _move_on(node: Node, seen: _Round) -> MirrorRow:
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
    node: Node, seen: _Round, heads: tuple[TreeHead, ...], against: frozenset[FindingKind]
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


def _build_note(node: Node, seen: _Round, cosigned: CosignatureRow) -> bytes:
    """The checkpoint a mirror serves: the log's own signature where it is to be had, and ours."""
    head = TreeHead(TreeSize(cosigned.size), cosigned.root)
    lines = split_signature_lines(cosigned.note)
    served = seen.served
    is_served = served is not None and served[0] == head
    origin_note = served[1] if served and is_served else _fetch_signed(node, seen, head)
    if origin_note is not None:
        own = [
            line
            for line in split_signature_lines(origin_note)
            if line.startswith(f"\u2014 {seen.origin} ")
        ]
        lines = own + lines
    return build_cosigned_note(Checkpoint(seen.origin, head), lines)


def _fetch_signed(node: Node, seen: _Round, head: TreeHead) -> bytes | None:
    """The log's own signed checkpoint of a head that is not its newest any more."""
    path = f"/log/{seen.newest.generation}/checkpoint/{head.size}"
    try:
        note = node.peers.fetch_log_file(seen.newest.city, path, max_bytes=MAX_NOTE_BYTES)
        return note if _verify_served(seen, note) == head else None
    except (PeerUnavailableError, VerificationError, MalformedInputError):
        return None


def _tell(
    node: Node, seen: _Round, begun: Iterable[FindingKind], ended: Iterable[FindingKind]
) -> None:
    log = structlog.get_logger().bind(
        city=node.city, peer=seen.newest.city, generation=seen.newest.generation
    )
    for kind in begun:
        log.warning("log_finding", kind=kind.value)
    for kind in ended:
        log.info("log_finding_ended", kind=kind.value)
