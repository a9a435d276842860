"""Vectors of an auditor's files: signed reports, portions of a chain copy."""

import hashlib
import struct

from tests.reference import formats as f
from tests.reference.topics.cosignatures import vkey
from tests.reference.vector_files import flip_bit, vector

SEED, OTHER_SEED = bytes(range(7, 39)), bytes(range(8, 40))
VERSION = "tongban/audit-report/v1"
NAME = "audit-office-2026"
GENESIS = bytes(range(32))
MAGIC = b"tongban/chain-copy/v1\n"
H = [hashlib.sha256(bytes([number])).digest() for number in range(8)]
FOUND = {"code": "log_withheld", "where": "log 510107/1 bundle 0", "detail": "HTTP 404"}


def key_of(seed, name=NAME):
    return vkey(name, f.ed25519_public(seed), b"\x01")


def report(found=(), **changes):
    return {
        "clean": not found,
        "as_of": {"number": 9, "hash": H[0].hex(), "timestamp": 1_795_000_000},
        "blocks": 10,
        "events": 2,
        "event_counts": {"CheckpointAnchored": 2},
        "logs": [{"origin": "tongban.example/510107/1", "entries": 5, "heads": 2, "explained": 2}],
        "storage_reads": 8,
        "database_rows": None,
        "documents_read": None,
        "state_digest": H[1].hex(),
        "discrepancy_count": len(found),
        "discrepancies": list(found),
    } | changes


def unsigned(inner=None, **changes):
    return {
        "v": VERSION,
        "program": "0.1.0",
        "engine": "engine/v1",
        "source": "rpc",
        "domain": "tongban.example",
        "chain_id": 7107,
        "genesis": GENESIS.hex(),
        "membership": "0x" + "11" * 20,
        "first_block": 0,
        "sample": 200,
        "finished_at": 1_795_000_060,
        "report": inner or report(),
        "keyid": key_of(SEED),
    } | changes


def signed(body, seed=SEED, version=VERSION):
    message = version.encode() + b"\n" + f.sha256(f.jcs(body))
    return f.jcs(body | {"signature": f.b64(f.ed25519_sign(seed, message))})


def build_reports():
    def case(damage, desc, error, data, auditor=SEED):
        return vector(
            "audit_report/one", damage, desc, error, report=data.decode(), vkey=key_of(auditor)
        )

    body = unsigned()
    good, bad = signed(body), "ReportSignatureError"
    yield case("happy", "a clean report", None, good)
    yield case("happy-found", "with a discrepancy", None, signed(unsigned(report((FOUND,)))))
    yield case("happy-copy", "from a copy", None, signed(unsigned(source="copy", sample=None)))
    yield case(
        "changed-count", "a figure changed", bad, good.replace(b'"blocks":10', b'"blocks":9')
    )
    yield case("foreign-key", "signed by another key", bad, signed(body, OTHER_SEED))
    other = signed(unsigned(keyid=key_of(OTHER_SEED)), OTHER_SEED)
    yield case("other-auditor", "wholly another auditor's", bad, other)
    yield case("other-version", "signed as another kind", bad, signed(body, version="tongban/x/v1"))
    lie = signed(unsigned(report((FOUND,), clean=True)))
    yield case("clean-lie", "clean beside a discrepancy", "ReportContradictionError", lie)
    many = signed(unsigned(report(blocks=11)))
    yield case("blocks-lie", "more blocks than there are", "ReportContradictionError", many)
    spaced = good.replace(b'"blocks":10', b'"blocks": 10')
    yield case("not-canonical", "a blank", "NotCanonicalError", spaced)
    more = signed(unsigned() | {"extra": 1})
    yield case("extra-member", "an unknown member", "UnexpectedShapeError", more)
    later = signed(unsigned(v="tongban/audit-report/v2"))
    yield case("later-version", "another version", "UnknownVersionError", later)


def portion(first=4, count=2, topics=1, tail=b""):
    log = bytes(range(20)) + H[2] + bytes([topics]) + H[3] * topics + struct.pack(">I", 3) + b"abc"
    empty = H[4] + H[5] + struct.pack(">QI", 1_795_000_000, 0)
    full = H[6] + H[4] + struct.pack(">QI", 1_795_000_001, 1) + b"\x01" * 256 + log
    return MAGIC + struct.pack(">QI", first, count) + empty + full + tail


def sealed(data):
    return data + hashlib.sha256(data).digest()


def build_copies():
    bad, good = "ChainCopyDamagedError", sealed(portion())

    def case(damage, desc, error, data):
        return vector("chain_copy/two", damage, desc, error, bytes=data, first=4, blocks=2, logs=1)

    yield case("happy", "two blocks, one log", None, good)
    yield case("happy-anonymous", "a log without topics", None, sealed(portion(topics=0)))
    yield case("happy-four-topics", "as many topics as can be", None, sealed(portion(topics=4)))
    yield case("flipped-bit", "a bit changed", bad, flip_bit(good, 8 * 60))
    yield case("flipped-digest", "its digest changed", bad, flip_bit(good, 8 * len(good) - 1))
    yield case("cut", "the last byte missing", bad, good[:-1])
    yield case("five-topics", "more topics than a log has", bad, sealed(portion(topics=5)))
    yield case("trailing", "a byte behind the last log", bad, sealed(portion(tail=b"\0")))
    yield case("block-missing", "fewer blocks than it says", bad, sealed(portion(count=3)))
    yield case("block-extra", "more blocks than it says", bad, sealed(portion(count=1)))
    yield case("no-block", "no block at all", bad, sealed(MAGIC + struct.pack(">QI", 4, 0)))
    other = portion().replace(b"copy/v1", b"copy/v2")
    yield case("other-version", "another version", bad, sealed(other))


def build_vectors():
    yield from build_reports()
    yield from build_copies()
