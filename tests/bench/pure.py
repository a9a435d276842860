"""Steps 2 and 3 without edges: hashing is the physical limit."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from ledger_node.core.derivation import derive_salts
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.entry_bundle import build_entry_bundles
from ledger_node.core.merkle import hash_leaves, verify_inclusion
from ledger_node.core.statement import build_statement
from ledger_node.core.statement_type import get_statement_type
from ledger_node.core.tiles import build_inclusion_proof, extend_tiles
from ledger_node.core.types import Commitment, LeafHash, LeafIndex
from tests.bench.harness import Result, compare

LEAVES = 100_000
STATEMENTS = 2_000
PROOFS = 2_000
ORIGIN = "tongban.example/510107/1"
VALUES = {
    "subjects": [{"role": "holder", "scheme": "x", "number": "5" * 18, "name": "张三"}],
    "number": "J510107-2020-000001",
    "issued_on": "2020-05-20",
    "grade": "A",
}


def read_nothing(path: str) -> bytes:
    raise AssertionError(f"an empty log has no {path}")


def bench_log(scratch: Path) -> Iterator[Result]:
    """Bulk append of 100,000 entries: leaf hashes, tiles, entry bundles, root."""
    commitments = [hashlib.sha256(b"%d" % n).digest() for n in range(LEAVES)]

    def append() -> None:
        entries = [encode_entry(EntryKind.MATERIAL, Commitment(each)) for each in commitments]
        extend_tiles(0, hash_leaves(entries), read_nothing)
        assert sum(1 for _ in build_entry_bundles(0, entries, read_nothing)) == 391

    def bare() -> None:
        # What no implementation can save: one hash per leaf, one less for the nodes.
        for each in commitments:
            hashlib.sha256(each).digest()
        for each in commitments:
            hashlib.sha256(each + each).digest()

    yield compare(
        "log",
        ("entries, leaf hashes, tiles, bundles, root; in memory", "leaves", LEAVES, append),
        ("bare SHA-256, two per leaf", "leaves", LEAVES, bare),
    )


def bench_statements(scratch: Path) -> Iterator[Result]:
    """Statement commitments with derived salts."""
    kind = get_statement_type("marriage-cert")
    count = 1 + len(kind.fields)
    keys = [hashlib.sha256(b"key %d" % n).digest() for n in range(STATEMENTS)]
    raw = b'["' + b"x" * 43 + b'","field name","a value of usual length"]'

    def commit() -> None:
        for key in keys:
            build_statement(ORIGIN, kind, VALUES, [], derive_salts(key, count))

    def bare() -> None:
        for _ in keys:
            parts = [
                hashlib.sha256(base64.urlsafe_b64encode(raw).rstrip(b"=")).digest()
                for _ in range(count)
            ]
            hashlib.sha256(b"".join(parts)).digest()

    yield compare(
        "statements",
        ("salts, disclosures, commitment", "statements", STATEMENTS, commit),
        (f"base64 and SHA-256 of {count} texts, and once of all", "statements", STATEMENTS, bare),
    )


def bench_inclusion(scratch: Path) -> Iterator[Result]:
    """Checking inclusion proofs in a tree of 100,000."""
    entries = [
        encode_entry(EntryKind.MATERIAL, Commitment(hashlib.sha256(b"%d" % n).digest()))
        for n in range(LEAVES)
    ]
    leaf_hashes = hash_leaves(entries)
    tiles, head = extend_tiles(0, leaf_hashes, read_nothing)
    step = LEAVES // PROOFS
    cases = [
        (
            LeafHash(leaf_hashes[32 * n : 32 * n + 32]),
            LeafIndex(n),
            build_inclusion_proof(tiles.__getitem__, LeafIndex(n), head.size),
        )
        for n in range(0, LEAVES, step)
    ]
    hashes = sum(len(proof) for _, _, proof in cases)

    def verify() -> None:
        for leaf_hash, index, proof in cases:
            verify_inclusion(leaf_hash, index, proof, head)

    def bare() -> None:
        pair = b"\x01" + bytes(64)
        for _ in range(hashes):
            hashlib.sha256(pair).digest()

    yield compare(
        "inclusion",
        ("inclusion proof checked, 100,000 leaves", "proofs", len(cases), verify),
        (f"bare SHA-256, {hashes / len(cases):.1f} per proof", "proofs", len(cases), bare),
    )
