"""Vectors of tile paths, entry bundles, whole logs, signed notes and checkpoints."""

from tests.reference import formats as f
from tests.reference.topics.merkle import make_entries
from tests.reference.topics.values import ORIGIN
from tests.reference.tree import mth
from tests.reference.vector_files import flip_bit, stray_bits, vector

SEED = bytes(range(32))
OTHER_SEED = bytes(range(1, 33))

GOOD_PATHS = {
    "tile/0/000": (0, 0, 256),
    "tile/0/067.p/3": (0, 67, 3),
    "tile/1/999.p/255": (1, 999, 255),
    "tile/0/x001/000": (0, 1000, 256),
    "tile/2/x001/x234/067.p/1": (2, 1234067, 1),
    "tile/entries/000.p/1": (-1, 0, 1),
    "tile/entries/x999/999": (-1, 999999, 256),
    "tile/7/000.p/255": (7, 0, 255),
    "tile/0/x072/x057/x594/x037/x927/935": (0, 2**56 - 1, 256),
}
BAD_PATHS = {
    "empty": "",
    "no-index": "tile/0",
    "short-group": "tile/0/67",
    "missing-x": "tile/0/001/067",
    "x-on-last-group": "tile/0/x067",
    "leading-zero-group": "tile/0/x000/067",
    "leading-zero-level": "tile/00/067",
    "level-8": "tile/8/000",
    "level-63": "tile/63/000",
    "negative-level": "tile/-1/000",
    "height-in-path": "tile/8/0/067",
    "width-0": "tile/0/067.p/0",
    "width-256": "tile/0/067.p/256",
    "width-leading-zero": "tile/0/067.p/03",
    "no-width": "tile/0/067.p/",
    "index-too-large": "tile/0/x072/x057/x594/x037/x927/936",
    "index-too-large-for-level": "tile/7/001",
    "line-break-after": "tile/0/067\n",
    "slash-before": "/tile/0/067",
    "dots": "tile/0/../067",
    "other-digits": "tile/0/\u0660\u0660\u0660",
    "upper-case": "tile/entries/X001/067",
    "data-tile": "tile/data/067",
}


def tile_path(level, index, width):
    """C2SP path, digit by digit."""
    digits = str(index)
    digits = "0" * (-len(digits) % 3) + digits
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{'entries' if level < 0 else level}/{path}" + (
        f".p/{width}" if width < 256 else ""
    )


def build_files(entries):
    """Every tile and bundle of a log, straight from the definition: tile L holds level 8L."""
    files = {}
    for at in range(0, len(entries), 256):
        part = entries[at : at + 256]
        files[tile_path(-1, at // 256, len(part))] = b"".join(
            len(e).to_bytes(2, "big") + e for e in part
        )
    level, step = 0, 1
    while len(entries) // step:
        nodes = [mth(entries[at : at + step]) for at in range(0, len(entries) // step * step, step)]
        for at in range(0, len(nodes), 256):
            part = nodes[at : at + 256]
            files[tile_path(level, at // 256, len(part))] = b"".join(part)
        level, step = level + 1, step * 256
    return files


def _paths():
    for number, (path, (level, index, width)) in enumerate(GOOD_PATHS.items()):
        yield vector(
            f"tiles/paths/good-{number}",
            "happy",
            path,
            path=path,
            level=level,
            index=index,
            width=width,
        )
    for name, path in BAD_PATHS.items():
        yield vector(
            "tiles/paths/refused", name, name.replace("-", " "), "MalformedTilePathError", path=path
        )


def _bundles():
    entries = make_entries(3)
    good = b"".join(len(e).to_bytes(2, "big") + e for e in entries)
    folder = "tiles/bundles/three"
    yield vector(folder, "happy", "three entries", bytes=good, width=3, entries=entries)
    yield vector(
        "tiles/bundles/odd-lengths",
        "happy",
        "entries of 0 and 1 bytes",
        bytes=b"\0\0\0\1x",
        width=2,
        entries=[b"", b"x"],
    )
    bad = {
        "width-plus-1": (good, 4),
        "width-minus-1": (good, 2),
        "truncated": (good[:-1], 3),
        "truncated-length": (good + b"\0", 3),
        "half-a-length": (good[:72] + b"\0", 3),
        "extra-byte": (good + b"\0", 3),
        "length-plus-1": (good[:1] + b"\x23" + good[2:], 3),
        "last-length-too-long": (good[:72] + b"\xff\xff" + good[74:], 3),
        "empty": (b"", 1),
    }
    for name, (data, width) in bad.items():
        yield vector(
            folder, name, name.replace("-", " "), "MalformedTileError", bytes=data, width=width
        )


def _logs():
    for size in (1, 5, 256, 257, 520):
        entries = make_entries(size)
        yield vector(
            f"tiles/logs/size-{size}",
            "happy",
            f"all files of {size} entries",
            entries=entries,
            files=build_files(entries),
            tree_size=size,
            root=mth(entries),
        )


def _notes():
    name, public = ORIGIN, f.ed25519_public(SEED)
    key = f.vkey(name, public)
    text = "第一行\nsecond line\n"
    note = f.note(text, name, SEED)
    line = note.rpartition("\n\n")[2]
    other = f.signature_line(
        "other.example", f.ed25519_public(OTHER_SEED), f.ed25519_sign(OTHER_SEED, text.encode())
    )
    signature = f.ed25519_sign(SEED, text.encode())
    folder = "signed_note/two-lines"

    def case(damage, desc, error, made, vkey=key):
        return vector(
            folder,
            damage,
            desc,
            error,
            note=made if isinstance(made, bytes) else made.encode(),
            vkey=vkey,
            text=text,
        )

    yield case("happy", "one signature", None, note)
    yield case(
        "happy-other-key-first",
        "a line of an unknown key before ours",
        None,
        f"{text}\n{other}{line}",
    )
    yield case("happy-other-key-last", "a line of an unknown key after ours", None, note + other)
    yield case("repeated-signature", "the same key twice", "MalformedNoteError", note + line)
    yield case(
        "changed-text", "another text", "NoteSignatureError", note.replace("second", "Second")
    )
    yield case("only-other-key", "nobody we trust", "NoteSignatureError", f"{text}\n{other}")
    yield case(
        "foreign-signature",
        "signed with another key under our key id",
        "NoteSignatureError",
        f"{text}\n" + f.signature_line(name, public, f.ed25519_sign(OTHER_SEED, text.encode())),
    )
    yield case(
        "short-signature",
        "63 bytes",
        "NoteSignatureError",
        f"{text}\n" + f.signature_line(name, public, signature[:63]),
    )
    raised = signature[:32] + (int.from_bytes(signature[32:], "little") + f.L).to_bytes(
        32, "little"
    )
    yield case(
        "malleable-signature",
        "s raised by the group order",
        "NoteSignatureError",
        f"{text}\n" + f.signature_line(name, public, raised),
    )
    yield case("no-signature", "no signature line", "MalformedNoteError", text)
    yield case("no-blank-line", "no blank line", "MalformedNoteError", text + line)
    yield case("no-last-line-break", "the last line is not closed", "MalformedNoteError", note[:-1])
    yield case("no-text", "no text", "MalformedNoteError", "\n\n" + line)
    yield case(
        "hyphen-for-dash",
        "a hyphen where the dash belongs",
        "MalformedNoteError",
        note.replace("\u2014", "-"),
    )
    yield case(
        "stray-bits",
        "signature spelt otherwise",
        "MalformedEncodingError",
        note.replace(line, _stray(line)),
    )
    yield case(
        "unpadded",
        "base64 without padding",
        "MalformedEncodingError",
        note.replace(line, line.replace("=", "")),
    )
    yield case(
        "only-key-id",
        "no signature after the key id",
        "MalformedNoteError",
        f"{text}\n" + f.signature_line(name, public, b""),
    )
    yield case(
        "name-with-plus",
        "a plus sign in the name",
        "MalformedNoteError",
        note.replace(f"\u2014 {name}", f"\u2014 {name}+"),
    )
    yield case(
        "carriage-return",
        "a control character",
        "MalformedNoteError",
        note.replace("line\n", "line\r\n"),
    )
    yield case("not-utf-8", "not UTF-8", "MalformedNoteError", b"\xff" + note.encode())
    yield case("too-long", "more than 65,536 bytes", "MalformedNoteError", "x" * 65_536 + note)
    yield case("too-many-signatures", "65 signature lines", "MalformedNoteError", note + other * 64)
    yield case(
        "vkey-two-parts", "verifier key without key id", "MalformedNoteError", note, "name+key"
    )
    yield case(
        "vkey-other-id",
        "key id of another key",
        "MalformedNoteError",
        note,
        f.vkey(name, public).replace(f.key_id(name, public).hex(), "00000000"),
    )
    yield case(
        "vkey-other-algorithm",
        "not Ed25519",
        "MalformedNoteError",
        note,
        f"{name}+00000000+{f.b64(bytes([2]) + public)}",
    )
    yield case(
        "vkey-short-key",
        "31 bytes",
        "MalformedEncodingError",
        note,
        f"{name}+00000000+{f.b64(bytes([1]) + public[:31])}",
    )
    yield case(
        "vkey-upper-case-id",
        "hex in upper case",
        "MalformedEncodingError",
        note,
        f"{name}+{f.key_id(name, public).hex().upper()}+{f.b64(bytes([1]) + public)}",
    )


def _stray(line):
    head, _, encoded = line.rstrip("\n").rpartition(" ")
    return f"{head} {stray_bits(encoded)}\n"


def _checkpoints():
    public, root = f.ed25519_public(SEED), mth(make_entries(5))
    key = f.vkey(ORIGIN, public)
    body = f.checkpoint(ORIGIN, 5, root)

    def case(damage, desc, error, text, origin=ORIGIN, size=5, folder="checkpoint/five", made=root):
        note = f.note(text, ORIGIN, SEED).encode()
        return vector(
            folder,
            damage,
            desc,
            error,
            note=note,
            vkey=key,
            origin=origin,
            tree_size=size,
            root=made,
        )

    empty = mth([])
    yield case("happy", "five entries", None, body)
    yield case(
        "happy",
        "an empty log",
        None,
        f.checkpoint(ORIGIN, 0, empty),
        size=0,
        folder="checkpoint/empty",
        made=empty,
    )
    largest = 2**64 - 1
    yield case(
        "size-2-to-64",
        "no uint64",
        "MalformedCheckpointError",
        f.checkpoint(ORIGIN, largest + 1, root),
    )
    yield case(
        "foreign-root",
        "size 0 with another root",
        "MalformedCheckpointError",
        f.checkpoint(ORIGIN, 0, root),
        folder="checkpoint/empty",
    )
    other = ORIGIN.replace("510107", "510700")
    yield case("other-city", "asked for another log", "OriginMismatchError", body, origin=other)
    yield case(
        "origin-five-digits",
        "no division code",
        "MalformedOriginError",
        f.checkpoint("tongban.example/51010/0", 5, root),
    )
    yield case(
        "origin-no-generation",
        "no generation",
        "MalformedOriginError",
        f.checkpoint("tongban.example/510107", 5, root),
    )
    yield case(
        "origin-generation-01",
        "generation with a leading zero",
        "MalformedOriginError",
        f.checkpoint("tongban.example/510107/01", 5, root),
    )
    yield case(
        "origin-generation-too-large",
        "no uint32",
        "MalformedOriginError",
        f.checkpoint("tongban.example/510107/4294967296", 5, root),
    )
    yield case(
        "origin-upper-case",
        "domain in upper case",
        "MalformedOriginError",
        f.checkpoint("Tongban.example/510107/0", 5, root),
    )
    yield case(
        "origin-one-label",
        "no domain",
        "MalformedOriginError",
        f.checkpoint("tongban/510107/0", 5, root),
    )
    yield case(
        "origin-too-long",
        "domain of 255 characters",
        "MalformedOriginError",
        f.checkpoint("a." * 127 + "a/510107/0", 5, root),
    )
    yield case(
        "size-leading-zero", "05", "MalformedCheckpointError", body.replace("\n5\n", "\n05\n")
    )
    yield case("size-sign", "+5", "MalformedCheckpointError", body.replace("\n5\n", "\n+5\n"))
    yield case(
        "size-missing",
        "two lines",
        "MalformedCheckpointError",
        body.replace("5\n", "", 1).replace("\n\n", "\n"),
    )
    yield case("extension-line", "a fourth line", "MalformedCheckpointError", body + "extension\n")
    yield case(
        "short-root", "31 bytes", "MalformedEncodingError", f.checkpoint(ORIGIN, 5, root[:31])
    )
    yield case(
        "root-stray-bits",
        "root spelt otherwise",
        "MalformedEncodingError",
        f"{ORIGIN}\n5\n{stray_bits(f.b64(root))}\n",
    )
    yield case(
        "flipped-root",
        "root of another tree, signed: only the log can tell",
        None,
        f.checkpoint(ORIGIN, 5, flip_bit(root)),
        folder="checkpoint/five-forked",
        made=flip_bit(root),
    )


def build_vectors():
    """Every vector of log files."""
    for topic in (_paths, _bundles, _logs, _notes, _checkpoints):
        yield from topic()
