"""Derivation against independent libraries, notes and checkpoints beyond their vectors."""

import hashlib

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.core import age_identity, checkpoint, derivation, digest, disclosure, entry, merkle
from ledger_node.core import commitment as commitments
from ledger_node.core import signed_note as notes
from ledger_node.core.errors import LedgerError

ORIGIN = "tongban.example/510107/0"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = notes.VerifierKey(ORIGIN, PRIVATE.public_key().public_bytes_raw())
OTHER_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER = notes.VerifierKey("other.example", OTHER_PRIVATE.public_key().public_bytes_raw())
TEXT = f"{ORIGIN}\n5\n{'A' * 43}=\n"
NOTE = notes.build_note(TEXT, ORIGIN, KEY.public_key, PRIVATE.sign(TEXT.encode()))
QUICK = settings(derandomize=True, max_examples=150, deadline=None, database=None)


def hkdf(key, info):
    return HKDF(SHA256(), 32, b"tongban/material-key/v1", info).derive(key)


@pytest.mark.parametrize("key", [bytes(32), bytes(range(32)), b"\xff" * 32])
def test_derive_values_equal_hkdf_of_a_library(key):
    assert derivation.derive_salts(key, 300)[299] == hkdf(key, b"tongban/salt/v1\n\x01\x2b")
    assert derivation.derive_sealing_key(key) == hkdf(key, b"tongban/statement-seal/v1\n")
    assert derivation.derive_document_secret(key, 258) == hkdf(key, b"tongban/document/v1\n\1\2")


def test_derive_values_are_all_different():
    keys = [bytes(32), bytes(31) + b"\1"]
    made = [derivation.derive_sealing_key(key) for key in keys]
    made += [salt for key in keys for salt in derivation.derive_salts(key, 50)]
    made += [derivation.derive_document_secret(key, i) for key in keys for i in range(50)]
    assert len(set(made)) == len(made) == 202


@pytest.mark.parametrize("index", [-1, 65_536])
def test_derive_position_out_of_range_raises_malformed(index):
    with pytest.raises(derivation.MalformedKeyError):
        derivation.derive_document_secret(bytes(32), index)
    with pytest.raises(derivation.MalformedKeyError):
        derivation.derive_salts(bytes(32), index + 1 if index > 0 else index)
    assert derivation.derive_salts(bytes(32), 0) == []


def test_age_identity_opens_what_age_sealed_to_it():
    secret = derivation.derive_document_secret(bytes(32), 0)
    identity = pyrage.x25519.Identity.from_str(age_identity.encode_age_identity(secret))
    assert str(identity) == age_identity.encode_age_identity(secret)
    sealed = pyrage.encrypt(b"document", [identity.to_public()])
    assert pyrage.decrypt(sealed, [identity]) == b"document"
    with pytest.raises(derivation.MalformedKeyError):
        age_identity.encode_age_identity(secret[:31])


@QUICK
@given(st.integers(0, 8 * len(NOTE) - 1))
def test_verify_note_any_flipped_bit_fails(bit):
    changed = bytearray(NOTE)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LedgerError):
        notes.verify_note(bytes(changed), [KEY])


def test_verify_note_demands_every_trusted_line_to_hold():
    both = notes.add_signature(NOTE, OTHER, OTHER_PRIVATE.sign(TEXT.encode()))
    assert len(notes.verify_note(both, [KEY, OTHER]).signatures) == 2
    forged = notes.add_signature(NOTE, OTHER, PRIVATE.sign(TEXT.encode()))
    assert notes.verify_note(forged, [KEY]).text == TEXT
    with pytest.raises(notes.NoteSignatureError) as caught:
        notes.verify_note(forged, [KEY, OTHER])
    assert caught.value.fields["key_name"] == "other.example"


def test_verify_note_without_trusted_keys_raises():
    with pytest.raises(notes.NoteSignatureError):
        notes.verify_note(NOTE, [])


def test_verify_note_repeated_line_of_unknown_key_is_ignored():
    line = b"\xe2\x80\x94 witness.example AAAAAAA=\n"
    assert notes.verify_note(NOTE + line + line, [KEY]).text == TEXT


@pytest.mark.parametrize(
    ("text", "name", "signature"),
    [
        ("no line break", ORIGIN, bytes(64)),
        ("tab\t\n", ORIGIN, bytes(64)),
        ("text\n", "blank name", bytes(64)),
        ("text\n", "blank\u3000name", bytes(64)),
        ("text\n", "plus+name", bytes(64)),
        ("text\n", "lone\ud800surrogate", bytes(64)),
        ("lone\ud800surrogate\n", ORIGIN, bytes(64)),
        ("text\n", "", bytes(64)),
        ("text\n", ORIGIN, bytes(63)),
    ],
)
def test_build_note_unfit_input_raises_malformed(text, name, signature):
    with pytest.raises(notes.MalformedNoteError):
        notes.build_note(text, name, KEY.public_key, signature)


def test_compute_key_id_short_key_raises_malformed():
    with pytest.raises(notes.MalformedNoteError):
        notes.compute_key_id(ORIGIN, bytes(31))


@pytest.mark.parametrize("generation", [0, 1, 2**32 - 1])
def test_origin_round_trip(generation):
    text = checkpoint.build_origin("tongban.example", "510107", generation)
    assert checkpoint.parse_origin(text) == checkpoint.LogOrigin(
        "tongban.example", "510107", generation
    )


@pytest.mark.parametrize(
    ("domain", "city", "generation"),
    [
        ("tongban", "510107", 0),
        ("tongban.example.", "510107", 0),
        ("-tongban.example", "510107", 0),
        ("tongban.example", "51010", 0),
        ("tongban.example", "٥١٠١٠٧", 0),
        ("tongban.example", "510107", -1),
        ("tongban.example", "510107", 2**32),
    ],
)
def test_build_origin_unfit_part_raises_malformed(domain, city, generation):
    with pytest.raises(checkpoint.MalformedOriginError):
        checkpoint.build_origin(domain, city, generation)


def test_checkpoint_round_trip_at_the_largest_size():
    head = merkle.TreeHead(2**64 - 1, hashlib.sha256(b"root").digest())
    made = checkpoint.Checkpoint(ORIGIN, head)
    assert checkpoint.parse_checkpoint(checkpoint.encode_checkpoint(made)) == made
    with pytest.raises(checkpoint.MalformedOriginError):
        checkpoint.encode_checkpoint(checkpoint.Checkpoint("no origin", head))


def test_digest_stream_counts_and_equals_one_pass():
    stream = digest.DigestStream()
    for chunk in (b"ab", b"", b"c"):
        stream.update(chunk)
    assert stream.size_bytes == 3
    assert stream.digest() == digest.compute_digest([b"abc"]) == hashlib.sha256(b"abc").digest()


def test_verify_digest_mismatch_carries_both():
    with pytest.raises(digest.DigestMismatchError) as caught:
        digest.verify_digest([b"b"], digest.compute_digest([b"a"]))
    assert caught.value.fields["computed"] == hashlib.sha256(b"b").digest()
    assert caught.value.fields["expected"] == hashlib.sha256(b"a").digest()


def test_compute_commitment_public_salt_is_stable():
    kind = commitments.CommitmentKind.GENERATION
    made = commitments.compute_commitment(kind, ORIGIN, commitments.PUBLIC_SALT, {"size": 1})
    commitments.verify_commitment(kind, ORIGIN, bytes(32), {"size": 1}, made)


def test_encode_entries_one_short_commitment_raises_malformed():
    kind = entry.EntryKind.ACCESS
    assert entry.encode_entries(kind, [bytes(32)] * 2) == [b"\1\3" + bytes(32)] * 2
    with pytest.raises(entry.MalformedEntryError):
        entry.encode_entries(kind, [bytes(32), bytes(31)])


def test_compute_disclosure_digest_text_beyond_ascii_raises():
    with pytest.raises(disclosure.MalformedDisclosureError):
        disclosure.compute_disclosure_digest("é")
