"""Registration receipts: what this city says it registered, and later where it is anchored.

Steps 2 to 5. The body is signed by the city's message key from the first moment; the seal
(leaf index, inclusion proof, anchor facts) is added once a final anchor covers the entry. Until
then the receipt is pending. The same material always gives the same body and signature. What it
carries of the chain (version 1) is outside the signature and newer each time.
"""

from __future__ import annotations

from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.merkle import hash_leaf, verify_inclusion
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.receipt import ReceiptFile, ReceiptKind, Seal
from ledger_node.core.receipt_chain import ChainEvidence, merge_evidence
from ledger_node.core.receipt_registration import RegistrationBody, encode_registration_body
from ledger_node.core.receipt_v1 import build_receipt_v1
from ledger_node.core.status import LeafKey
from ledger_node.core.types import MaterialId
from ledger_node.flows.facts import NotYetAnchoredError, build_placement
from ledger_node.flows.materials import OpenedMaterial, load_material
from ledger_node.flows.node import Node
from ledger_node.flows.proving import is_sealed, locate, prove_flags, prove_log
from ledger_node.flows.receipt_facts import position_at
from ledger_node.flows.trusting import load_final_block
from ledger_node.ports.chain import ChainUnavailableError
from ledger_node.ports.database_chain import AnchoredHead
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
    seal, chain = _find_seal(node, opened)
    return build_receipt_v1(
        ReceiptKind.REGISTRATION,
        encode_registration_body(_build_body(node, opened)),
        key_id,
        lambda message: node.keys.sign(KeyRole.MESSAGE, message),
        seal,
        chain,
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


def _find_seal(node: Node, opened: OpenedMaterial) -> tuple[Seal | None, ChainEvidence | None]:
    """Seal and what it rests on; none while no final anchor covers the entry, or while the anchor's
    place in its block is not known and the chain does not say."""
    commitment = opened.stored.row.commitment
    with node.database.read() as tx:
        try:
            placement, anchor = build_placement(node, tx, commitment)
        except NotYetAnchoredError:
            return None, None
    leaf_hash = hash_leaf(encode_entry(EntryKind.MATERIAL, commitment))
    verify_inclusion(leaf_hash, placement.leaf_index, placement.proof, placement.tree_head)
    try:
        log = prove_log(node, anchor.place)
    except ChainUnavailableError:
        return None, None
    seal = Seal(placement, locate(log, position_at(anchor.place)), None)
    return seal, _add_status(node, log, anchor, (node.city, leaf_hash))


def _add_status(
    node: Node, log: ChainEvidence, anchor: AnchoredHead, leaf: LeafKey
) -> ChainEvidence:
    """With the material's flags after the newest final block; after the anchor's where headers
    are not sealed; without if the chain does not give them now."""
    place = anchor.place
    block = BlockFact(place.block_number, place.block_hash, place.block_timestamp_s)
    if is_sealed(log):
        with node.database.read() as tx:
            block = load_final_block(tx)
    try:
        return merge_evidence([log, prove_flags(node, block, [leaf])])
    except ChainUnavailableError:
        return log
