"""Documents moved while they are read, garbage noted and collected, on real edges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from obstore.store import MemoryStore

from ledger_node.core.errors import CiphertextAuthError
from ledger_node.core.release_answer import parse_release_answer
from ledger_node.core.types import CityId, GrantId
from ledger_node.edges.documents import BucketServer, JoinedStore, SegmentStore, StagedStore
from ledger_node.flows.halts import LedgerHaltedError, latch_halt
from ledger_node.flows.intake import IntakeQueue, register
from ledger_node.flows.keeping import Collected, collect_documents, move_documents
from ledger_node.flows.node import Node
from ledger_node.flows.records import seal_record
from ledger_node.ports.database_exchange import ReleaseRow
from ledger_node.ports.documents import DocumentNotFoundError, DocumentStoreUnavailableError
from tests.fakes.faults import FailAfter
from tests.fakes.manual_clock import ManualClock
from tests.fakes.memory_documents import MemoryDocuments
from tests.integration.city import file_of, submission

pytestmark = pytest.mark.integration
VECTORS = Path(__file__).parents[1] / "vectors" / "release" / "release-answer"
DAY_S = 86_400


def fill(store: Any, count: int) -> list[bytes]:
    addresses = [store.put([b"blob %d" % number])[0] for number in range(count)]
    store.sync()
    return addresses


@dataclass
class ReadingTarget:
    """The new store; after every step of a move everything is read through both."""

    joined: JoinedStore
    addresses: list[bytes]
    looks: int = 0

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.joined.first, name)

        def step(*arguments: Any) -> Any:
            result = attribute(*arguments)
            self.looks += 1
            for address in self.addresses:
                assert b"".join(self.joined.read(address)).startswith(b"blob")
            return result

        return step


def test_move_documents_every_document_is_readable_after_every_step(tmp_path: Path) -> None:
    source = SegmentStore(tmp_path / "documents")
    target = StagedStore(BucketServer(MemoryStore(), ""), tmp_path / "spool")
    addresses = fill(source, 70)
    watched = ReadingTarget(JoinedStore(target, [source]), addresses)
    assert move_documents(source, cast(Any, watched)).moved == 70
    assert watched.looks > 70
    assert list(source.list_addresses()) == []
    assert sorted(target.list_addresses()) == sorted(addresses)
    source.close()
    target.close()


@pytest.mark.parametrize("operation", ["put", "sync", "read", "remove", "list"])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_move_documents_broken_off_anywhere_loses_nothing_and_is_taken_up_again(
    operation: str, count: int
) -> None:
    source, target = MemoryDocuments(), MemoryDocuments()
    addresses = fill(source, 100)
    plan = FailAfter(count, DocumentStoreUnavailableError("power"), operation=operation)
    broken = target if operation in {"put", "sync"} else source
    broken.faults = plan
    try:
        move_documents(source, target)
    except DocumentStoreUnavailableError:
        assert plan.fired
    broken.faults = MemoryDocuments().faults
    source, target = source.crash(), target.crash()
    joined = JoinedStore(target, [source])
    assert all(b"".join(joined.read(each)) for each in addresses)
    move_documents(source, target)
    assert list(source.list_addresses()) == []
    assert list(target.list_addresses()) == sorted(addresses)


def test_move_documents_damaged_one_is_named_and_stays() -> None:
    source, target = MemoryDocuments(), MemoryDocuments()
    good, bad = fill(source, 2)
    source.durable[bad] = b"changed"
    moved = move_documents(source, target)
    assert (moved.moved, moved.damaged) == (1, (bad,))
    assert list(source.durable) == [bad]
    assert list(target.list_addresses()) == [good]


def test_read_joined_moved_between_two_looks_is_found(tmp_path: Path) -> None:
    first = MemoryDocuments()

    class Moving(MemoryDocuments):
        def read(self, address: bytes) -> Iterator[bytes]:
            first.durable.update(self.durable)
            self.durable.clear()
            return super().read(address)

    other = Moving()
    (address,) = fill(other, 1)
    joined = JoinedStore(first, [other])
    assert b"".join(joined.read(address)) == b"blob 0"
    with pytest.raises(DocumentNotFoundError):
        joined.read(bytes(32))


def test_read_joined_one_store_away_still_reads_the_other_and_never_says_not_found() -> None:
    away = MemoryDocuments(
        faults=FailAfter(0, DocumentStoreUnavailableError("away"), operation="read", times=99)
    )
    other = MemoryDocuments()
    (address,) = fill(other, 1)
    joined = JoinedStore(away, [other])
    assert b"".join(joined.read(address)) == b"blob 0"
    with pytest.raises(DocumentStoreUnavailableError):
        joined.read(bytes(32))


@pytest.fixture
def dated(city: Node) -> Node:
    """The city with a clock that is moved by hand."""
    return replace(city, clock=ManualClock())


def advance(node: Node, seconds: float) -> None:
    cast(ManualClock, node.clock).advance(seconds)


def test_collect_documents_garbage_goes_after_a_day_and_what_is_needed_stays(
    dated: Node, queue: IntakeQueue
) -> None:
    register(dated, queue, submission(1, file_of(b"needed")))
    (needed,) = dated.documents.list_addresses()
    (garbage,) = fill(dated.documents, 1)
    assert collect_documents(dated, remove=True) == Collected(1, 1, 0, 0)
    advance(dated, DAY_S - 1)
    assert collect_documents(dated, remove=True) == Collected(1, 1, 0, 0)
    (late,) = set(fill(dated.documents, 2)) - {garbage}
    advance(dated, 1)
    assert collect_documents(dated, remove=False) == Collected(1, 1, 1, 0)
    assert dated.documents.has(garbage)
    assert collect_documents(dated, remove=True) == Collected(1, 1, 1, 1)
    assert sorted(dated.documents.list_addresses()) == sorted([needed, late])
    assert collect_documents(dated, remove=True) == Collected(1, 1, 0, 0)


def test_collect_documents_put_again_after_it_went_waits_another_day(dated: Node) -> None:
    (garbage,) = fill(dated.documents, 1)
    collect_documents(dated, remove=True)
    advance(dated, DAY_S)
    dated.documents.remove(garbage)
    collect_documents(dated, remove=True)
    fill(dated.documents, 1)
    assert collect_documents(dated, remove=True) == Collected(0, 1, 0, 0)


def save_received(node: Node, address: bytes) -> bytes:
    """An incoming release whose sealed answer names `address`; returns the record's key name."""
    digest = b"d" * 32
    text = bytes.fromhex(json.loads((VECTORS / "happy.json").read_text())["bytes"])
    answer = parse_release_answer(text)
    old = next(each for material in answer.materials for each in material.documents)
    name = f"release/{digest.hex()}"
    named = text.replace(old.address.hex().encode(), address.hex().encode())
    assert named != text
    now = node.clock.now()
    row = ReleaseRow(
        request_digest=digest,
        direction="incoming",
        city=CityId("510700"),
        grant_id=GrantId(b"g" * 32),
        state="answered",
        request=b"{}",
        request_message=b"",
        answer=seal_record(node, name, "answer", named),
        answer_message=None,
        release_salt=None,
        release_commitment=None,
        sealed_secrets=None,
        acknowledgement=None,
        outbox_id=None,
        problem_code=None,
        created_at=now,
        updated_at=now,
    )
    with node.database.transaction() as tx:
        tx.releases.save_release(row)
    return name.encode()


def test_collect_documents_received_release_keeps_its_documents_until_its_key_is_gone(
    dated: Node,
) -> None:
    (address,) = fill(dated.documents, 1)
    name = save_received(dated, address).decode()
    for _ in range(2):
        assert collect_documents(dated, remove=True) == Collected(1, 0, 0, 0)
        advance(dated, DAY_S)
    dated.key_store.destroy(name)
    collect_documents(dated, remove=True)
    advance(dated, DAY_S)
    assert collect_documents(dated, remove=True).removed == 1


def test_collect_documents_record_that_cannot_be_read_stops_the_look(dated: Node) -> None:
    (address,) = fill(dated.documents, 1)
    save_received(dated, address)
    with dated.database.transaction() as tx:
        (row,) = tx.keeping.list_received(b"", 9)
        assert row.answer is not None
        changed = replace(row, answer=row.answer[:-1] + bytes([row.answer[-1] ^ 1]))
        assert tx.releases.advance_release(row, changed)
    with pytest.raises(CiphertextAuthError):
        collect_documents(dated, remove=True)
    assert dated.documents.has(address)


def test_collect_documents_while_a_halt_stands_is_refused(dated: Node) -> None:
    fill(dated.documents, 1)
    latch_halt(dated, "log_behind_chain", "restored")
    with pytest.raises(LedgerHaltedError):
        collect_documents(dated, remove=True)
