"""Exported proofs of single entries: vectors, flipped bits, and what a receipt exports."""

import json
import random

import pytest

from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.errors import LedgerError
from ledger_node.core.receipt_registration import read_registration_body
from ledger_node.core.receipt_v1 import parse_receipt_of_any_version
from ledger_node.core.signed_note import VerifierKey, parse_verifier_key
from ledger_node.core.tlog_proof import (
    TlogProof,
    encode_tlog_proof,
    parse_tlog_proof,
    verify_tlog_proof,
)
from tests.reference import formats as f
from tests.vector_runner import VECTORS, load_vectors, run_vector

FLIPS = 200
ALL = load_vectors("tlog_proof")


def arguments(vector):
    entry, key = bytes.fromhex(vector["entry"]), parse_verifier_key(vector["vkey"])
    return entry, vector["origin"], key


@pytest.mark.parametrize("vector", ALL)
def test_verify_tlog_proof_vector_has_named_outcome(vector):
    data = bytes.fromhex(vector["bytes"])

    def action():
        checkpoint = verify_tlog_proof(data, *arguments(vector))
        assert checkpoint.origin == vector["origin"]
        assert encode_tlog_proof(parse_tlog_proof(data)) == data

    run_vector(vector, action)


def test_verify_tlog_proof_any_flipped_bit_is_refused():
    [vector] = [each.values[0] for each in ALL if each.id == "entry/happy-2"]
    data, rng = bytes.fromhex(vector["bytes"]), random.Random("flip/tlog-proof")
    verify_tlog_proof(data, *arguments(vector))
    for bit in rng.sample(range(8 * len(data)), FLIPS):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LedgerError):
            verify_tlog_proof(bytes(flipped), *arguments(vector))


def test_tlog_proof_of_a_receipts_material_verifies():
    path = VECTORS / "receipt_v1" / "registration" / "happy.json"
    receipt = parse_receipt_of_any_version(json.loads(path.read_text("utf-8"))["receipt"].encode())
    body, placement = read_registration_body(receipt.body), receipt.seal.placement
    origin, seed = f"tongban.example/{body.city}/{placement.generation}", bytes(32)
    head = placement.tree_head
    note = f.note(f.checkpoint(origin, head.size, head.root), origin, seed).encode()
    made = encode_tlog_proof(TlogProof(body.entry, placement.leaf_index, placement.proof, note))
    key = VerifierKey(origin, f.ed25519_public(seed))
    assert verify_tlog_proof(made, body.entry, origin, key).tree_head == head
    other = encode_entry(EntryKind.MATERIAL, bytes(32))
    with pytest.raises(LedgerError):
        verify_tlog_proof(made, other, origin, key)
