"""Cosignatures: vectors from the reference, round trips, names."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core import cosignature
from ledger_node.core.checkpoint import Checkpoint, MalformedOriginError, encode_checkpoint
from ledger_node.core.errors import LedgerError
from ledger_node.core.merkle import TreeHead, compute_root, hash_leaves
from ledger_node.core.signed_note import parse_note
from ledger_node.core.types import CityId, PublicKey, TreeSize
from tests.vector_runner import load_vectors, run_vector

ORIGIN = "tongban.example/510107/1"


@pytest.mark.parametrize("vector", load_vectors("cosignature"))
def test_verify_cosignature_vector_has_named_outcome(vector):
    note = bytes.fromhex(vector["note"])

    def action():
        key = cosignature.parse_cosigner_key(vector["vkey"])
        assert cosignature.encode_cosigner_key(key) == vector["vkey"]
        found = cosignature.verify_cosignature(note, vector["origin"], key)
        head = found.checkpoint.tree_head
        assert (head.size, head.root.hex()) == (vector["tree_size"], vector["root"])
        assert found.cosigned_at_s == vector["cosigned_at"]
        lines = cosignature.split_signature_lines(note)
        assert cosignature.build_cosigned_note(found.checkpoint, lines) == note

    run_vector(vector, action)


# A checkpoint of a public log with the cosignatures of four public witnesses, as served; their keys
# as they publish them. Nothing of it was made by us.
REAL = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

\u2014 arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3\
NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
\u2014 transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2r\
hIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
\u2014 witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ7\
5W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
\u2014 remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXT\
ynk5XeU/zZ0WBxtqB0DrAWfBw==
\u2014 witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY\
/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
REAL_KEYS = (
    "transparency.dev/DEV:witness-little-garden+d8042a87"
    "+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
)


@pytest.mark.parametrize("vkey", REAL_KEYS)
def test_verify_line_of_a_public_witness_holds_and_fails_for_another_head(vkey):
    key = cosignature.parse_cosigner_key(vkey)
    assert cosignature.encode_cosigner_key(key) == vkey
    note = REAL.encode()
    assert cosignature.verify_cosigned_text(parse_note(note), key) == 0x6A122120
    other = parse_note(note.replace(b"\n1432088532\n", b"\n1432088533\n"))
    with pytest.raises(cosignature.CosignatureError):
        cosignature.verify_cosigned_text(other, key)


def test_every_flipped_bit_of_a_cosigned_checkpoint_is_refused():
    signer = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    name = cosignature.build_cosigner_name("tongban.example", CityId("510700"))
    key = cosignature.CosignerKey(name, PublicKey(signer.public_key().public_bytes_raw()))
    head = TreeHead(TreeSize(2), compute_root(hash_leaves([b"a", b"b"])))
    checkpoint = Checkpoint(ORIGIN, head)
    message = cosignature.build_cosigned_message(encode_checkpoint(checkpoint), 1_795_000_000)
    line = cosignature.encode_cosignature(key, 1_795_000_000, signer.sign(message))
    note = cosignature.build_cosigned_note(checkpoint, [line])
    assert cosignature.verify_cosignature(note, ORIGIN, key).checkpoint == checkpoint
    for bit in range(len(note) * 8):
        changed = bytearray(note)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LedgerError):
            cosignature.verify_cosignature(bytes(changed), ORIGIN, key)


def test_encode_cosignature_short_signature_or_bad_time_is_refused():
    key = cosignature.CosignerKey("witness.example", PublicKey(bytes(32)))
    for at_s, signature in ((-1, bytes(64)), (2**63, bytes(64)), (0, bytes(63))):
        with pytest.raises(cosignature.MalformedCosignatureError):
            cosignature.encode_cosignature(key, at_s, signature)


def test_build_cosigner_name_never_reads_as_an_origin():
    name = cosignature.build_cosigner_name("tongban.example", CityId("510700"))
    assert name == "tongban.example/witness/510700"
    with pytest.raises(MalformedOriginError):
        cosignature.build_cosigner_name("tongban.example", CityId("witness"))
