"""Every vector of the byte formats, read by name; each value is also written back."""

import json

import pytest

from ledger_node.core import (
    age_identity,
    canonical,
    checkpoint,
    commitment,
    derivation,
    digest,
    disclosure,
    entry,
    entry_bundle,
    merkle,
    signed_note,
    statement,
    tiles,
)
from tests.vector_runner import load_vectors, run_vector, unhex


@pytest.mark.parametrize("vector", load_vectors("canonical"))
def test_parse_canonical_vector_has_named_outcome(vector):
    data = bytes.fromhex(vector["bytes"])

    def action():
        assert canonical.encode_canonical(canonical.parse_canonical(data, what="vector")) == data

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("digest"))
def test_verify_digest_vector_has_named_outcome(vector):
    def action():
        expected = digest.parse_digest(vector["text"])
        assert digest.encode_digest(expected) == vector["text"]
        digest.verify_digest([bytes.fromhex(vector["document"])], expected)

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("disclosure"))
def test_parse_disclosure_vector_has_named_outcome(vector):
    def action():
        shown = disclosure.parse_disclosure(vector["text"], vector["name"])
        assert shown.salt.hex() == vector["salt"]
        assert canonical.encode_canonical(shown.value).hex() == vector["value"]
        assert disclosure.compute_disclosure_digest(vector["text"]).hex() == vector["digest"]
        assert disclosure.encode_disclosure(*_fields(shown)) == vector["text"]

    run_vector(vector, action)


def _fields(shown):
    return shown.salt, shown.name, shown.value


@pytest.mark.parametrize("vector", load_vectors("commitment"))
def test_verify_commitment_vector_has_named_outcome(vector):
    def action():
        commitment.verify_commitment(
            commitment.CommitmentKind(vector["kind"]),
            vector["origin"],
            bytes.fromhex(vector["salt"]),
            json.loads(bytes.fromhex(vector["body"])),
            bytes.fromhex(vector["commitment"]),
        )

    run_vector(vector, action)


def test_commitment_vectors_cover_every_kind():
    kinds = {parameter.values[0]["kind"] for parameter in load_vectors("commitment")}
    assert kinds == set(commitment.CommitmentKind)


@pytest.mark.parametrize("vector", load_vectors("entry"))
def test_parse_entry_vector_has_named_outcome(vector):
    def action():
        parsed = entry.parse_entry(bytes.fromhex(vector["bytes"]))
        assert parsed.kind.name.lower() == vector["kind"]
        assert parsed.commitment.hex() == vector["commitment"]
        assert entry.encode_entry(parsed.kind, parsed.commitment).hex() == vector["bytes"]

    run_vector(vector, action)


def test_entry_vectors_cover_every_kind():
    kinds = {parameter.values[0].get("kind") for parameter in load_vectors("entry")} - {None}
    assert kinds == {kind.name.lower() for kind in entry.EntryKind}


@pytest.mark.parametrize("vector", load_vectors("statement"))
def test_verify_showing_vector_has_named_outcome(vector):
    def action():
        showing = statement.verify_showing(
            vector["origin"],
            bytes.fromhex(vector["commitment"]),
            unhex(vector["digests"]),
            {int(position): text for position, text in vector["disclosed"].items()},
        )
        assert showing.statement_type.code == "marriage-cert"
        shown = {
            name: canonical.encode_canonical(item).hex() for name, item in showing.values.items()
        }
        assert shown == vector["values"]

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("derivation"))
def test_derivation_vector_has_named_outcome(vector):
    key = bytes.fromhex(vector["material_key"])

    def action():
        assert [salt.hex() for salt in derivation.derive_salts(key, 3)] == vector["salts"]
        assert derivation.derive_sealing_key(key).hex() == vector["sealing_key"]
        secrets = [derivation.derive_document_secret(key, index) for index in range(3)]
        assert [secret.hex() for secret in secrets] == vector["document_secrets"]
        identities = [age_identity.encode_age_identity(secret) for secret in secrets]
        assert identities == vector["age_identities"]

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("tiles/paths"))
def test_parse_tile_path_vector_has_named_outcome(vector):
    def action():
        tile = tiles.parse_tile_path(vector["path"])
        assert (tile.level, tile.index, tile.width) == (
            vector["level"],
            vector["index"],
            vector["width"],
        )
        assert tile.path() == vector["path"]

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("tiles/bundles"))
def test_parse_entry_bundle_vector_has_named_outcome(vector):
    data = bytes.fromhex(vector["bytes"])

    def action():
        entries = entry_bundle.parse_entry_bundle(data, vector["width"])
        assert entries == unhex(vector["entries"])
        assert entry_bundle.encode_entry_bundle(entries) == data

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("tiles/logs"))
def test_extend_tiles_vector_has_named_files(vector):
    entries = unhex(vector["entries"])
    files, head = tiles.extend_tiles(0, merkle.hash_leaves(entries), {}.__getitem__)
    files |= entry_bundle.build_entry_bundles(0, entries, {}.__getitem__)
    assert {path: data.hex() for path, data in files.items()} == vector["files"]
    assert (head.size, head.root.hex()) == (vector["tree_size"], vector["root"])


@pytest.mark.parametrize("vector", load_vectors("signed_note"))
def test_verify_note_vector_has_named_outcome(vector):
    def action():
        key = signed_note.parse_verifier_key(vector["vkey"])
        assert signed_note.encode_verifier_key(key) == vector["vkey"]
        note = signed_note.verify_note(bytes.fromhex(vector["note"]), [key])
        assert note.text == vector["text"]

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("checkpoint"))
def test_verify_checkpoint_vector_has_named_outcome(vector):
    note = bytes.fromhex(vector["note"])

    def action():
        key = signed_note.parse_verifier_key(vector["vkey"])
        found = checkpoint.verify_checkpoint(note, vector["origin"], key)
        head = found.tree_head
        assert (head.size, head.root.hex()) == (vector["tree_size"], vector["root"])
        line = signed_note.parse_note(note).signatures[0]
        text = checkpoint.encode_checkpoint(found)
        rebuilt = signed_note.build_note(text, line.name, key.public_key, line.signature)
        assert rebuilt == note

    run_vector(vector, action)
