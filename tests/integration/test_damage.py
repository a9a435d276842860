"""T5: one flipped bit in a row, sealed value, wrapped key, blob or tile is detected and named."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger_node.core.errors import CiphertextAuthError, LedgerError
from ledger_node.core.types import MaterialId
from ledger_node.flows.intake import IntakeQueue, register
from ledger_node.flows.materials import load_material
from ledger_node.flows.node import Node
from ledger_node.flows.sequencing import resume_sequencing
from ledger_node.ports.documents import CiphertextDigestError
from tests.integration.city import LOG, close_city, file_of, open_city, submission
from tests.integration.ledger_oracle import check_ledger, read_ledger_apart

pytestmark = pytest.mark.integration
FLIPS = 60


class Damaged:
    """A city of four materials whose stored bytes are changed one bit at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = f"sqlite:///{root / 'city.sqlite'}"
        node = open_city(root, self.url)
        queue = IntakeQueue(node)
        self.ids = [
            register(node, queue, submission(n, file_of(b"scan %d " % n * 50))).material_id
            for n in range(4)
        ]
        resume_sequencing(node)
        close_city(node)

    def open(self) -> Node:
        return open_city(self.root, self.url)

    def flip_cell(self, file: str, table: str, column: str, where: str, bit: int) -> None:
        """Flip one bit of one cell, past every constraint."""
        with sqlite3.connect(self.root / file) as raw:
            raw.execute("PRAGMA foreign_keys=OFF")
            (data,) = raw.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchone()
            changed = flipped(data, bit)
            raw.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (changed,))
        raw.close()


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    bit %= len(changed) * 8
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.fixture
def damaged(tmp_path: Path, sqlite_template: Path) -> Iterator[Damaged]:
    shutil.copy(sqlite_template, tmp_path / "city.sqlite")
    return Damaged(tmp_path)


def outcomes(
    damaged: Damaged, read: Callable[[Node, MaterialId], object]
) -> list[LedgerError | None]:
    """What reading each material ends with."""
    node = damaged.open()
    found: list[LedgerError | None] = []
    for material_id in damaged.ids:
        try:
            read(node, material_id)
            found.append(None)
        except LedgerError as error:
            found.append(error)
    close_city(node)
    return found


def demand_only(
    found: list[LedgerError | None], at: int, kind: type[LedgerError], name: str
) -> None:
    """Exactly the damaged material is refused, by the right error naming it."""
    assert [error is not None for error in found] == [place == at for place in range(4)]
    error = found[at]
    assert isinstance(error, kind)
    assert name in f"{error} {error.fields}"


@pytest.mark.parametrize("column", ["sealed_statement", "commitment"])
def test_load_material_flipped_bit_in_its_row_is_named(damaged: Damaged, column: str) -> None:
    chance = random.Random(column)
    for flip in range(FLIPS // 2 if column == "sealed_statement" else 8):
        at, bit = flip % 4, chance.getrandbits(16)
        where = f"material_id = '{damaged.ids[at]}'"
        damaged.flip_cell("city.sqlite", "materials", column, where, bit)
        if column == "commitment":  # the row leads to no entry: the second reader sees it
            problems = read_ledger_apart(damaged.url, damaged.root / LOG)["problems"]
            assert problems == ["materials: not the materials of the entries"]
        else:
            found = outcomes(damaged, load_material)
            demand_only(found, at, CiphertextAuthError, damaged.ids[at])
        damaged.flip_cell("city.sqlite", "materials", column, where, bit)
    assert outcomes(damaged, load_material) == [None] * 4


def test_load_material_another_commitment_in_material_and_entry_alike_is_refused(
    damaged: Damaged,
) -> None:
    where = f"material_id = '{damaged.ids[2]}'"
    with sqlite3.connect(damaged.root / "city.sqlite") as raw:
        raw.execute("PRAGMA foreign_keys=OFF")
        forged, old = b"\x07" * 32, f"(SELECT commitment FROM materials WHERE {where})"
        raw.execute(f"UPDATE entries SET commitment = ? WHERE commitment = {old}", (forged,))
        raw.execute(f"UPDATE materials SET commitment = ? WHERE {where}", (forged,))
    raw.close()
    demand_only(outcomes(damaged, load_material), 2, CiphertextAuthError, damaged.ids[2])


def test_load_material_sealed_statements_exchanged_between_rows_are_refused(
    damaged: Damaged,
) -> None:
    with sqlite3.connect(damaged.root / "city.sqlite") as raw:
        raw.execute(
            "UPDATE materials SET sealed_statement = (SELECT sealed_statement FROM materials "
            f"WHERE material_id = '{damaged.ids[0]}') WHERE material_id = '{damaged.ids[1]}'"
        )
    raw.close()
    demand_only(outcomes(damaged, load_material), 1, CiphertextAuthError, damaged.ids[1])


def test_load_material_flipped_bit_in_its_wrapped_key_is_named(damaged: Damaged) -> None:
    chance = random.Random(1)
    for flip in range(FLIPS // 2):
        at, bit = flip % 4, chance.getrandbits(16)
        where = f"name = '{damaged.ids[at]}'"
        damaged.flip_cell("keys/keystore.db", "key", "wrapped", where, bit)
        demand_only(outcomes(damaged, load_material), at, CiphertextAuthError, damaged.ids[at])
        damaged.flip_cell("keys/keystore.db", "key", "wrapped", where, bit)
    assert outcomes(damaged, load_material) == [None] * 4


def read_document(node: Node, material_id: MaterialId) -> bytes:
    address = load_material(node, material_id).stored.row.documents[0].address
    assert address is not None
    return b"".join(node.documents.read(address))


def test_read_document_flipped_bit_in_its_blob_is_named(damaged: Damaged) -> None:
    node = damaged.open()
    blobs = [read_document(node, material_id) for material_id in damaged.ids]
    with node.database.read() as tx:
        addresses = [tx.intake.load_material(i).row.documents[0].address for i in damaged.ids]
    close_city(node)
    (segment,) = [
        path
        for path in (damaged.root / "documents").rglob("*")
        if path.is_file() and blobs[0] in path.read_bytes()
    ]
    good = segment.read_bytes()
    chance = random.Random(2)
    for flip in range(FLIPS // 2):
        at = flip % 4
        begin = good.index(blobs[at])
        bit = chance.randrange(len(blobs[at]) * 8)
        bad = flipped(blobs[at], bit)
        segment.write_bytes(good[:begin] + bad + good[begin + len(bad) :])
        address = addresses[at]
        assert address is not None
        found = outcomes(damaged, read_document)
        demand_only(found, at, CiphertextDigestError, address.hex())
    segment.write_bytes(good)
    assert outcomes(damaged, read_document) == [None] * 4


def test_check_ledger_flipped_bit_in_an_entry_or_log_file_is_named(damaged: Damaged) -> None:
    log = damaged.root / LOG
    files = sorted(path for path in (log / "tile").rglob("*") if path.is_file())
    assert len(files) >= 2
    chance = random.Random(3)
    for flip in range(FLIPS // 4):
        path = files[flip % len(files)]
        good = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(flipped(good, chance.getrandbits(16)))
        problems = read_ledger_apart(damaged.url, log)["problems"]
        assert problems == [str(path.relative_to(log))]
        path.write_bytes(good)
    for at in range(4):
        damaged.flip_cell("city.sqlite", "entries", "commitment", f"leaf_index = {at}", at * 31)
        problems = read_ledger_apart(damaged.url, log)["problems"]
        assert "log_heads: size or root is not that of the rows" in problems
        damaged.flip_cell("city.sqlite", "entries", "commitment", f"leaf_index = {at}", at * 31)
    check_ledger(damaged.url, log)
