"""Where an entry stands: an inclusion proof that ends in an anchored head, as messages carry it.

Used by steps 7 to 9: credentials in evidence, materials in answers and receipts. Spec: design
section 4, docs/spec/evidence.md, section "Placement".

Invariants:
    * Anchored means: the proof ends in exactly a (size, root) that `CityLog` holds or held in a
      final block. A signed checkpoint is not enough and is not looked at.
Not here: where the heads come from (the node's follower, or the facts of a receipt).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ledger_node.core.canonical import JsonObject, JsonValue, require_int
from ledger_node.core.checkpoint import MAX_GENERATION
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.errors import VerificationError
from ledger_node.core.merkle import TreeHead, hash_leaf, verify_inclusion
from ledger_node.core.shapes import read_bytes32, read_hashes
from ledger_node.core.types import CityId, Commitment, LeafHash, LeafIndex, RootHash, TreeSize

PLACEMENT_MEMBERS = ("generation", "leaf_index", "tree_size", "root", "proof")
MAX_PROOF_HASHES = 64


class NotAnchoredError(VerificationError):
    """The head a proof ends in was never anchored by that city.

    Fields: city, generation, tree_size.
    """

    code = "not_anchored"


@dataclass(frozen=True, slots=True)
class Placement:
    """Position of an entry in one generation of a city's log.

    Attributes:
        generation: Of the log, from 0.
        leaf_index: 0-based.
        tree_head: Anchored head the proof ends in.
        proof: Inclusion proof, 32 bytes each, leaf level first.
    """

    generation: int
    leaf_index: LeafIndex
    tree_head: TreeHead
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What the verifier knows from the chain.

    Attributes:
        domain: Of the consortium; first part of every origin.
        anchored_at_s: Block time at which a city anchored exactly this head of a generation in a
            final block, or None if it never did.
        withdrawn_at_s: Block time at which the issuer withdrew a leaf, or None.
    """

    domain: str
    anchored_at_s: Callable[[CityId, int, TreeHead], int | None]
    withdrawn_at_s: Callable[[CityId, LeafHash], int | None]


def encode_placement(placement: Placement) -> JsonObject:
    """Members of a placement, to be merged into the object it belongs to."""
    return {
        "generation": placement.generation,
        "leaf_index": placement.leaf_index,
        "tree_size": placement.tree_head.size,
        "root": placement.tree_head.root.hex(),
        "proof": [each.hex() for each in placement.proof],
    }


def read_placement(members: Mapping[str, JsonValue], *, what: str) -> Placement:
    """Read a placement from an object that was checked to have `PLACEMENT_MEMBERS`.

    Raises:
        UnexpectedShapeError, MalformedEncodingError: A member is not well formed.
    """
    size = require_int(members["tree_size"], what=f"{what} tree_size", minimum=1)
    return Placement(
        require_int(members["generation"], what=f"{what} generation", maximum=MAX_GENERATION),
        LeafIndex(require_int(members["leaf_index"], what=f"{what} leaf_index", maximum=size - 1)),
        TreeHead(TreeSize(size), RootHash(read_bytes32(members["root"], what=f"{what} root"))),
        read_hashes(members["proof"], what=f"{what} proof", maximum=MAX_PROOF_HASHES),
    )


def verify_placement(
    city: CityId, kind: EntryKind, commitment: Commitment, placement: Placement, facts: LogFacts
) -> int:
    """Check that an entry is under an anchored head.

    Returns:
        Block time of the anchor, seconds.

    Raises:
        MalformedProofError, RootMismatchError: The proof does not lead to the head.
        NotAnchoredError: That head was not anchored.
    """
    leaf_hash = hash_leaf(encode_entry(kind, commitment))
    verify_inclusion(leaf_hash, placement.leaf_index, placement.proof, placement.tree_head)
    anchored_at_s = facts.anchored_at_s(city, placement.generation, placement.tree_head)
    if anchored_at_s is None:
        raise NotAnchoredError(
            f"{city} 没有在链上锚定过这个日志头（大小 {placement.tree_head.size}）。",
            f"{city} has not anchored this head of size {placement.tree_head.size}.",
            city=city,
            generation=placement.generation,
            tree_size=placement.tree_head.size,
        )
    return anchored_at_s
