"""Reading a registered material back: its statement opened, checked against its commitment.

Step 2 the other way round. Whatever the row, the wrapped key or the sealed statement say, the
disclosures are built again and must lead to the commitment that is in the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger_node.core.derivation import (
    derive_document_secret,
    derive_salts,
    derive_sealing_key,
)
from ledger_node.core.errors import MalformedInputError, NotFoundError
from ledger_node.core.statement import Statement, build_statement
from ledger_node.core.statement_parts import (
    DocumentPart,
    StatementValues,
    parse_document_part,
    parse_statement_values,
)
from ledger_node.core.types import Commitment, MaterialId
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import statement_row_name
from ledger_node.flows.sealing import SealedValueDamagedError, open_value
from ledger_node.ports.database import MaterialNotFoundError
from ledger_node.ports.database_intake import StoredMaterial


class DocumentNotHereError(NotFoundError):
    """The material has no such document, or only its digest was registered here."""

    code = "document_not_here"

    def __init__(self, material_id: MaterialId, position: int) -> None:
        super().__init__(
            f"材料 {material_id} 在本市没有第 {position + 1} 个文件的原件。",
            f"This city holds no bytes of document {position + 1} of material {material_id}.",
            material_id=material_id,
            position=position,
        )


@dataclass(frozen=True, slots=True)
class OpenedMaterial:
    """A material with everything its city knows of it.

    Attributes:
        stored: Its row: id, type, documents' addresses, entry, state.
        key: Material key, 32 bytes; never leaves the city.
        values: The fields.
        statement: Disclosure texts and digests by position.
        parts: Documents as the statement describes them, in order.
    """

    stored: StoredMaterial
    key: bytes
    values: StatementValues
    statement: Statement
    parts: tuple[DocumentPart, ...]


def load_material(node: Node, material_id: MaterialId) -> OpenedMaterial:
    """Load and open one material.

    Raises:
        MaterialNotFoundError: No such material.
        KeyMissingError: Its key is gone (erased).
        SealedValueDamagedError: Row, key or sealed statement do not fit together; names the row.
    """
    with node.database.read() as tx:
        stored = tx.intake.load_material(material_id)
    return open_material(node, stored)


def load_material_by_commitment(node: Node, commitment: Commitment) -> OpenedMaterial:
    """As `load_material`, by statement commitment."""
    with node.database.read() as tx:
        stored = tx.intake.find_material_by_commitment(commitment)
    if stored is None:
        raise MaterialNotFoundError(commitment.hex())
    return open_material(node, stored)


def load_values(node: Node, stored: StoredMaterial) -> StatementValues:
    """Open the sealed fields only.

    Raises:
        KeyMissingError: Its key is gone (erased).
        SealedValueDamagedError: The sealed bytes do not open.
    """
    (key,) = node.key_store.get_all([stored.row.material_id])
    return _open_values(stored, key)


def open_material(node: Node, stored: StoredMaterial) -> OpenedMaterial:
    """Open a stored material and check that it leads to its commitment.

    Raises:
        KeyMissingError: Its key is gone (erased).
        SealedValueDamagedError: Row, key or sealed statement do not fit together; names the row.
    """
    row = stored.row
    (key,) = node.key_store.get_all([row.material_id])
    values = _open_values(stored, key)
    salts = derive_salts(key, 1 + len(values.statement_type.fields) + len(values.documents))
    statement = build_statement(
        node.origin, values.statement_type, values.values, values.documents, salts
    )
    parts = tuple(parse_document_part(document) for document in values.documents)
    what = statement_row_name(row.material_id)
    if statement.commitment != row.commitment or statement.statement_type.code != row.type_code:
        raise SealedValueDamagedError(what)
    if len(parts) != len(row.documents):
        raise SealedValueDamagedError(what)
    return OpenedMaterial(stored, key, values, statement, parts)


def _open_values(stored: StoredMaterial, key: bytes) -> StatementValues:
    what = statement_row_name(stored.row.material_id)
    plaintext = open_value(derive_sealing_key(key), stored.row.sealed_statement, what)
    try:
        return parse_statement_values(plaintext)
    except MalformedInputError as error:
        raise SealedValueDamagedError(what) from error


def write_document(node: Node, material_id: MaterialId, position: int, target: Path) -> None:
    """Write a registered document's plaintext to `target`, by rename, after its digest is checked.

    Raises:
        MaterialNotFoundError: No such material.
        DocumentNotHereError: It has no such document, or only its digest was registered.
        KeyMissingError: It was erased.
        VerificationError: What is stored does not hold.
    """
    opened = load_material(node, material_id)
    rows = opened.stored.row.documents
    address = rows[position].address if position < len(rows) else None
    if address is None:
        raise DocumentNotHereError(material_id, position)
    secret = derive_document_secret(opened.key, position)
    node.sealer.unseal(node.documents, address, secret, opened.parts[position].digest, target)
