"""What one city says of its own log: its signed checkpoint, held against everything known before.

Step 10. The city's checkpoint must continue the newest anchored head and the largest head it ever
served. What does not is noted in the round that looked; mirroring.py makes findings of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ledger_node.core.checkpoint import verify_checkpoint
from ledger_node.core.errors import LedgerError, MalformedInputError, VerificationError
from ledger_node.core.event_types import KeyRole
from ledger_node.core.merkle import RootMismatchError, TreeHead, verify_consistency
from ledger_node.core.signed_note import VerifierKey
from ledger_node.core.tiles import MalformedTileError, ReadTile, build_consistency_proof
from ledger_node.core.types import PublicKey, TreeSize
from ledger_node.core.witness import FindingKind, Trouble
from ledger_node.flows.facts import ChainView
from ledger_node.flows.log_copy import build_reader
from ledger_node.flows.node import Node
from ledger_node.ports.database_mirrors import MirrorRow, NewestHead
from ledger_node.ports.peers import LogFileRefusedError, PeerUnavailableError

MAX_NOTE_BYTES: Final = 64 * 1024


class NoCheckpointKeyError(VerificationError):
    """A member has no checkpoint key that counts."""

    code = "no_checkpoint_key"


@dataclass
class Round:
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


def look(node: Node, seen: Round) -> None:
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
    for earlier in (seen.newest.tree_head, last_seen(seen)):
        if earlier.size:
            _hold_against(seen, fetch, earlier, head, note)


def _hold_against(
    seen: Round, fetch: ReadTile, earlier: TreeHead, head: TreeHead, note: bytes
) -> None:
    """Check that a served head continues an earlier one."""
    if earlier.size > head.size:
        detail = f"serves {head.size} entries, signed or anchored {earlier.size}"
        seen.troubles.append(Trouble(FindingKind.SHRUNK, detail))
        seen.evidence = note
        return
    try:
        proof = build_consistency_proof(fetch, earlier.size, head.size)
        verify_consistency(earlier, head, proof)
    except RootMismatchError as error:
        seen.blame(FindingKind.FORKED, error)
        seen.evidence = note
    except (LogFileRefusedError, MalformedTileError) as error:
        seen.blame(FindingKind.WITHHELD, error)
    except PeerUnavailableError:
        seen.silent = True


def last_seen(seen: Round) -> TreeHead:
    """Largest head the city ever signed and served; size 0 before the first."""
    return TreeHead(TreeSize(seen.row.seen_size), seen.row.seen_root)


def _verify_served(seen: Round, note: bytes) -> TreeHead:
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


def fetch_signed(node: Node, seen: Round, head: TreeHead) -> bytes | None:
    """The log's own signed checkpoint of a head that is not its newest any more."""
    path = f"/log/{seen.newest.generation}/checkpoint/{head.size}"
    try:
        note = node.peers.fetch_log_file(seen.newest.city, path, max_bytes=MAX_NOTE_BYTES)
        return note if _verify_served(seen, note) == head else None
    except (PeerUnavailableError, VerificationError, MalformedInputError):
        return None
