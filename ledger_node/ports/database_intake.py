"""Database group of steps 1 and 2: materials, their documents, index tags, and log entries.

Private to one city and backed up. The only values that describe a person stand in
`sealed_statement` and `sealed_opening`; what is looked up is looked up by HMAC tag (32 bytes,
`CityKeys.compute_index_tag`). Clear columns are listed in docs/spec/database.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.types import Commitment, MaterialId


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """One subject of a material: its role in clear, the HMAC tag of (scheme, number)."""

    role: str
    tag: bytes


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document of a material.

    Attributes:
        position: 0-based order inside the material (`document.<position>` of the statement).
        address: SHA-256 of the ciphertext, 32 bytes; None when only the digest was registered.
        digest_tag: HMAC tag of the plaintext digest, 32 bytes.
        size_bytes: Plaintext length; 0 when only the digest was registered.
        sealed_bytes: Ciphertext length; 0 likewise.
        media_type: IANA media type as declared at intake.
    """

    position: int
    address: bytes | None
    digest_tag: bytes
    size_bytes: int
    sealed_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class MaterialRow:
    """One material as the city that registered it holds it.

    Attributes:
        material_id: Lower-case UUID; also the name of its material key.
        grade: A to D (domain.md section 3).
        commitment: Statement commitment, 32 bytes; unique, links to the entry.
        number_tag: HMAC tag of the document number, 32 bytes; None when the type has none.
        index_key_version: Version of the index key the tags were made with.
        sealed_statement: AES-256-GCM ciphertext of the disclosures, in order.
        predecessor: Material this one supersedes.
    """

    material_id: MaterialId
    type_code: str
    type_version: int
    grade: str
    commitment: Commitment
    number_tag: bytes | None
    index_key_version: int
    sealed_statement: bytes
    predecessor: MaterialId | None
    registered_at: datetime
    subjects: tuple[SubjectRow, ...]
    documents: tuple[DocumentRow, ...]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A committed log entry; `generation` and `leaf_index` are None until it is sequenced."""

    entry_id: int
    kind: int
    commitment: Commitment
    generation: int | None
    leaf_index: int | None


@dataclass(frozen=True, slots=True)
class StoredMaterial:
    """A material row as read back, with what happened to it since.

    Attributes:
        entry: Its log entry.
        state: `registered`, `superseded`, `withdrawn`, `erasing` or `erased` (this city's view;
            the chain's statuses are in group `chain`).
        successor: Material that superseded this one.
    """

    row: MaterialRow
    entry: EntryRow
    state: str
    successor: MaterialId | None


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """What may be registered once: (subject, type, document number), tags of 32 bytes."""

    subject_tag: bytes
    type_code: str
    number_tag: bytes


class IntakeGroup(Protocol):
    """Promises: rows of one call are in the same commit as their entries; nothing is updated in
    place except `state`, `successor` and the owner of a document number."""

    def save_materials(self, rows: Sequence[MaterialRow]) -> None:
        """Insert materials, subjects, documents and one `material` entry each, in order; a row
        with a predecessor takes its document numbers over and marks it superseded.

        Raises:
            ConflictError: An id or commitment is stored already, or another material holds a
                document number that `rows` do not supersede.
        """
        ...

    def append_entry(
        self, kind: int, commitment: Commitment, sealed_opening: bytes, at: datetime
    ) -> int:
        """Add an entry of another kind with its sealed opening; returns the entry id.

        Raises:
            ConflictError: The commitment is in the log already.
        """
        ...

    def load_material(self, material_id: MaterialId) -> StoredMaterial: ...

    def load_materials(self, ids: Sequence[MaterialId]) -> list[StoredMaterial]:
        """In the order of `ids`; those that are not here are left out."""
        ...

    def find_material_by_commitment(self, commitment: Commitment) -> StoredMaterial | None: ...

    def find_materials_by_subject(
        self, subject_tag: bytes, type_code: str | None = None, limit: int = 100
    ) -> list[StoredMaterial]:
        """Newest first."""
        ...

    def find_materials_by_digest(self, digest_tag: bytes, limit: int = 100) -> list[MaterialId]: ...

    def find_number_owners(self, keys: Sequence[DuplicateKey]) -> dict[DuplicateKey, MaterialId]:
        """The current material of each (subject, type, document number) that has one."""
        ...

    def set_material_state(self, material_id: MaterialId, before: str, after: str) -> bool:
        """Compare-and-swap; False when the material is not in `before`."""
        ...

    def list_materials(self, limit: int = 100) -> list[StoredMaterial]:
        """Newest first."""
        ...

    def count_materials(self) -> int: ...

    def load_entry(self, entry_id: int) -> EntryRow: ...

    def find_entry(self, commitment: Commitment) -> EntryRow | None: ...

    def load_opening(self, commitment: Commitment) -> bytes:
        """Sealed opening of an entry that is not a material."""
        ...
