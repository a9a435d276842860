"""Step 10, who witnessed a head: other members' cosignatures, collected and checked.

A member shows its cosigned checkpoints of all logs in one list; whoever wants to say "witnessed by
n of m" fetches the lists. A cosignature counts when the member's cosigner key signed a head that
`CityLog` held at a final block. Spec: docs/spec/mirror.md.

Not here: making this city's own (mirroring.py), the rule (core/witness.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import structlog

from ledger_node.core.canonical import (
    JsonObject,
    encode_canonical,
    parse_canonical,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.checkpoint import parse_checkpoint, parse_origin
from ledger_node.core.cosignature import (
    CosignatureError,
    CosignerKey,
    build_cosigner_name,
    verify_cosignature,
)
from ledger_node.core.errors import MalformedInputError, NotFoundError, VerificationError
from ledger_node.core.event_types import KeyRole
from ledger_node.core.signed_note import parse_note
from ledger_node.core.types import CityId
from ledger_node.core.witness import Witnessed, count_witnesses
from ledger_node.flows.facts import ChainView, load_chain_view
from ledger_node.flows.node import Node
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_mirrors import CosignatureRow, FindingRow, NewestHead

COSIGNED_PATH: Final = "/mirror/checkpoints"
MAX_LIST_BYTES: Final = 1024 * 1024
_MAX_NOTES: Final = 1024
_WHAT = "cosigned checkpoints"


def encode_cosigned(node: Node) -> bytes:
    """This city's newest cosigned checkpoint of every log, and the newest signed one it saw."""
    with node.database.read() as tx:
        mirrors = tx.mirrors.list_mirrors()
    return encode_canonical(
        {
            "version": 1,
            "checkpoints": [row.note.decode() for row in mirrors if row.note is not None],
            "seen": [row.seen_note.decode() for row in mirrors if row.seen_note is not None],
        }
    )


def parse_cosigned(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """(cosigned checkpoints, checkpoints seen) of a member's list, nothing of it believed.

    Raises:
        NotCanonicalError, UnexpectedShapeError: Not such a list.
    """
    value = parse_canonical(data, what=_WHAT, max_bytes=MAX_LIST_BYTES)
    members = require_members(value, ("version", "checkpoints", "seen"), what=_WHAT)
    require_int(members["version"], what=_WHAT, minimum=1, maximum=1)
    lists = [require_list(members[name], what=_WHAT) for name in ("checkpoints", "seen")]
    cosigned, seen = [[require_text(n, what=_WHAT).encode() for n in each] for each in lists]
    return cosigned[:_MAX_NOTES], seen[:_MAX_NOTES]


def fetch_cosigned(node: Node, witness: CityId) -> tuple[list[bytes], list[bytes]]:
    """Ask a member for its list.

    Raises:
        PeerUnavailableError, MalformedInputError: It gave none.
    """
    return parse_cosigned(
        node.peers.fetch_log_file(witness, COSIGNED_PATH, max_bytes=MAX_LIST_BYTES)
    )


def list_incomplete(node: Node) -> frozenset[CityId]:
    """Members whose cosignature of some newest anchored head is not here; one database read."""
    with node.database.read() as tx:
        view, newest = load_chain_view(tx), tx.mirrors.list_newest_heads()
        latest = _latest_generations(newest)
        missing = set[CityId]()
        for head in latest:
            cosigned = tx.mirrors.list_largest_cosigned(head.city, head.generation)
            size = head.tree_head.size
            missing |= {
                witness
                for witness in view.good_standing - {head.city, node.city}
                if cosigned.get(witness, 0) < size
            }
    return frozenset(missing)


def collect_cosignatures(node: Node, witness: CityId) -> int:
    """Fetch a member's list and keep what holds; returns how many cosignatures are new.

    Effects: rows, in one commit. Idempotent. What does not hold is logged and left out.

    Raises:
        PeerUnavailableError, MalformedInputError: It gave no list.
    """
    notes, _ = fetch_cosigned(node, witness)
    with node.database.read() as tx:
        view = load_chain_view(tx)
        rows = list(_check_all(node, tx, view, witness, notes))
    if not rows:
        return 0
    with node.database.transaction() as tx:
        return sum(tx.mirrors.save_cosignature(row) for row in rows)


def _check_all(
    node: Node, tx: Transaction, view: ChainView, witness: CityId, notes: list[bytes]
) -> Iterator[CosignatureRow]:
    for note in notes:
        try:
            yield _check(node, tx, view, witness, note)
        except (VerificationError, MalformedInputError, NotFoundError) as error:
            structlog.get_logger().warning(
                "cosignature_refused", city=node.city, peer=witness, code=error.code
            )


class CosignedHeadUnknownError(VerificationError):
    """A member cosigned a head that the followed chain does not hold at a final block."""

    code = "cosigned_head_unknown"


def _check(
    node: Node, tx: Transaction, view: ChainView, witness: CityId, note: bytes
) -> CosignatureRow:
    key = view.current_key(witness, KeyRole.COSIGNER)
    origin = parse_checkpoint(parse_note(note).text).origin
    log = parse_origin(origin)
    name = build_cosigner_name(node.domain, witness)
    if key is None:
        raise CosignatureError(
            "该城市没有有效的见证密钥。", "The city has no trusted cosigner key.", key_name=name
        )
    found = verify_cosignature(note, origin, CosignerKey(name, key))
    head = found.checkpoint.tree_head
    anchored = tx.chain.find_anchored_head(log.city, log.generation, head)
    if log.domain != node.domain or log.city == witness or anchored is None:
        raise CosignedHeadUnknownError(
            "见证的树头不在链上。", f"the chain holds no head {head.size} of {origin}."
        )
    return CosignatureRow(
        log.city, log.generation, head.size, witness, head.root, found.cosigned_at_s, note
    )


def _latest_generations(newest: list[NewestHead]) -> list[NewestHead]:
    return list({head.city: head for head in newest}.values())  # ordered by generation


@dataclass(frozen=True, slots=True)
class LogStanding:
    """What this node knows of one log.

    Attributes:
        head: Newest anchored head.
        mirrored_size: How far it is mirrored here; None for this city's own log.
        witnessed: By whom the head was cosigned.
        findings: What stands against it.
    """

    head: NewestHead
    mirrored_size: int | None
    witnessed: Witnessed
    findings: tuple[FindingRow, ...]


def load_standings(node: Node) -> list[LogStanding]:
    """Every city's newest log with its witnesses and what stands against it.

    Raises:
        NotFollowedError: Nothing was followed yet.
    """
    with node.database.read() as tx:
        view, found = load_chain_view(tx), tx.mirrors.list_findings()
        return [
            _load_standing(node, tx, view, head, found)
            for head in _latest_generations(tx.mirrors.list_newest_heads())
        ]


def _load_standing(
    node: Node, tx: Transaction, view: ChainView, head: NewestHead, found: list[FindingRow]
) -> LogStanding:
    mirror = tx.mirrors.load_mirror(head.city, head.generation)
    own = head.city == node.city
    return LogStanding(
        head,
        None if own else (0 if mirror is None else mirror.size),
        load_witnessed(tx, view, head.city, head.generation, head.tree_head.size),
        tuple(each for each in found if each.city == head.city),
    )


def load_witnessed(
    tx: Transaction, view: ChainView, city: CityId, generation: int, size: int
) -> Witnessed:
    """By whom a head was cosigned, as far as known here."""
    cosigned = tx.mirrors.list_largest_cosigned(city, generation)
    return count_witnesses(size, cosigned, city, view.good_standing)


def encode_standing(standing: LogStanding) -> JsonObject:
    """As plain JSON, for machines."""
    count, of = standing.witnessed.count
    return {
        "city": standing.head.city,
        "generation": standing.head.generation,
        "anchored_size": standing.head.tree_head.size,
        "mirrored_size": standing.mirrored_size,
        "witnessed": count,
        "witnesses": of,
        "witnessed_by": sorted(standing.witnessed.by),
        "findings": [
            {
                "kind": each.kind.value,
                "detail": each.detail,
                "found_at": int(each.found_at.timestamp()),
            }
            for each in standing.findings
        ],
    }
