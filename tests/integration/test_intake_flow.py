"""Steps 1 and 2 on real edges: what is registered, found again, refused."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger_node.core.derivation import derive_document_secret
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.statement import verify_showing
from ledger_node.core.types import MaterialId
from ledger_node.flows import submission as rules
from ledger_node.flows.entries import append_entry, load_opening, prepare_entry
from ledger_node.flows.intake import DocumentAlreadyRegisteredError, IntakeQueue, register
from ledger_node.flows.materials import load_material, load_material_by_commitment
from ledger_node.flows.node import Node
from ledger_node.flows.submission import (
    DocumentTooLargeError,
    EmptyDocumentError,
    MalformedSubmissionError,
    Subject,
    UnknownMaterialTypeError,
)
from ledger_node.ports.database import MaterialNotFoundError, RowConflictError
from tests.integration.city import digest_of, file_of, person, submission

pytestmark = pytest.mark.integration


def count(city: Node) -> tuple[int, int]:
    with city.database.read() as tx:
        return tx.intake.count_materials(), tx.log.count_pending()


def test_register_documents_and_fields_read_back_and_lead_to_the_commitment(
    city: Node, queue: IntakeQueue, tmp_path: Path
) -> None:
    pages = [b"page one" * 1000, b"\xff\xd8 scan"]
    handed_in = submission(1, *(file_of(page) for page in pages), digest_of(b"elsewhere"))
    registered = register(city, queue, handed_in)
    opened = load_material(city, registered.material_id)
    assert registered.digests[:2] == tuple(hashlib.sha256(page).digest() for page in pages)
    assert opened.values.values["number"] == handed_in.number
    assert opened.stored.row.commitment == registered.commitment
    texts = dict(enumerate(opened.statement.disclosures))
    showing = verify_showing(city.origin, registered.commitment, opened.statement.digests, texts)
    assert showing.values["attributes"] == {"place": "武侯"}
    for position, page in enumerate(pages):
        row, part = opened.stored.row.documents[position], opened.parts[position]
        assert row.address is not None
        secret = derive_document_secret(opened.key, position)
        target = tmp_path / f"plain{position}"
        city.sealer.unseal(city.documents, row.address, secret, part.digest, target)
        assert target.read_bytes() == page
        assert page not in b"".join(city.documents.read(row.address))
    assert opened.stored.row.documents[2].address is None
    assert load_material_by_commitment(city, registered.commitment) == opened


def test_register_values_of_the_person_stand_nowhere_in_the_database(
    city: Node, queue: IntakeQueue, database_url: str, tmp_path: Path
) -> None:
    registered = register(city, queue, submission(1))
    with city.database.read() as tx:
        text = repr(tx.intake.load_material(registered.material_id)).encode()
    planted = b"a planted 510107199001010001"
    for needle in ("510107199001010001", "张三1", "J510107-2020-000001", "武侯区民政局"):
        for spelling in (needle.encode(), needle.encode().hex().encode(), repr(needle).encode()):
            assert spelling not in text
            if database_url.startswith("sqlite"):
                for file in tmp_path.glob("city.sqlite*"):
                    assert spelling not in file.read_bytes()
    assert b"510107199001010001" in planted


def test_register_unknown_type_stores_nothing(city: Node, queue: IntakeQueue) -> None:
    with pytest.raises(UnknownMaterialTypeError):
        register(city, queue, submission(1, type_code="no-such-type"))
    assert count(city) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subjects": ()}, "subjects"),
        ({"subjects": (Subject("Holder", "cn-resident-id", "1" * 18, "x"),)}, "subjects.0.role"),
        ({"subjects": (Subject("holder", "cn-resident-id", "1" * 18, " "),)}, "subjects.0.name"),
        ({"grade": "E"}, "grade"),
        ({"grade": "B"}, "original_check"),
        ({"original_check": {"officer": "o", "device": "d", "checked_at": "t"}}, "original_check"),
        ({"issuer": {"code": "1"}}, "issuer"),
        ({"issuer": {"code": "1", "name": "a\x00b"}}, "issuer.name"),
        ({"number": ""}, "number"),
        ({"number": "7" * 201}, "number"),
        ({"issued_on": "2020-02-30"}, "issued_on"),
        ({"valid_from": "20200220"}, "valid_from"),
        ({"valid_until": "2019-01-01"}, "valid_until"),
        ({"attributes": {f"a{i}": 1 for i in range(65)}}, "attributes"),
        ({"documents": ()}, "documents"),
        ({"documents": (replace(file_of(b"x"), media_type="PDF"),)}, "document.0"),
        ({"documents": (replace(file_of(b"x"), pages=0),)}, "document.0"),
        ({"documents": (replace(file_of(b"x"), concerns=(2,)),)}, "document.0"),
        ({"documents": (replace(digest_of(b"x"), digest=b"short"),)}, "document.0"),
    ],
)
def test_register_field_not_acceptable_is_named_and_stores_nothing(
    city: Node, queue: IntakeQueue, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(MalformedSubmissionError) as refused:
        register(city, queue, submission(1, **changes))
    assert refused.value.field == field
    assert count(city) == (0, 0)
    register(city, queue, submission(1))
    assert count(city) == (1, 1)


def test_register_identifier_not_of_its_scheme_names_the_subject(
    city: Node, queue: IntakeQueue
) -> None:
    bad = Subject("spouse", "cn-resident-id", "123", "李四")
    with pytest.raises(MalformedInputError) as refused:
        register(city, queue, submission(1, subjects=(person(1), bad)))
    assert refused.value.fields["field"] == "subjects.1.number"
    assert count(city) == (0, 0)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_register_empty_document_at_every_position_stores_nothing(
    city: Node, queue: IntakeQueue, position: int
) -> None:
    documents = [file_of(b"good %d" % i) for i in range(3)]
    documents[position] = file_of(b"")
    with pytest.raises(EmptyDocumentError) as refused:
        register(city, queue, submission(1, *documents))
    assert refused.value.fields["position"] == position
    assert count(city) == (0, 0)


@pytest.mark.parametrize(("size", "fits"), [(100_000, True), (100_001, False)])
def test_register_document_at_the_size_limit(
    city: Node, queue: IntakeQueue, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    monkeypatch.setattr("ledger_node.flows.preparing.MAX_DOCUMENT_BYTES", 100_000)
    if fits:
        register(city, queue, submission(1, file_of(b"x" * size)))
    else:
        with pytest.raises(DocumentTooLargeError):
            register(city, queue, submission(1, file_of(b"x" * size)))
    assert count(city) == ((1, 1) if fits else (0, 0))


def test_register_same_paper_again_is_refused_with_its_id(city: Node, queue: IntakeQueue) -> None:
    first = register(city, queue, submission(1))
    with pytest.raises(DocumentAlreadyRegisteredError) as refused:
        register(
            city, queue, submission(1, file_of(b"another scan"), number=" j510107-2020-000001")
        )
    assert refused.value.material_id == first.material_id
    register(city, queue, submission(1, number="J-another"))
    register(city, queue, submission(1, type_code="household-book"))
    register(city, queue, submission(2, number="J510107-2020-000001"))
    assert count(city) == (4, 4)


def test_register_changed_paper_with_predecessor_supersedes(city: Node, queue: IntakeQueue) -> None:
    first = register(city, queue, submission(1))
    second = register(
        city, queue, submission(1, file_of(b"corrected"), predecessor=first.material_id)
    )
    opened = load_material(city, second.material_id)
    assert opened.values.values["predecessor"] == first.commitment.hex()
    with city.database.read() as tx:
        old = tx.intake.load_material(first.material_id)
    assert (old.state, old.successor) == ("superseded", second.material_id)


def test_register_unchanged_paper_with_predecessor_is_refused(
    city: Node, queue: IntakeQueue
) -> None:
    first = register(city, queue, submission(1))
    with pytest.raises(DocumentAlreadyRegisteredError):
        register(city, queue, submission(1, predecessor=first.material_id))
    assert count(city) == (1, 1)


def test_register_predecessor_of_another_type_or_not_there_is_refused(
    city: Node, queue: IntakeQueue
) -> None:
    other = register(city, queue, submission(1, type_code="household-book"))
    with pytest.raises(MalformedSubmissionError):
        register(city, queue, submission(1, predecessor=other.material_id))
    with pytest.raises(MaterialNotFoundError):
        register(city, queue, submission(1, predecessor=MaterialId("none")))
    assert count(city) == (1, 1)


def test_commit_same_paper_at_the_same_moment_only_one_is_registered(city: Node) -> None:
    queues = [IntakeQueue(city), IntakeQueue(city)]
    gate = threading.Barrier(4)
    outcomes: list[object] = []

    def hand_in(number: int) -> None:
        gate.wait()
        try:
            outcomes.append(register(city, queues[number % 2], submission(1)).material_id)
        except DocumentAlreadyRegisteredError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=hand_in, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    (winner,) = [one for one in outcomes if isinstance(one, str)]
    refused = [one for one in outcomes if isinstance(one, DocumentAlreadyRegisteredError)]
    assert [one.material_id for one in refused] == [winner] * 3
    assert count(city) == (1, 1)


def test_append_entry_access_reads_back_and_is_logged_once(city: Node) -> None:
    body = {"asked": "510700", "at": 1_790_000_000}
    prepared = prepare_entry(city, EntryKind.ACCESS, body)
    with city.database.transaction() as tx:
        entry_id = append_entry(city, tx, prepared)
    opening = load_opening(city, prepared.commitment)
    assert (opening.body, opening.salt) == (body, prepared.salt)
    with city.database.read() as tx:
        assert tx.intake.load_entry(entry_id).kind == EntryKind.ACCESS
    with pytest.raises(RowConflictError), city.database.transaction() as tx:
        append_entry(city, tx, prepared)


def test_max_document_bytes_is_the_documented_half_gibibyte() -> None:
    assert rules.MAX_DOCUMENT_BYTES == 512 * 1024 * 1024
