"""A second reader of a city's ledger: another process, raw SQL and files, the standard library.

It shares no code with the node: the tree is computed by the recursive definition of RFC 6962.
Run as a program: `ledger_oracle.py DATABASE LOG_DIRECTORY`; prints one JSON object with what it
found and a list of problems, each naming the damaged item.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

WIDTH = 256
ENTRIES_SQL = (
    "SELECT entry_id, kind, commitment, generation, leaf_index FROM entries ORDER BY leaf_index"
)


def check_ledger(database_url: str, log_directory: Path) -> dict[str, Any]:
    """Run the reader in its own process; fails on any problem it finds."""
    report = read_ledger_apart(database_url, log_directory)
    assert report["problems"] == []
    return report


def read_ledger_apart(database_url: str, log_directory: Path) -> dict[str, Any]:
    """Run the reader in its own process and return its report."""
    ran = subprocess.run(
        [sys.executable, __file__, database_url, str(log_directory)],
        capture_output=True,
        timeout=60,
        check=True,
    )
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def tree(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1 over leaf hashes, straight from its definition."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + tree(hashes[:split]) + tree(hashes[split:])).digest()


def tile_name(index: int) -> str:
    digits = f"{index:03}"
    while len(digits) % 3:
        digits = "0" + digits
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join(["x" + group for group in groups[:-1]] + groups[-1:])


def tiles_of(entries: list[bytes]) -> dict[str, bytes]:
    """Every file of a log of this size, built level by level."""
    files: dict[str, bytes] = {}
    for index in range(-(-len(entries) // WIDTH)):
        part = entries[index * WIDTH : (index + 1) * WIDTH]
        partial = "" if len(part) == WIDTH else f".p/{len(part)}"
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
        files[f"tile/entries/{tile_name(index)}{partial}"] = bundle
    level, nodes = 0, [leaf(entry) for entry in entries]
    while nodes:
        for index in range(-(-len(nodes) // WIDTH)):
            part = nodes[index * WIDTH : (index + 1) * WIDTH]
            partial = "" if len(part) == WIDTH else f".p/{len(part)}"
            files[f"tile/{level}/{tile_name(index)}{partial}"] = b"".join(part)
        full = len(nodes) // WIDTH
        nodes = [tree(nodes[index * WIDTH : (index + 1) * WIDTH]) for index in range(full)]
        level += 1
    return files


def query(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    if database_url.startswith("sqlite:///"):
        path = database_url.removeprefix("sqlite:///")
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return connection.execute(statement).fetchall()
    import psycopg

    with psycopg.connect(database_url.replace("+psycopg", "")) as server:
        return server.execute(statement.encode()).fetchall()


def read_ledger(database_url: str, log_directory: Path) -> dict[str, Any]:
    """Compare rows, head, checkpoints, tiles and bundles with each other."""
    problems: list[str] = []
    rows = query(database_url, ENTRIES_SQL)
    leaves = [row for row in rows if row[4] is not None]
    if [row[4] for row in leaves] != list(range(len(leaves))):
        problems.append("entries: leaf indexes are not 0, 1, 2, …")
    commitments = [bytes(row[2]) for row in rows]
    if len(set(commitments)) != len(commitments):
        problems.append("entries: a commitment stands twice")
    entries = [bytes((1, row[1])) + bytes(row[2]) for row in leaves]
    heads = query(database_url, "SELECT size, root FROM log_heads ORDER BY generation DESC")
    if heads:
        size, root = heads[0]
        if size != len(entries) or bytes(root) != tree([leaf(entry) for entry in entries]):
            problems.append("log_heads: size or root is not that of the rows")
    problems += _check_checkpoints(database_url, log_directory, entries)
    materials = query(database_url, "SELECT material_id, commitment FROM materials")
    logged = {bytes(row[2]) for row in rows if row[1] == 1}
    if {bytes(commitment) for _, commitment in materials} != logged:
        problems.append("materials: not the materials of the entries")
    halts = query(database_url, "SELECT reason FROM halts WHERE cleared_at IS NULL")
    return {
        "problems": problems,
        "materials": sorted(material_id for material_id, _ in materials),
        "commitments": [commitment.hex() for commitment in commitments],
        "sequenced": [bytes(row[2]).hex() for row in leaves],
        "pending": len(rows) - len(leaves),
        "halts": [reason for (reason,) in halts],
    }


def _check_checkpoints(database_url: str, log: Path, entries: list[bytes]) -> list[str]:
    problems = []
    published = query(database_url, "SELECT size, root, note FROM checkpoints ORDER BY size")
    for size, root, note in published:
        expected = tree([leaf(entry) for entry in entries[:size]])
        lines = bytes(note).decode().split("\n")
        if bytes(root) != expected or lines[1] != str(size):
            problems.append(f"checkpoints/{size}: not the head of the rows")
        if base64.b64decode(lines[2]) != expected:
            problems.append(f"checkpoints/{size}: the note has another root")
        for name, data in tiles_of(entries[:size]).items():
            path = log / name
            full = log / name.partition(".p/")[0]
            if path.is_file():
                if path.read_bytes() != data:
                    problems.append(name)
            elif not full.is_file():
                problems.append(f"{name}: missing")
    if published:
        note = bytes(published[-1][2])
        if (log / "checkpoint").read_bytes() != note:
            problems.append("checkpoint: not the newest")
        if published[-1][0] != len(entries):
            problems.append("checkpoints: the newest head is not published")
    return problems


if __name__ == "__main__":
    print(json.dumps(read_ledger(sys.argv[1], Path(sys.argv[2]))))
