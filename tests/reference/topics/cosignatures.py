"""Vectors of cosignatures (C2SP tlog-cosignature, Ed25519)."""

from tests.reference import formats as f
from tests.reference.topics.merkle import make_entries
from tests.reference.topics.values import ORIGIN
from tests.reference.tree import mth
from tests.reference.vector_files import stray_bits, vector

LOG_SEED = bytes(range(32))
SEED = bytes(range(2, 34))
OTHER_SEED = bytes(range(3, 35))
NAME = "tongban.example/witness/510700"
AT_S = 1_795_000_000
FOLDER = "cosignature/five"


def key_id(name, public, kind=b"\x04"):
    return f.sha256(name.encode(), b"\n", kind, public)[:4]


def vkey(name, public, kind=b"\x04"):
    return f"{name}+{key_id(name, public, kind).hex()}+{f.b64(kind + public)}"


def cosigned_message(text, at_s):
    return b"cosignature/v1\ntime " + str(at_s).encode() + b"\n" + text.encode()


def line_of(text, seed=SEED, at_s=AT_S, name=NAME, said=None, made_id=None, signed=None):
    """A line; `signed` replaces what is signed, `said` the time that stands in it."""
    message = cosigned_message(text, at_s) if signed is None else signed
    public = f.ed25519_public(seed)
    stamp = (at_s if said is None else said).to_bytes(8, "big")
    data = (made_id or key_id(name, public)) + stamp + f.ed25519_sign(seed, message)
    return f"\u2014 {name} {f.b64(data)}\n"


def build_vectors():
    text = f.checkpoint(ORIGIN, 5, mth(make_entries(5)))
    own = f.note(text, ORIGIN, LOG_SEED).rpartition("\n\n")[2]
    public = f.ed25519_public(SEED)
    key, line = vkey(NAME, public), line_of(text)
    other = line_of(text, OTHER_SEED, name="tongban.example/witness/133100")
    data_of = lambda made: made.rstrip("\n").rpartition(" ")[2]  # noqa: E731

    def case(damage, desc, error, lines, made=text, origin=ORIGIN, at_s=AT_S, its=key):
        return vector(
            FOLDER, damage, desc, error,
            note=f"{made}\n{lines}".encode(), vkey=its, origin=origin, tree_size=5,
            root=mth(make_entries(5)), cosigned_at=at_s,
        )  # fmt: skip

    yield case("happy", "the log's own signature and a cosignature", None, own + line)
    yield case("happy-alone", "a cosignature alone", None, line)
    yield case("happy-others", "between lines of other keys", None, own + other + line)
    yield case("happy-time-0", "the earliest time", None, line_of(text, at_s=0), at_s=0)
    last = 2**63 - 1
    yield case("happy-last-time", "the latest time", None, line_of(text, at_s=last), at_s=last)
    late = line_of(text, at_s=2**63)
    yield case("time-too-large", "a time of 2^63", "MalformedCosignatureError", late)
    yield case("no-cosignature", "the log's own line only", "CosignatureError", own)
    yield case("other-witness", "another witness only", "CosignatureError", own + other)
    yield case("changed-time", "another time in the line than was signed", "CosignatureError",
               line_of(text, said=AT_S + 1))  # fmt: skip
    yield case("changed-size", "another size in the text", "CosignatureError", own + line,
               text.replace("\n5\n", "\n6\n"))  # fmt: skip
    yield case("foreign-key", "another key under our key id", "CosignatureError",
               line_of(text, OTHER_SEED, made_id=key_id(NAME, public)))  # fmt: skip
    yield case("signed-as-log", "the bare text was signed, as a log signs", "CosignatureError",
               line_of(text, signed=text.encode()))  # fmt: skip
    yield case("log-key-id", "a key id with the type byte of a log", "CosignatureError",
               line_of(text, made_id=key_id(NAME, public, b"\x01")))  # fmt: skip
    zeros = b"cosignature/v1\ntime 0" + str(AT_S).encode() + b"\n" + text.encode()
    yield case("leading-zero", "the time was signed with a leading zero", "CosignatureError",
               line_of(text, signed=zeros))  # fmt: skip
    yield case("twice", "the same key twice", "MalformedCosignatureError", line + line)
    bare = f"\u2014 {NAME} {f.b64(key_id(NAME, public) + f.ed25519_sign(SEED, text.encode()))}\n"
    yield case("no-time", "64 bytes without a time", "MalformedCosignatureError", bare)
    yield case("stray-bits", "base64 spelt otherwise", "MalformedEncodingError",
               line.replace(data_of(line), stray_bits(data_of(line))))  # fmt: skip
    yield case("other-log", "asked for another log", "OriginMismatchError", own + line,
               origin=ORIGIN.replace("/510107/", "/510700/"))  # fmt: skip
    extended = text + "extension\n"
    yield case("extension-line", "a fourth line", "MalformedCheckpointError",
               line_of(extended), extended)  # fmt: skip
    for damage, desc, error, its in (
        ("vkey-log-type", "a log's key", "MalformedCosignatureError", vkey(NAME, public, b"\x01")),
        ("vkey-other-id", "id of another key", "MalformedCosignatureError",
         key.replace(key_id(NAME, public).hex(), "00000000")),
        ("vkey-two-parts", "no key id", "MalformedCosignatureError", "name+key"),
    ):  # fmt: skip
        yield case(damage, desc, error, line, its=its)
