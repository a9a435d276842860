"""T13, contracts side: reference tree, Python core and Solidity agree on every proof up to a size.

64 leaves in the quick run; TONGBAN_FULL=1 goes to 256. The named vector files follow.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from contracts import load_artifact
from ledger_node.core.errors import LedgerError
from ledger_node.core.merkle import TreeHead, verify_consistency, verify_inclusion
from scripts.compile_contracts import ROOT, compile_sources, load_sources
from scripts.contract_files import build_artifact
from tests.contracts.anvil import Anvil, run_anvil
from tests.reference import tree

FULL = bool(os.environ.get("TONGBAN_FULL"))
LARGEST = 256 if FULL else 64
ENTRIES = [b"\x01\x01" + i.to_bytes(32, "big") for i in range(LARGEST)]
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "merkle"
HARNESS = "tests/contracts/solidity/Rfc6962Harness.sol"
ACCEPTED, MALFORMED, MISMATCH = 0, 1, 2
CHUNK = 20_000

Case = tuple[int, int, bytes, bytes, list[bytes]]


class Harness:
    """The library behind its batch functions, at an address of a running anvil."""

    def __init__(self, anvil: Anvil) -> None:
        library = "contracts/libraries/Rfc6962.sol"
        sources = {library: load_sources()[library], HARNESS: (ROOT / HARNESS).read_text()}
        output = compile_sources(sources)[HARNESS]["Rfc6962Harness"]
        artifact = json.loads(build_artifact("Rfc6962Harness", output))
        self.anvil = anvil
        self.methods = {
            text.split("(")[0]: bytes.fromhex(i)
            for text, i in artifact["methodIdentifiers"].items()
        }
        self.address = anvil.place(bytes.fromhex(artifact["deployedBytecode"][2:]))

    def judge(self, function: str, heads: list[bytes], proofs: list[list[bytes]]) -> bytes:
        """Verdicts of many cases; a head is the four words before the proof."""
        verdicts = b""
        for at in range(0, len(heads), CHUNK):
            data = _encode_cases(heads[at : at + CHUNK], proofs[at : at + CHUNK])
            answer = self.anvil.call(self.address, self.methods[function] + data)
            verdicts += answer[64 : 64 + int.from_bytes(answer[32:64], "big")]
        assert len(verdicts) == len(heads)
        return verdicts


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _encode_cases(heads: list[bytes], proofs: list[list[bytes]]) -> bytes:
    """ABI encoding of an array of (four words, bytes32[]); by hand because it is big."""
    offset, offsets, bodies = 32 * len(heads), [], []
    for head, proof in zip(heads, proofs, strict=True):
        body = b"".join((head, _word(160), _word(len(proof)), *proof))
        offsets.append(_word(offset))
        bodies.append(body)
        offset += len(body)
    return b"".join((_word(32), _word(len(heads)), *offsets, *bodies))


@pytest.fixture(scope="module")
def harness() -> Iterator[Harness]:
    with run_anvil() as anvil:
        yield Harness(anvil)


def damaged(proof: list[bytes], number: int) -> list[list[bytes]]:
    """Three damages: a flipped bit, a hash missing (or a foreign one alone), a hash too many."""
    at, bit = number % max(len(proof), 1), number % 256
    flipped = list(proof) or [bytes(32)]
    value = int.from_bytes(flipped[at], "big") ^ 1 << bit
    flipped[at] = value.to_bytes(32, "big")
    missing = [h for i, h in enumerate(proof) if i != at] if proof else [tree.leaf_hash(b"x")]
    return [flipped, missing, [*proof, proof[-1] if proof else bytes(32)]]


def python_refuses(check: Callable[[], None]) -> bool:
    try:
        check()
    except LedgerError:
        return True
    return False


def test_verify_inclusion_every_index_and_size_agrees(harness: Harness) -> None:
    heads, proofs, python = [], [], []
    for size in range(1, LARGEST + 1):
        root = tree.mth(ENTRIES[:size])
        for index in range(size):
            leaf = tree.leaf_hash(ENTRIES[index])
            good = tree.path(index, ENTRIES[:size])
            for proof in (good, *damaged(good, index * 31 + size)):
                heads.append(leaf + _word(index) + _word(size) + root)
                proofs.append(proof)
                check = partial(verify_inclusion, leaf, index, proof, TreeHead(size, root))
                python.append(python_refuses(check))
    _check_agreement(harness.judge("judgeInclusions", heads, proofs), python)
    assert len(heads) == 4 * LARGEST * (LARGEST + 1) // 2


def test_verify_consistency_every_pair_of_sizes_agrees(harness: Harness) -> None:
    roots = [tree.mth(ENTRIES[:size]) for size in range(LARGEST + 1)]
    heads, proofs, python = [], [], []
    for new in range(2, LARGEST + 1):
        for old in range(1, new):
            good = tree.proof(old, ENTRIES[:new])
            ends = TreeHead(old, roots[old]), TreeHead(new, roots[new])
            for proof in (good, *damaged(good, old * 31 + new)):
                heads.append(_word(old) + _word(new) + roots[old] + roots[new])
                proofs.append(proof)
                python.append(python_refuses(partial(verify_consistency, *ends, proof)))
    _check_agreement(harness.judge("judgeConsistencies", heads, proofs), python)
    assert len(heads) == 4 * LARGEST * (LARGEST - 1) // 2


def _check_agreement(verdicts: bytes, python: list[bool]) -> None:
    """Every fourth case is good, the three after it are damaged; nobody disagrees."""
    assert set(verdicts) == {ACCEPTED, MALFORMED, MISMATCH}
    for i, (verdict, refused) in enumerate(zip(verdicts, python, strict=True)):
        assert (verdict != ACCEPTED) == (i % 4 != 0), f"case {i}: Solidity says {verdict}"
        assert refused == (i % 4 != 0), f"case {i}: Python refused={refused}"


def _read_vectors(topic: str) -> list[tuple[str, dict[str, object]]]:
    files = sorted((VECTORS / topic).rglob("*.json"))
    return [(str(path.relative_to(VECTORS)), json.loads(path.read_text())) for path in files]


def _hashes(value: object) -> list[bytes]:
    assert isinstance(value, list)
    return [bytes.fromhex(text) for text in value]


def _fits_solidity(sizes: list[object], hashes: list[bytes]) -> bool:
    """Whether the types of the call can carry it at all (bytes32, uint64)."""
    whole = all(isinstance(size, int) and 0 <= size < 2**64 for size in sizes)
    return whole and all(len(value) == 32 for value in hashes)


def test_verify_inclusion_vectors_agree(harness: Harness) -> None:
    names, wants, heads, proofs = [], [], [], []
    for name, vector in _read_vectors("inclusion"):
        proof = _hashes(vector["proof"])
        ends = _hashes([vector["leaf_hash"], vector["root"]])
        sizes = [vector["leaf_index"], vector["tree_size"]]
        if not _fits_solidity(sizes, [*proof, *ends]):
            assert vector["want_error"], name
            continue
        names.append(name)
        wants.append(vector["want_error"])
        heads.append(ends[0] + _word(sizes[0]) + _word(sizes[1]) + ends[1])
        proofs.append(proof)
    _check_vectors(names, wants, harness.judge("judgeInclusions", heads, proofs))


def test_verify_consistency_vectors_agree(harness: Harness) -> None:
    names, wants, heads, proofs = [], [], [], []
    for name, vector in _read_vectors("consistency"):
        proof = _hashes(vector["proof"])
        ends = _hashes([vector["old_root"], vector["new_root"]])
        sizes = [vector["old_size"], vector["new_size"]]
        if not _fits_solidity(sizes, [*proof, *ends]):
            assert vector["want_error"], name
            continue
        if "/same-size-" in name or "/from-empty-" in name:
            continue  # the contract decides these before the library; see test_city_log.py
        names.append(name)
        wants.append(vector["want_error"])
        heads.append(_word(sizes[0]) + _word(sizes[1]) + ends[0] + ends[1])
        proofs.append(proof)
    _check_vectors(names, wants, harness.judge("judgeConsistencies", heads, proofs))


def _check_vectors(names: list[str], wants: list[object], verdicts: bytes) -> None:
    happy = sum(want is None for want in wants)
    assert happy >= 10
    assert len(wants) - happy >= 50
    for name, want, verdict in zip(names, wants, verdicts, strict=True):
        assert (verdict == ACCEPTED) == (want is None), f"{name}: {want}, Solidity {verdict}"


def test_harness_is_not_part_of_the_product() -> None:
    with pytest.raises(KeyError):
        load_artifact("Rfc6962Harness")
