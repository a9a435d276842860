"""From a checked submission to a row that can be committed: seal, derive, commit to, tag.

Steps 1 and 2. The ciphertext of documents is put into the store here (not yet durable); nothing
else leaves the process, so that a failure leaves at most unreadable ciphertext behind.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, cast
from uuid import UUID

from ledger_node.core.canonical import JsonValue
from ledger_node.core.derivation import (
    MATERIAL_KEY_BYTES,
    derive_document_secret,
    derive_salts,
    derive_sealing_key,
)
from ledger_node.core.statement import build_statement, get_statement_type
from ledger_node.core.statement_parts import (
    DocumentPart,
    StatementValues,
    encode_document_part,
    encode_statement_values,
)
from ledger_node.core.types import Commitment, Digest, MaterialId
from ledger_node.flows.node import Node
from ledger_node.flows.sealing import seal_value
from ledger_node.flows.submission import (
    MAX_DOCUMENT_BYTES,
    CheckedSubmission,
    Document,
    DocumentDigest,
    DocumentFile,
    DocumentTooLargeError,
    EmptyDocumentError,
)
from ledger_node.ports.database_exchange import NoticeRow
from ledger_node.ports.database_intake import DocumentRow, DuplicateKey, MaterialRow, SubjectRow

DIGEST_SCHEME: Final = "sha-256"
NUMBER_SCHEME: Final = "document-number/"


@dataclass(frozen=True, slots=True)
class PreparedMaterial:
    """Everything of one material that intake makes durable, in this order: ciphertext (already
    put), `key` under the name `row.material_id`, `row`.

    Attributes:
        digests: Plaintext digests of its documents, in order.
        values: What the sealed statement holds.
        stores_documents: Whether ciphertext was put into the store.
        succession: Notice that it took another's place, still to be told to the chain.
    """

    row: MaterialRow
    key: bytes
    values: StatementValues
    digests: tuple[Digest, ...]
    stores_documents: bool
    succession: NoticeRow | None = None


def statement_row_name(material_id: MaterialId) -> str:
    """Name a sealed statement is bound to."""
    return f"materials/{material_id}"


def compute_subject_tag(node: Node, scheme: str, normalised: str) -> bytes:
    """Tag of a subject, 32 bytes."""
    return node.keys.compute_index_tag(scheme, normalised)


def compute_number_tag(node: Node, type_code: str, normalised: str) -> bytes:
    """Tag of a document number of one material type, 32 bytes."""
    return node.keys.compute_index_tag(NUMBER_SCHEME + type_code, normalised)


def compute_digest_tag(node: Node, digest: Digest) -> bytes:
    """Tag of a document digest, 32 bytes."""
    return node.keys.compute_index_tag(DIGEST_SCHEME, digest.hex())


def list_duplicate_keys(row: MaterialRow) -> list[DuplicateKey]:
    """What of this material may be registered once; empty without a document number."""
    if row.number_tag is None:
        return []
    tags = dict.fromkeys(subject.tag for subject in row.subjects)
    return [DuplicateKey(tag, row.type_code, row.number_tag) for tag in tags]


def prepare_material(
    node: Node,
    checked: CheckedSubmission,
    predecessor: Commitment | None = None,
    material_id: MaterialId | None = None,
) -> PreparedMaterial:
    """Seal the documents and build the row of one material.

    Args:
        checked: From `check_submission`.
        predecessor: Statement commitment of the material it supersedes.
        material_id: Chosen before, so that a repeated request finds its own; a new one if None.

    Raises:
        EmptyDocumentError: A document has no bytes.
        DocumentTooLargeError: A document exceeds the limit.
        DocumentStoreUnavailableError: The store does not take it.
    """
    submission = checked.submission
    if material_id is None:
        material_id = MaterialId(str(UUID(bytes=node.entropy(16), version=4)))
        key = node.entropy(MATERIAL_KEY_BYTES)
    else:
        key = _choose_key(node, material_id)
    parts, rows = [], []
    for position, document in enumerate(submission.documents):
        part, document_row = _take_document(node, key, position, document)
        parts.append(part)
        rows.append(document_row)
    values = _statement_values(checked, parts, predecessor)
    salts = derive_salts(key, 1 + len(values.statement_type.fields) + len(parts))
    statement = build_statement(
        node.origin, values.statement_type, values.values, values.documents, salts
    )
    sealed = seal_value(
        node.entropy,
        derive_sealing_key(key),
        encode_statement_values(values),
        statement_row_name(material_id),
    )
    row = MaterialRow(
        material_id=material_id,
        type_code=submission.type_code,
        type_version=values.statement_type.version,
        grade=submission.grade,
        commitment=statement.commitment,
        number_tag=_number_tag(node, checked),
        index_key_version=node.keys.index_key_version(),
        sealed_statement=sealed,
        predecessor=submission.predecessor,
        registered_at=node.clock.now(),
        subjects=tuple(
            SubjectRow(subject.role, compute_subject_tag(node, subject.scheme, number))
            for subject, number in zip(submission.subjects, checked.numbers, strict=True)
        ),
        documents=tuple(rows),
    )
    stores = any(isinstance(document, DocumentFile) for document in submission.documents)
    return PreparedMaterial(row, key, values, tuple(part.digest for part in parts), stores)


def _choose_key(node: Node, material_id: MaterialId) -> bytes:
    """A new material key, or the one that an interrupted attempt under this id left."""
    if node.key_store.has(material_id):
        (key,) = node.key_store.get_all([material_id])
        return key
    return node.entropy(MATERIAL_KEY_BYTES)


def _number_tag(node: Node, checked: CheckedSubmission) -> bytes | None:
    if checked.document_number is None:
        return None
    return compute_number_tag(node, checked.submission.type_code, checked.document_number)


def _statement_values(
    checked: CheckedSubmission, parts: Sequence[DocumentPart], predecessor: Commitment | None
) -> StatementValues:
    submission = checked.submission
    subjects: list[JsonValue] = [
        {"role": s.role, "scheme": s.scheme, "number": number, "name": s.name}
        for s, number in zip(submission.subjects, checked.numbers, strict=True)
    ]
    values: dict[str, JsonValue] = {
        "subjects": subjects,
        "issuer": submission.issuer,
        "number": submission.number,
        "issued_on": submission.issued_on,
        "valid_from": submission.valid_from,
        "valid_until": submission.valid_until,
        "grade": submission.grade,
        "original_check": submission.original_check,
        "retention": submission.retention,
        "predecessor": None if predecessor is None else predecessor.hex(),
        "attributes": dict(submission.attributes) or None,
    }
    return StatementValues(
        get_statement_type(submission.type_code),
        {name: value for name, value in values.items() if value is not None},
        [encode_document_part(part) for part in parts],
    )


def _take_document(
    node: Node, key: bytes, position: int, document: Document
) -> tuple[DocumentPart, DocumentRow]:
    if isinstance(document, DocumentDigest):
        size = document.size_bytes
        part = DocumentPart(
            document.digest,
            document.media_type,
            size,
            document.pages,
            document.extent,
            document.concerns,
        )
        tag = compute_digest_tag(node, document.digest)
        return part, DocumentRow(position, None, tag, size or 0, 0, document.media_type)
    with document.open_source() as source:
        capped = _CappedSource(source, position)
        sealed = node.sealer.seal(
            node.documents, derive_document_secret(key, position), cast(BinaryIO, capped)
        )
    part = DocumentPart(
        sealed.digest,
        document.media_type,
        sealed.size_bytes,
        document.pages,
        document.extent,
        document.concerns,
    )
    tag = compute_digest_tag(node, sealed.digest)
    row = DocumentRow(
        position,
        sealed.address,
        tag,
        sealed.size_bytes,
        sealed.sealed_bytes,
        document.media_type,
    )
    return part, row


class _CappedSource(io.RawIOBase):
    """A plaintext stream that refuses to be empty (before anything is sealed) or too large."""

    def __init__(self, source: BinaryIO, position: int) -> None:
        super().__init__()
        self._source = source
        self._position = position
        self._read_bytes = 0
        self._first = source.read(1)
        if not self._first:
            raise EmptyDocumentError(position)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size == 0:
            return b""
        want = MAX_DOCUMENT_BYTES + 1 if size < 0 else size
        chunk = self._first + self._source.read(want - len(self._first))
        self._first = b""
        self._read_bytes += len(chunk)
        if self._read_bytes > MAX_DOCUMENT_BYTES:
            raise DocumentTooLargeError(self._position, MAX_DOCUMENT_BYTES)
        return chunk
