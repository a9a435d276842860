"""Vectors of tlog proofs (C2SP): every entry of a small log, and named damages."""

import base64

from tests.reference import formats as f
from tests.reference.topics.logs import OTHER_SEED, SEED
from tests.reference.topics.merkle import make_entries
from tests.reference.topics.values import ORIGIN
from tests.reference.tree import mth, path
from tests.reference.vector_files import stray_bits, vector

SIZE = 5


def proof_text(index, entries, *, extra=True, seed=SEED, origin=ORIGIN, nodes=None):
    lines = ["c2sp.org/tlog-proof@v1"]
    if extra:
        lines.append("extra " + f.b64(entries[index]))
    lines.append(f"index {index}")
    lines += [f.b64(node) for node in (path(index, entries) if nodes is None else nodes)]
    note = f.note(f.checkpoint(origin, len(entries), mth(entries)), origin, seed)
    return "\n".join([*lines, "", ""]) + note


def build_vectors():
    entries = [b"\x01\x01" + f.sha256(entry) for entry in make_entries(SIZE)]
    good = proof_text(2, entries)
    fields = {
        "entry": entries[2],
        "origin": ORIGIN,
        "vkey": f.vkey(ORIGIN, f.ed25519_public(SEED)),
    }

    def case(name, text, error=None, **changes):
        words = name.replace("-", " ")
        data = text.encode() if isinstance(text, str) else text
        return vector("tlog_proof/entry", name, words, error, bytes=data, **(fields | changes))

    malformed, encoding = "MalformedTlogProofError", "MalformedEncodingError"
    for index in range(SIZE):
        name = f"happy-{index}"
        yield case(name, proof_text(index, entries), entry=entries[index])
    yield case("happy-without-extra", proof_text(2, entries, extra=False))
    cosigned = good + f.signature_line("witness.example", bytes(32), bytes(72))
    yield case("happy-with-a-line-of-somebody-else", cosigned)
    yield case("one-entry", proof_text(0, entries[:1]), entry=entries[0])
    yield case("other-version", good.replace("@v1", "@v2"), malformed)
    yield case("no-header", good.partition("\n")[2], malformed)
    yield case("no-index", good.replace("index 2\n", ""), malformed)
    yield case("index-with-zero", good.replace("index 2", "index 02"), malformed)
    yield case("index-negative", good.replace("index 2", "index -2"), malformed)
    yield case("index-no-uint64", good.replace("index 2", f"index {2**64}"), malformed)
    yield case("index-of-another", good.replace("index 2", "index 3"), "RootMismatchError")
    yield case("index-beyond", good.replace("index 2", "index 5"), "MalformedProofError")
    yield case("cut-before-the-note", good.partition("\n\n")[0] + "\n", malformed)
    yield case("extra-twice", good.replace("index", "extra AA==\nindex"), malformed)
    yield case("carriage-returns", good.replace("\n", "\r\n"), malformed)
    yield case("not-ascii", good.replace("index", "índex"), malformed)
    yield case("too-long", good + "x" * 80_000, malformed)
    yield case("many-hashes", proof_text(2, entries, nodes=[bytes(32)] * 65), malformed)
    nodes = path(2, entries)
    yield case("hash-missing", proof_text(2, entries, nodes=nodes[:-1]), "MalformedProofError")
    swapped = proof_text(2, entries, nodes=nodes[::-1])
    yield case("hashes-swapped", swapped, "RootMismatchError")
    short = good.replace(f.b64(nodes[0]), base64.b64encode(bytes(31)).decode())
    yield case("hash-short", short, encoding)
    yield case(
        "hash-stray-bits", good.replace(f.b64(nodes[0]), stray_bits(f.b64(nodes[0]))), encoding
    )
    yield case("extra-of-another-entry", good, "TlogProofEntryError", entry=entries[3])
    plain = proof_text(2, entries, extra=False)
    yield case("entry-of-another", plain, "RootMismatchError", entry=entries[3])
    yield case(
        "signed-by-another-key", proof_text(2, entries, seed=OTHER_SEED), "NoteSignatureError"
    )
    other = ORIGIN.rpartition("/")[0] + "/9"
    note_of_other = f.checkpoint(other, SIZE, mth(entries))
    moved = good.partition("\n\n")[0] + "\n\n" + f.note(note_of_other, ORIGIN, SEED)
    yield case("head-of-another-log", moved, "OriginMismatchError")
