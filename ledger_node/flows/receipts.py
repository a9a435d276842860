"""Registration receipts: what this city says it registered, and later where it is anchored.

Steps 2 to 5. The body is signed by the city's message key from the first moment; the seal
(leaf index, inclusion proof, anchor facts) is added once a final anchor covers the entry. Until
then the receipt is pending. The same material always gives the same body and signature.
"""

from __future__ import annotations

from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.merkle import hash_leaf, verify_inclusion
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.receipt import ReceiptFile, ReceiptKind, Seal, build_receipt
from ledger_node.core.receipt_registration import RegistrationBody, encode_registration_body
from ledger_node.core.types import MaterialId
from ledger_node.flows.facts import NotYetAnchoredError, build_placement
from ledger_node.flows.materials import OpenedMaterial, load_material
from ledger_node.flows.node import Node
from ledger_node.flows.receipt_facts import position_at
from ledger_node.ports.keys import KeyRole


def build_registration_receipt(node: Node, material_id: MaterialId) -> ReceiptFile:
    """The registration receipt of a material as it can be given now.

    Raises:
        MaterialNotFoundError: No such material.
        KeyMissingError: It was erased.
        CiphertextAuthError: What is stored does not lead to the commitment.
        RootMismatchError: The tiles do not lead to the anchored head; nothing is handed out.
    """
    opened = load_material(node, material_id)
    key_id = MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE))
    return build_receipt(
        ReceiptKind.REGISTRATION,
        encode_registration_body(_build_body(node, opened)),
        key_id,
        lambda message: node.keys.sign(KeyRole.MESSAGE, message),
        _find_seal(node, opened),
    )


def _build_body(node: Node, opened: OpenedMaterial) -> RegistrationBody:
    """Type and version and the documents' digests are shown; the other fields are not."""
    statement, row = opened.statement, opened.stored.row
    first_document = 1 + len(statement.statement_type.fields)
    shown = (0, *range(first_document, len(statement.disclosures)))
    return RegistrationBody(
        receipt_id=row.material_id,
        city=node.city,
        generation=node.generation,
        commitment=row.commitment,
        digests=statement.digests,
        disclosed={position: statement.disclosures[position] for position in shown},
        registered_at_s=int(row.registered_at.timestamp()),
    )


def _find_seal(node: Node, opened: OpenedMaterial) -> Seal | None:
    commitment = opened.stored.row.commitment
    with node.database.read() as tx:
        try:
            placement, anchor = build_placement(node, tx, commitment)
        except NotYetAnchoredError:
            return None
    leaf_hash = hash_leaf(encode_entry(EntryKind.MATERIAL, commitment))
    verify_inclusion(leaf_hash, placement.leaf_index, placement.proof, placement.tree_head)
    return Seal(placement, position_at(anchor.place), None)
