"""Step 9: a material of this city's log as a C2SP tlog-proof, for any client of such logs.

Spec: docs/spec/receipt-v1.md, "Export". That the head was anchored is in the receipt, not in it.
"""

from __future__ import annotations

from ledger_node.core.checkpoint import Checkpoint, build_origin
from ledger_node.core.cosignature import build_cosigned_note, split_signature_lines
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.merkle import hash_leaf, verify_inclusion
from ledger_node.core.tlog_proof import TlogProof, encode_tlog_proof
from ledger_node.core.types import MaterialId
from ledger_node.flows.facts import NotYetAnchoredError, build_placement
from ledger_node.flows.materials import load_material
from ledger_node.flows.node import Node


def build_tlog_proof(node: Node, material_id: MaterialId) -> bytes:
    """Entry, inclusion proof, and the checkpoint of the anchored head with all its cosignatures.

    Raises:
        MaterialNotFoundError: No such material.
        KeyMissingError: It was erased.
        NotYetAnchoredError: No final anchor covers it, or the head's checkpoint is not kept here.
        RootMismatchError: The tiles do not lead to the anchored head; nothing is handed out.
    """
    commitment = load_material(node, material_id).stored.row.commitment
    entry = encode_entry(EntryKind.MATERIAL, commitment)
    with node.database.read() as tx:
        placement, _ = build_placement(node, tx, commitment)
        head = placement.tree_head
        published = tx.log.find_checkpoint(placement.generation, head.size)
        cosigned = [
            each
            for each in tx.mirrors.list_cosignatures(
                node.city, placement.generation, min_size=head.size
            )
            if (each.size, each.root) == (head.size, head.root)
        ]
    if published is None or published.root != head.root:
        raise NotYetAnchoredError
    verify_inclusion(hash_leaf(entry), placement.leaf_index, placement.proof, head)
    notes = [published.note, *(each.note for each in cosigned)]
    lines = [line for note in notes for line in split_signature_lines(note)]
    origin = build_origin(node.domain, node.city, placement.generation)
    checkpoint = build_cosigned_note(Checkpoint(origin, head), list(dict.fromkeys(lines)))
    return encode_tlog_proof(TlogProof(entry, placement.leaf_index, placement.proof, checkpoint))
