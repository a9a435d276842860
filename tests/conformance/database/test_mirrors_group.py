"""Group `mirrors` on both databases: progress, cosignatures, findings, recoveries."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ledger_node.core.types import CityId, Commitment, RootHash
from ledger_node.core.witness import FindingKind
from ledger_node.ports.database import Database, RowConflictError
from ledger_node.ports.database_log import LogHead
from ledger_node.ports.database_mirrors import (
    CosignatureRow,
    FindingRow,
    MirrorRow,
    RecoveryRow,
)

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 22, tzinfo=UTC)
WUHOU, MIANYANG = CityId("510107"), CityId("510700")


def root(text: str) -> RootHash:
    return RootHash(hashlib.sha256(text.encode()).digest())


MIRROR = MirrorRow(WUHOU, 1, 8, root("8"), b"n", 9, root("9"), b"s", 1000, NOW, None)
FINDING = FindingRow(0, WUHOU, 1, FindingKind.FORKED, "two", b"e", NOW, None, None)


def cosigned(size: int, witness: CityId) -> CosignatureRow:
    return CosignatureRow(WUHOU, 1, size, witness, root(str(size)), 1000 + size, b"note")


def test_save_mirror_never_goes_back(database: Database) -> None:
    grown = replace(MIRROR, size=10, root=root("10"), silent_since=NOW)
    with database.transaction() as tx:
        assert tx.mirrors.load_mirror(WUHOU, 1) is None
        assert tx.mirrors.save_mirror(MIRROR)
        assert tx.mirrors.save_mirror(grown)
        assert not tx.mirrors.save_mirror(MIRROR)
        assert tx.mirrors.save_mirror(replace(grown, silent_since=None))
        assert tx.mirrors.save_mirror(replace(MIRROR, generation=2, size=1))
    with database.read() as tx:
        assert tx.mirrors.load_mirror(WUHOU, 1) == replace(grown, silent_since=None)
        assert [(row.generation, row.size) for row in tx.mirrors.list_mirrors()] == [
            (1, 10),
            (2, 1),
        ]


def test_save_cosignature_the_first_of_a_head_stays(database: Database) -> None:
    with database.transaction() as tx:
        for row in (cosigned(8, WUHOU), cosigned(8, MIANYANG), cosigned(11, MIANYANG)):
            assert tx.mirrors.save_cosignature(row)
        assert not tx.mirrors.save_cosignature(replace(cosigned(8, WUHOU), note=b"other"))
    with database.read() as tx:
        assert tx.mirrors.list_largest_cosigned(WUHOU, 1) == {WUHOU: 8, MIANYANG: 11}
        assert tx.mirrors.list_largest_cosigned(WUHOU, 2) == {}
        assert tx.mirrors.list_cosignatures(WUHOU, 1) == [
            cosigned(8, WUHOU), cosigned(8, MIANYANG), cosigned(11, MIANYANG)
        ]  # fmt: skip
        assert tx.mirrors.list_cosignatures(WUHOU, 1, min_size=9) == [cosigned(11, MIANYANG)]


def test_save_finding_stands_once_and_ends_with_a_name(database: Database) -> None:
    later = NOW + timedelta(seconds=5)
    with database.transaction() as tx:
        assert tx.mirrors.save_finding(FINDING)
        assert not tx.mirrors.save_finding(replace(FINDING, detail="again"))
        assert tx.mirrors.save_finding(replace(FINDING, kind=FindingKind.LATE))
        assert tx.mirrors.save_finding(replace(FINDING, city=MIANYANG))
        assert tx.mirrors.end_findings(WUHOU, 1, [FindingKind.FORKED], "Li Lei", later) == 1
        assert tx.mirrors.end_findings(WUHOU, 1, [FindingKind.FORKED], "Li Lei", later) == 0
        assert tx.mirrors.save_finding(replace(FINDING, detail="anew"))
    with database.read() as tx:
        standing = tx.mirrors.list_findings(WUHOU)
        assert [(row.kind, row.detail) for row in standing] == [
            (FindingKind.FORKED, "anew"), (FindingKind.LATE, "two")
        ]  # fmt: skip
        (ended,) = [row for row in tx.mirrors.list_findings(standing_only=False) if row.ended_at]
        assert (ended.detail, ended.ended_by, ended.ended_at) == ("two", "Li Lei", later)
        assert len(tx.mirrors.list_findings(standing_only=False, limit=2)) == 2


def test_save_recovery_is_listed_and_unique(database: Database) -> None:
    row = RecoveryRow(1, 8, 12, MIANYANG, 3, NOW)
    with database.transaction() as tx:
        tx.mirrors.save_recovery(row)
    with database.read() as tx:
        assert tx.mirrors.list_recoveries() == [row]
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.mirrors.save_recovery(row)


def test_adopt_entries_known_ones_keep_their_row_and_indexed_ones_are_refused(
    database: Database,
) -> None:
    with database.transaction() as tx:
        head = tx.log.open_generation(1, root(""), NOW)
        waiting = tx.intake.append_entry(1, Commitment(root("b")), b"s", NOW)
        leaves = [(kind, Commitment(root(name))) for kind, name in ((1, "a"), (1, "b"), (4, "c"))]
        ids, lost = tx.log.adopt_entries(leaves, NOW)
        assert (ids[1], lost) == (waiting, 2)
        tx.log.assign_indexes(head, ids, 3, root("3"))
    with database.read() as tx:
        found = tx.log.list_leaves(1, 0, 3)
        assert [(row.kind, row.commitment) for row in found] == leaves
        assert tx.log.count_pending() == 0
    with database.transaction() as tx:
        again, lost = tx.log.adopt_entries(leaves[:1], NOW)
        assert lost == 0
    with pytest.raises(RowConflictError), database.transaction() as tx:
        tx.log.assign_indexes(LogHead(1, 3, root("3"), 0), again, 4, root("4"))
