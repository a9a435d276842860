"""Group `intake`: materials, documents, index tags and entries (steps 1 and 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    column,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from ledger_node.core.types import Commitment, MaterialId
from ledger_node.edges.database.bulk import insert_columns
from ledger_node.edges.database.columns import AnyRow
from ledger_node.edges.database.tables_intake import (
    document_numbers,
    documents,
    entries,
    materials,
    openings,
    subjects,
)
from ledger_node.ports.database import EntryNotFoundError, MaterialNotFoundError, RowConflictError
from ledger_node.ports.database_intake import (
    DocumentRow,
    DuplicateKey,
    EntryRow,
    MaterialRow,
    StoredMaterial,
    SubjectRow,
)

_KEYS_AT_ONCE = 2_000  # three bound values each; SQLite takes 32,766
MATERIAL_KIND = 1  # number of the entry kind `material` (core/entry.py)

_ENTRY = (
    entries.c.entry_id,
    entries.c.kind,
    entries.c.commitment,
    entries.c.generation,
    entries.c.leaf_index,
)
_MATERIAL = (
    materials.c.material_id,
    materials.c.type_code,
    materials.c.type_version,
    materials.c.grade,
    materials.c.state,
    materials.c.commitment,
    materials.c.number_tag,
    materials.c.index_key_version,
    materials.c.sealed_statement,
    materials.c.predecessor,
    materials.c.successor,
    materials.c.registered_at,
    entries.c.entry_id,
    entries.c.kind,
    entries.c.generation,
    entries.c.leaf_index,
)
_FROM_MATERIALS = materials.join(entries, entries.c.commitment == materials.c.commitment)
_NEWEST = (materials.c.registered_at.desc(), entries.c.entry_id.desc())

_BY_ID = (
    select(*_MATERIAL)
    .select_from(_FROM_MATERIALS)
    .where(materials.c.material_id.in_(bindparam("ids", expanding=True)))
)
_BY_COMMITMENT = (
    select(*_MATERIAL)
    .select_from(_FROM_MATERIALS)
    .where(materials.c.commitment == bindparam("commitment"))
)
_LISTED = (
    select(*_MATERIAL).select_from(_FROM_MATERIALS).order_by(*_NEWEST).limit(bindparam("limit"))
)
_OF_SUBJECT = _LISTED.where(
    materials.c.material_id.in_(
        select(subjects.c.material_id).where(subjects.c.tag == bindparam("tag"))
    )
)
_OF_SUBJECT_AND_TYPE = _OF_SUBJECT.where(materials.c.type_code == bindparam("type_code"))
_SUBJECTS = (
    select(subjects.c.material_id, subjects.c.role, subjects.c.tag)
    .where(subjects.c.material_id.in_(bindparam("ids", expanding=True)))
    .order_by(subjects.c.material_id, subjects.c.position)
)
_DOCUMENTS = (
    select(
        documents.c.material_id,
        documents.c.position,
        documents.c.address,
        documents.c.digest_tag,
        documents.c.size_bytes,
        documents.c.sealed_bytes,
        documents.c.media_type,
    )
    .where(documents.c.material_id.in_(bindparam("ids", expanding=True)))
    .order_by(documents.c.material_id, documents.c.position)
)
_OF_DIGEST = (
    select(documents.c.material_id)
    .where(documents.c.digest_tag == bindparam("digest_tag"))
    .distinct()
    .order_by(documents.c.material_id)
    .limit(bindparam("limit"))
)
_OWNERS = select(
    document_numbers.c.subject_tag,
    document_numbers.c.type_code,
    document_numbers.c.number_tag,
    document_numbers.c.material_id,
).where(
    tuple_(
        document_numbers.c.subject_tag,
        document_numbers.c.type_code,
        document_numbers.c.number_tag,
    ).in_(bindparam("keys", expanding=True))
)


def _owners_postgres() -> Select[Any]:
    """The same as a join with arrays: thousands of keys are one hash join, not as many ORs."""
    names = ("subject_tag", "type_code", "number_tag")
    columns = [document_numbers.c[name] for name in names]
    arrays = [bindparam(c.name, type_=ARRAY(c.type)) for c in columns]
    wanted = func.unnest(*arrays).table_valued(*[column(c.name, c.type) for c in columns])
    wanted = wanted.render_derived(name="wanted")
    return select(*columns, document_numbers.c.material_id).join(
        wanted, and_(*[wanted.c[c.name] == c for c in columns])
    )


_OWNERS_POSTGRES = _owners_postgres()
_SUPERSEDE = (
    update(materials)
    .where(materials.c.material_id == bindparam("before_id"), materials.c.state == "registered")
    .values(state="superseded", successor=bindparam("after_id"))
)
_TAKE_NUMBER = (
    update(document_numbers)
    .where(
        document_numbers.c.subject_tag == bindparam("owned_subject"),
        document_numbers.c.type_code == bindparam("owned_type"),
        document_numbers.c.number_tag == bindparam("owned_number"),
        document_numbers.c.material_id == bindparam("before_id"),
    )
    .values(material_id=bindparam("after_id"))
)
_SET_STATE = (
    update(materials)
    .where(materials.c.material_id == bindparam("the_id"), materials.c.state == bindparam("before"))
    .values(state=bindparam("after"))
)
_ENTRY_BY_ID = select(*_ENTRY).where(entries.c.entry_id == bindparam("entry_id"))
_ENTRY_BY_COMMITMENT = select(*_ENTRY).where(entries.c.commitment == bindparam("commitment"))
_OPENING = select(openings.c.sealed_opening).where(openings.c.commitment == bindparam("commitment"))


class SqlIntake:
    """`IntakeGroup` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save_materials(self, rows: Sequence[MaterialRow]) -> None:
        """Entries, materials, their subjects, documents and document numbers; then supersession."""
        insert_columns(self._connection, entries, _entry_columns(rows))
        insert_columns(self._connection, materials, _material_columns(rows))
        insert_columns(self._connection, subjects, _subject_columns(rows))
        insert_columns(self._connection, documents, _document_columns(rows))
        taken = {key for row in rows if row.predecessor for key in self._supersede(row)}
        self._claim_numbers(rows, taken)

    def _supersede(self, row: MaterialRow) -> list[tuple[bytes, str, bytes]]:
        """Mark the predecessor and take its document numbers over; returns the keys taken."""
        ids = {"before_id": row.predecessor, "after_id": row.material_id}
        if self._connection.execute(_SUPERSEDE, ids).rowcount != 1:
            raise RowConflictError("materials.predecessor")
        taken = []
        for subject_tag, type_code, number_tag in _number_keys(row):
            owned = {
                "owned_subject": subject_tag,
                "owned_type": type_code,
                "owned_number": number_tag,
            }
            if self._connection.execute(_TAKE_NUMBER, {**ids, **owned}).rowcount:
                taken.append((subject_tag, type_code, number_tag))
        return taken

    def _claim_numbers(
        self, rows: Sequence[MaterialRow], taken: set[tuple[bytes, str, bytes]]
    ) -> None:
        claims = [
            (*key, row.material_id) for row in rows for key in _number_keys(row) if key not in taken
        ]
        insert_columns(
            self._connection,
            document_numbers,
            {
                "subject_tag": [claim[0] for claim in claims],
                "type_code": [claim[1] for claim in claims],
                "number_tag": [claim[2] for claim in claims],
                "material_id": [claim[3] for claim in claims],
            },
        )

    def append_entry(
        self, kind: int, commitment: Commitment, sealed_opening: bytes, at: datetime
    ) -> int:
        """One entry with its sealed opening."""
        inserted = self._connection.execute(
            entries.insert(), {"kind": kind, "commitment": commitment, "committed_at": at}
        )
        self._connection.execute(
            openings.insert(), {"commitment": commitment, "sealed_opening": sealed_opening}
        )
        assert inserted.inserted_primary_key is not None  # single-row insert: always given
        return int(inserted.inserted_primary_key[0])

    def load_material(self, material_id: MaterialId) -> StoredMaterial:
        """One material with subjects and documents."""
        found = self.load_materials([material_id])
        if not found:
            raise MaterialNotFoundError(material_id)
        return found[0]

    def load_materials(self, ids: Sequence[MaterialId]) -> list[StoredMaterial]:
        """In the order asked for."""
        found = {m.row.material_id: m for m in self._load(_BY_ID, {"ids": list(ids)})}
        return [found[material_id] for material_id in ids if material_id in found]

    def find_material_by_commitment(self, commitment: Commitment) -> StoredMaterial | None:
        """The material of a statement commitment."""
        found = self._load(_BY_COMMITMENT, {"commitment": commitment})
        return found[0] if found else None

    def find_materials_by_subject(
        self, subject_tag: bytes, type_code: str | None = None, limit: int = 100
    ) -> list[StoredMaterial]:
        """Materials with a subject of this tag, newest first."""
        if type_code is None:
            return self._load(_OF_SUBJECT, {"tag": subject_tag, "limit": limit})
        return self._load(
            _OF_SUBJECT_AND_TYPE, {"tag": subject_tag, "type_code": type_code, "limit": limit}
        )

    def find_materials_by_digest(self, digest_tag: bytes, limit: int = 100) -> list[MaterialId]:
        """Materials that have a document with this digest tag."""
        found = self._connection.execute(_OF_DIGEST, {"digest_tag": digest_tag, "limit": limit})
        return [MaterialId(row.material_id) for row in found]

    def find_number_owners(self, keys: Sequence[DuplicateKey]) -> dict[DuplicateKey, MaterialId]:
        """Current owners of document numbers."""
        if not keys:
            return {}
        found: list[AnyRow] = []
        if self._connection.dialect.name == "postgresql":
            arrays = {
                "subject_tag": [key.subject_tag for key in keys],
                "type_code": [key.type_code for key in keys],
                "number_tag": [key.number_tag for key in keys],
            }
            found += self._connection.execute(_OWNERS_POSTGRES, arrays)
        else:
            for at in range(0, len(keys), _KEYS_AT_ONCE):
                part = keys[at : at + _KEYS_AT_ONCE]
                wanted = [(key.subject_tag, key.type_code, key.number_tag) for key in part]
                found += self._connection.execute(_OWNERS, {"keys": wanted})
        return {
            DuplicateKey(row.subject_tag, row.type_code, row.number_tag): row.material_id
            for row in found
        }

    def set_material_state(self, material_id: MaterialId, before: str, after: str) -> bool:
        """Compare-and-swap of the state column."""
        changed = self._connection.execute(
            _SET_STATE, {"the_id": material_id, "before": before, "after": after}
        )
        return changed.rowcount == 1

    def list_materials(self, limit: int = 100) -> list[StoredMaterial]:
        """Newest first."""
        return self._load(_LISTED, {"limit": limit})

    def count_materials(self) -> int:
        return int(
            self._connection.execute(select(func.count(materials.c.material_id))).scalar_one()
        )

    def load_entry(self, entry_id: int) -> EntryRow:
        """One entry by row number."""
        row = self._connection.execute(_ENTRY_BY_ID, {"entry_id": entry_id}).one_or_none()
        if row is None:
            raise EntryNotFoundError(str(entry_id))
        return entry_of(row)

    def find_entry(self, commitment: Commitment) -> EntryRow | None:
        """One entry by commitment."""
        row = self._connection.execute(
            _ENTRY_BY_COMMITMENT, {"commitment": commitment}
        ).one_or_none()
        return None if row is None else entry_of(row)

    def load_opening(self, commitment: Commitment) -> bytes:
        """Sealed opening of an entry that is not a material."""
        sealed = self._connection.execute(_OPENING, {"commitment": commitment}).scalar_one_or_none()
        if sealed is None:
            raise EntryNotFoundError(commitment.hex())
        return bytes(sealed)

    def _load(self, statement: Select[Any], values: dict[str, Any]) -> list[StoredMaterial]:
        rows = self._connection.execute(statement, values).all()
        if not rows:
            return []
        ids = {"ids": [row.material_id for row in rows]}
        subjects_of: defaultdict[str, list[SubjectRow]] = defaultdict(list)
        for material_id, role, tag in self._connection.execute(_SUBJECTS, ids):
            subjects_of[material_id].append(SubjectRow(role, tag))
        documents_of: defaultdict[str, list[DocumentRow]] = defaultdict(list)
        for material_id, *document in self._connection.execute(_DOCUMENTS, ids):
            documents_of[material_id].append(DocumentRow(*document))
        return [
            _stored(row, subjects_of[row.material_id], documents_of[row.material_id])
            for row in rows
        ]


def entry_of(row: AnyRow) -> EntryRow:
    """An `EntryRow` from a row with the columns of `_ENTRY`."""
    return EntryRow(row.entry_id, row.kind, row.commitment, row.generation, row.leaf_index)


def _stored(
    row: AnyRow, subject_rows: list[SubjectRow], document_rows: list[DocumentRow]
) -> StoredMaterial:
    material = MaterialRow(
        material_id=row.material_id,
        type_code=row.type_code,
        type_version=row.type_version,
        grade=row.grade,
        commitment=row.commitment,
        number_tag=row.number_tag,
        index_key_version=row.index_key_version,
        sealed_statement=row.sealed_statement,
        predecessor=row.predecessor,
        registered_at=row.registered_at,
        subjects=tuple(subject_rows),
        documents=tuple(document_rows),
    )
    return StoredMaterial(material, entry_of(row), row.state, row.successor)


def _number_keys(row: MaterialRow) -> Iterable[tuple[bytes, str, bytes]]:
    """The document numbers a material holds: one per distinct subject, none without a number."""
    if row.number_tag is None:
        return []
    return [
        (tag, row.type_code, row.number_tag)
        for tag in dict.fromkeys(subject.tag for subject in row.subjects)
    ]


def _entry_columns(rows: Sequence[MaterialRow]) -> dict[str, list[Any]]:
    return {
        "kind": [MATERIAL_KIND] * len(rows),
        "commitment": [row.commitment for row in rows],
        "committed_at": [row.registered_at for row in rows],
    }


def _material_columns(rows: Sequence[MaterialRow]) -> dict[str, list[Any]]:
    names = (
        "material_id",
        "type_code",
        "type_version",
        "grade",
        "commitment",
        "number_tag",
        "index_key_version",
        "sealed_statement",
        "predecessor",
        "registered_at",
    )
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in names}
    return {**columns, "state": ["registered"] * len(rows)}


def _subject_columns(rows: Sequence[MaterialRow]) -> dict[str, list[Any]]:
    flat = [
        (row.material_id, position, subject)
        for row in rows
        for position, subject in enumerate(row.subjects)
    ]
    return {
        "material_id": [material_id for material_id, _, _ in flat],
        "position": [position for _, position, _ in flat],
        "role": [subject.role for _, _, subject in flat],
        "tag": [subject.tag for _, _, subject in flat],
    }


def _document_columns(rows: Sequence[MaterialRow]) -> dict[str, list[Any]]:
    flat = [(row.material_id, document) for row in rows for document in row.documents]
    names = ("position", "address", "digest_tag", "size_bytes", "sealed_bytes", "media_type")
    columns: dict[str, list[Any]] = {
        name: [getattr(document, name) for _, document in flat] for name in names
    }
    return {"material_id": [material_id for material_id, _ in flat], **columns}
