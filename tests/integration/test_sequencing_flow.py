"""Step 3 on real edges: indexes, tiles, checkpoints, halts; checked by the second reader."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from pathlib import Path

import pytest

from ledger_node.core.checkpoint import verify_checkpoint
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.merkle import EMPTY_ROOT, TreeHead, hash_leaf, verify_inclusion
from ledger_node.core.signed_note import VerifierKey
from ledger_node.core.types import Commitment, LeafIndex, RootHash, TreeSize
from ledger_node.flows.halts import LedgerHaltedError, clear_halt, latch_halt, list_halts
from ledger_node.flows.node import Node
from ledger_node.flows.sequencing import (
    build_proof,
    load_leaf,
    open_log,
    resume_sequencing,
    run_sequencing_round,
)
from ledger_node.ports.keys import KeyRole
from tests.integration.city import LOG
from tests.integration.ledger_oracle import check_ledger, read_ledger_apart

pytestmark = pytest.mark.integration


def log_accesses(city: Node, count: int, start: int = 0) -> list[bytes]:
    commitments = [hashlib.sha256(b"access %d" % (start + i)).digest() for i in range(count)]
    with city.database.transaction() as tx:
        for commitment in commitments:
            tx.intake.append_entry(
                EntryKind.ACCESS, Commitment(commitment), b"sealed", city.clock.now()
            )
    return commitments


def test_open_log_publishes_the_empty_head(city: Node, database_url: str, tmp_path: Path) -> None:
    assert open_log(city) == TreeHead(TreeSize(0), EMPTY_ROOT)
    assert open_log(city) == TreeHead(TreeSize(0), EMPTY_ROOT)
    check_ledger(database_url, tmp_path / LOG)


def test_run_sequencing_round_grows_the_log_step_by_step(
    city: Node, database_url: str, tmp_path: Path
) -> None:
    open_log(city)
    commitments: list[bytes] = []
    for step in (1, 254, 2, 300):
        commitments += log_accesses(city, step, len(commitments))
        done = run_sequencing_round(city)
        assert (done.assigned, done.head.size) == (step, len(commitments))
        report = check_ledger(database_url, tmp_path / LOG)
        assert report["sequenced"] == [c.hex() for c in commitments]
    assert run_sequencing_round(city).assigned == 0


def test_resume_sequencing_takes_several_batches(
    city: Node, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger_node.flows.sequencing.run_sequencing_round.__defaults__", (7,))
    log_accesses(city, 30)
    assert resume_sequencing(city).size == 30
    report = check_ledger(database_url, tmp_path / LOG)
    assert len(report["sequenced"]) == 30


def test_build_proof_every_leaf_verifies_against_the_signed_checkpoint(city: Node) -> None:
    open_log(city)
    log_accesses(city, 40)
    run_sequencing_round(city)
    note = city.tiles.read_checkpoint()
    assert note is not None
    key = VerifierKey(city.origin, city.keys.public_key(KeyRole.CHECKPOINT))
    head = verify_checkpoint(note, city.origin, key).tree_head
    with city.database.read() as tx:
        leaves = tx.log.list_leaves(0, 0, 40)
    for leaf in leaves:
        assert leaf.leaf_index is not None
        proof = build_proof(city, LeafIndex(leaf.leaf_index), head.size)
        entry = encode_entry(EntryKind(leaf.kind), leaf.commitment)
        verify_inclusion(hash_leaf(entry), LeafIndex(leaf.leaf_index), proof, head)
    found = load_leaf(city, leaves[17].commitment)
    assert found == leaves[17]


def test_run_sequencing_round_halt_stands_assigns_nothing_until_cleared_by_a_person(
    city: Node,
) -> None:
    open_log(city)
    log_accesses(city, 3)
    latch_halt(city, "reorg", "block 7")
    for _ in range(2):
        with pytest.raises(LedgerHaltedError) as stopped:
            run_sequencing_round(city)
        assert stopped.value.reason == "reorg"
        with pytest.raises(LedgerHaltedError):
            resume_sequencing(city)
    with pytest.raises(ValueError, match="person"):
        clear_halt(city, "reorg", " ")
    with city.database.read() as tx:
        assert tx.log.count_pending() == 3
    assert clear_halt(city, "reorg", "Wang Fang")
    assert run_sequencing_round(city).assigned == 3
    assert [halt.cleared_by for halt in list_halts(city, standing_only=False)] == ["Wang Fang"]


def test_run_sequencing_round_another_tile_in_place_latches_a_halt(
    city: Node, tmp_path: Path
) -> None:
    open_log(city)
    log_accesses(city, 3)
    foreign = tmp_path / LOG / "tile" / "0" / "000.p"
    foreign.mkdir(parents=True, exist_ok=True)
    (foreign / "3").write_bytes(b"\x01" * 96)
    with pytest.raises(LedgerHaltedError) as stopped:
        run_sequencing_round(city)
    assert stopped.value.reason == "tile_conflict"
    assert [halt.reason for halt in list_halts(city)] == ["tile_conflict"]
    assert (foreign / "3").read_bytes() == b"\x01" * 96
    with pytest.raises(LedgerHaltedError):
        run_sequencing_round(city)


@pytest.mark.parametrize(
    ("size", "name"),
    [(5, "tile/0/000.p/5"), (5, "tile/entries/000.p/5"), (256, "tile/1/000.p/1")],
)
def test_run_sequencing_round_right_edge_damaged_latches_a_halt(
    city: Node, tmp_path: Path, size: int, name: str
) -> None:
    open_log(city)
    log_accesses(city, size)
    run_sequencing_round(city)
    path = tmp_path / LOG / name
    data = bytearray(path.read_bytes())
    data[random.Random(name).randrange(len(data))] ^= 0x10
    path.chmod(0o644)
    path.write_bytes(data)
    log_accesses(city, 1, size)
    with pytest.raises(LedgerHaltedError) as stopped:
        run_sequencing_round(city)
    assert stopped.value.reason == "tile_damaged"
    with city.database.read() as tx:
        assert tx.log.load_head().size == size


def test_publish_rows_that_contradict_the_head_latch_a_halt(city: Node) -> None:
    open_log(city)
    log_accesses(city, 2)
    with city.database.transaction() as tx:
        head = tx.log.load_head()
        ids = [row.entry_id for row in tx.log.list_pending(2)]
        tx.log.assign_indexes(head, ids, 2, RootHash(b"\x07" * 32))
    with pytest.raises(LedgerHaltedError) as stopped:
        run_sequencing_round(city)
    assert stopped.value.reason == "rows_contradict_head"
    assert city.tiles.read_checkpoint() is not None
    with city.database.read() as tx:
        assert tx.log.load_latest_checkpoint(0).size == 0  # type: ignore[union-attr]


def test_check_ledger_damage_in_rows_or_files_is_named(tmp_path: Path, city: Node) -> None:
    if not (tmp_path / "city.sqlite").exists():
        return  # raw rows are changed on SQLite; the reader itself runs on both databases above
    url = f"sqlite:///{tmp_path / 'city.sqlite'}"
    open_log(city)
    log_accesses(city, 300)
    run_sequencing_round(city)
    check_ledger(url, tmp_path / LOG)
    tile = tmp_path / LOG / "tile" / "entries" / "000"
    good = tile.read_bytes()
    tile.chmod(0o644)
    tile.write_bytes(good[:-1] + bytes((good[-1] ^ 1,)))
    assert read_ledger_apart(url, tmp_path / LOG)["problems"] == ["tile/entries/000"]
    tile.write_bytes(good)
    check_ledger(url, tmp_path / LOG)
    with sqlite3.connect(tmp_path / "city.sqlite") as raw:
        raw.execute("UPDATE entries SET commitment = zeroblob(32) WHERE leaf_index = 299")
    problems = read_ledger_apart(url, tmp_path / LOG)["problems"]
    assert "log_heads: size or root is not that of the rows" in problems
