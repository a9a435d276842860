"""Group `intake` on both databases."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger_node.core.types import Commitment, MaterialId
from ledger_node.ports.database import (
    Database,
    EntryNotFoundError,
    MaterialNotFoundError,
    RowConflictError,
)
from ledger_node.ports.database_intake import DocumentRow, DuplicateKey, MaterialRow, SubjectRow

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, 9, 30, 15, 123456, tzinfo=UTC)


def tag(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def material(number: int, **changes: Any) -> MaterialRow:
    fields: dict[str, Any] = {
        "material_id": MaterialId(f"00000000-0000-4000-8000-{number:012}"),
        "type_code": "marriage-cert",
        "type_version": 1,
        "grade": "A",
        "commitment": Commitment(tag(f"commitment {number}")),
        "number_tag": tag(f"number {number}"),
        "index_key_version": 1,
        "sealed_statement": b"sealed %d" % number,
        "predecessor": None,
        "registered_at": NOW + timedelta(seconds=number),
        "subjects": (
            SubjectRow("holder", tag(f"person {number}")),
            SubjectRow("spouse", tag("the spouse of all")),
        ),
        "documents": (
            DocumentRow(0, tag(f"address {number}"), tag("same digest"), 10, 20, "image/jpeg"),
            DocumentRow(1, None, tag(f"digest {number}"), 0, 0, "application/pdf"),
        ),
    }
    return MaterialRow(**{**fields, **changes})


def save(database: Database, *rows: MaterialRow) -> None:
    with database.transaction() as tx:
        tx.intake.save_materials(rows)


def test_save_materials_several_rows_read_back_equal(database: Database) -> None:
    rows = [material(number) for number in range(5)]
    save(database, *rows)
    with database.read() as tx:
        stored = [tx.intake.load_material(row.material_id) for row in rows]
        assert [one.row for one in stored] == rows
        assert {one.state for one in stored} == {"registered"}
        assert [one.entry.commitment for one in stored] == [row.commitment for row in rows]
        ids = [one.entry.entry_id for one in stored]
        assert ids == sorted(ids)
        assert tx.intake.count_materials() == 5
        assert [one.row for one in tx.intake.list_materials(2)] == [rows[4], rows[3]]
        found = tx.intake.find_material_by_commitment(rows[2].commitment)
        assert found is not None
        assert found.row == rows[2]


def test_save_materials_no_rows_changes_nothing(database: Database) -> None:
    save(database)
    with database.read() as tx:
        assert tx.intake.count_materials() == 0


def test_find_materials_by_subject_and_type_newest_first(database: Database) -> None:
    rows = [material(1), material(2, type_code="household-book"), material(3)]
    save(database, *rows)
    spouse = tag("the spouse of all")
    with database.read() as tx:
        every = tx.intake.find_materials_by_subject(spouse)
        of_type = tx.intake.find_materials_by_subject(spouse, "marriage-cert")
        assert [one.row for one in every] == [rows[2], rows[1], rows[0]]
        assert [one.row for one in of_type] == [rows[2], rows[0]]
        assert len(tx.intake.find_materials_by_subject(spouse, limit=1)) == 1
        assert tx.intake.find_materials_by_subject(tag("nobody")) == []
        assert len(tx.intake.find_materials_by_digest(tag("same digest"))) == 3
        assert tx.intake.find_materials_by_digest(tag("digest 2")) == [rows[1].material_id]


def test_find_number_owners_only_exact_subject_type_and_number(database: Database) -> None:
    row = material(1)
    save(database, row)
    assert row.number_tag is not None
    held = DuplicateKey(tag("person 1"), "marriage-cert", row.number_tag)
    others = [
        DuplicateKey(tag("person 2"), "marriage-cert", row.number_tag),
        DuplicateKey(tag("person 1"), "household-book", row.number_tag),
        DuplicateKey(tag("person 1"), "marriage-cert", tag("number 2")),
    ]
    with database.read() as tx:
        assert tx.intake.find_number_owners([held, *others]) == {held: row.material_id}
        assert tx.intake.find_number_owners([]) == {}


def test_find_number_owners_more_keys_than_one_statement_takes_finds_all(
    database: Database,
) -> None:
    row = material(1)
    save(database, row)
    assert row.number_tag is not None
    held = DuplicateKey(tag("person 1"), "marriage-cert", row.number_tag)
    others = [DuplicateKey(tag(f"nobody {i}"), "marriage-cert", tag("n")) for i in range(11_000)]
    with database.read() as tx:
        for place in (0, 5_000, 11_000):
            keys = [*others[:place], held, *others[place:]]
            assert tx.intake.find_number_owners(keys) == {held: row.material_id}


@pytest.mark.parametrize(
    "again",
    [
        material(1, commitment=Commitment(tag("other")), number_tag=None),
        material(2, commitment=Commitment(tag("commitment 1")), number_tag=None),
        material(3, number_tag=tag("number 1")),
    ],
    ids=["same id", "same commitment", "same subject type and number"],
)
def test_save_materials_duplicate_raises_conflict_and_stores_nothing(
    database: Database, again: MaterialRow
) -> None:
    save(database, material(1))
    with pytest.raises(RowConflictError) as refused:
        save(database, material(8), again)
    assert again.commitment.hex() not in str(refused.value)
    with database.read() as tx:
        assert tx.intake.count_materials() == 1
        assert tx.log.count_pending() == 1


def test_save_materials_without_number_never_conflicts_by_number(database: Database) -> None:
    save(database, material(1, number_tag=None), material(2, number_tag=None))
    with database.read() as tx:
        assert tx.intake.count_materials() == 2


def test_save_materials_successor_takes_the_number_over(database: Database) -> None:
    first = material(1)
    second = material(2, number_tag=first.number_tag, predecessor=first.material_id)
    save(database, first)
    save(database, second)
    assert first.number_tag is not None
    key = DuplicateKey(tag("the spouse of all"), "marriage-cert", first.number_tag)
    with database.read() as tx:
        old = tx.intake.load_material(first.material_id)
        assert (old.state, old.successor) == ("superseded", second.material_id)
        assert tx.intake.load_material(second.material_id).row == second
        assert tx.intake.find_number_owners([key]) == {key: second.material_id}


def test_save_materials_second_successor_of_one_material_raises_conflict(
    database: Database,
) -> None:
    first = material(1)
    save(database, first)
    save(database, material(2, predecessor=first.material_id))
    with pytest.raises(RowConflictError):
        save(database, material(3, predecessor=first.material_id))
    with database.read() as tx:
        assert tx.intake.count_materials() == 2


def test_set_material_state_compares_before_it_swaps(database: Database) -> None:
    row = material(1)
    save(database, row)
    with database.transaction() as tx:
        assert not tx.intake.set_material_state(row.material_id, "withdrawn", "erasing")
        assert tx.intake.set_material_state(row.material_id, "registered", "withdrawn")
    with database.read() as tx:
        assert tx.intake.load_material(row.material_id).state == "withdrawn"


def test_append_entry_opening_reads_back_and_repeats_are_refused(database: Database) -> None:
    commitment = Commitment(tag("access"))
    with database.transaction() as tx:
        entry_id = tx.intake.append_entry(3, commitment, b"sealed", NOW)
    with database.read() as tx:
        entry = tx.intake.load_entry(entry_id)
        assert (entry.kind, entry.commitment, entry.leaf_index) == (3, commitment, None)
        assert tx.intake.find_entry(commitment) == entry
        assert tx.intake.load_opening(commitment) == b"sealed"
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.intake.append_entry(3, commitment, b"sealed", NOW)


def test_load_unknown_names_raise_not_found(database: Database) -> None:
    with database.read() as tx:
        with pytest.raises(MaterialNotFoundError):
            tx.intake.load_material(MaterialId("none"))
        with pytest.raises(EntryNotFoundError):
            tx.intake.load_entry(7)
        with pytest.raises(EntryNotFoundError):
            tx.intake.load_opening(Commitment(tag("none")))
        assert tx.intake.find_entry(Commitment(tag("none"))) is None
        assert tx.intake.find_material_by_commitment(Commitment(tag("none"))) is None


def test_transaction_exception_inside_leaves_nothing(database: Database) -> None:
    def save_and_fail() -> None:
        with database.transaction() as tx:
            tx.intake.save_materials([material(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save_and_fail()
    with database.read() as tx:
        assert tx.intake.count_materials() == 0


def test_read_writing_in_it_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only|unavailable|damaged"):  # noqa: SIM117
        with database.read() as tx:
            tx.intake.save_materials([material(1)])
    with database.read() as tx:
        assert tx.intake.count_materials() == 0


def test_read_keeps_its_snapshot_while_others_write(database: Database) -> None:
    with database.read() as tx:
        assert tx.intake.count_materials() == 0
        save(database, material(1))
        assert tx.intake.count_materials() == 0
    with database.read() as tx:
        assert tx.intake.count_materials() == 1
