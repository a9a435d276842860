"""Parsers of the byte formats of steps 1 to 3."""

from ledger_node.core import (
    canonical,
    checkpoint,
    cosignature,
    digest,
    disclosure,
    entry,
    entry_bundle,
    signed_note,
    statement_parts,
    tiles,
)
from tests.fuzz.parsers import ParserCase
from tests.reference import formats
from tests.reference.topics import cosignatures, logs, statements, values
from tests.reference.topics.merkle import make_entries

NOTE = formats.note(formats.checkpoint(values.ORIGIN, 5, bytes(32)), values.ORIGIN, logs.SEED)
OTHER_LINE = formats.signature_line("other.example", bytes(32), bytes(70))
PARTS = [
    statements.DOCUMENT,
    {**statements.DOCUMENT, "concerns": [0, 2], "extent": "extract", "pages": None},
]
STATEMENT_VALUES = {
    "code": "marriage-cert",
    "documents": [statements.DOCUMENT],
    "format": "tongban/statement-values/v1",
    "values": statements.VALUES,
    "version": 1,
}


def _encode_note(note):
    lines = [
        f"\u2014 {line.name} {canonical.encode_base64(line.key_id + line.signature)}\n"
        for line in note.signatures
    ]
    return (note.text + "\n" + "".join(lines)).encode()


def _encode_origin(origin):
    return checkpoint.build_origin(origin.domain, origin.city, origin.generation)


CASES = [
    ParserCase(
        "core.canonical.parse_canonical",
        "json",
        lambda data: canonical.parse_canonical(data, what="fuzz"),
        [formats.jcs(value) for value in values.GOOD_JSON.values()],
        canonical.encode_canonical,
    ),
    ParserCase(
        "core.canonical.parse_base64url",
        "text",
        lambda text: canonical.parse_base64url(text, what="fuzz"),
        ["", "AA", "AAA", "_-_-", formats.b64url(bytes(range(40)))],
        canonical.encode_base64url,
    ),
    ParserCase(
        "core.canonical.parse_base64",
        "text",
        lambda text: canonical.parse_base64(text, what="fuzz"),
        ["", "AA==", "AAA=", "+/+/", formats.b64(bytes(range(40)))],
        canonical.encode_base64,
    ),
    ParserCase(
        "core.canonical.parse_hex",
        "text",
        lambda text: canonical.parse_hex(text, what="fuzz"),
        ["", "00", "0123456789abcdef"],
        bytes.hex,
    ),
    ParserCase(
        "core.digest.parse_digest",
        "text",
        digest.parse_digest,
        ["sha-256:" + bytes(range(32)).hex()],
        digest.encode_digest,
    ),
    ParserCase(
        "core.disclosure.parse_disclosure",
        "text",
        lambda text: disclosure.parse_disclosure(text, "grade"),
        [
            formats.disclosure(bytes(range(32)), "grade", value)
            for value in (None, "A", {"姓名": [1]})
        ],
        lambda shown: disclosure.encode_disclosure(shown.salt, shown.name, shown.value),
    ),
    ParserCase(
        "core.entry.parse_entry",
        "bytes",
        entry.parse_entry,
        make_entries(3),
        lambda parsed: entry.encode_entry(parsed.kind, parsed.commitment),
    ),
    ParserCase(
        "core.tiles.parse_tile_path",
        "text",
        tiles.parse_tile_path,
        list(logs.GOOD_PATHS),
        tiles.Tile.path,
    ),
    ParserCase(
        "core.entry_bundle.parse_entry_bundle",
        "bytes",
        lambda data: entry_bundle.parse_entry_bundle(data, 3),
        [b"".join(b"\0\x22" + item for item in make_entries(3)), b"\0\0\0\1x\0\2yz"],
        entry_bundle.encode_entry_bundle,
    ),
    ParserCase(
        "core.signed_note.parse_note",
        "bytes",
        signed_note.parse_note,
        [NOTE.encode(), (NOTE + OTHER_LINE).encode(), f"a\n\nb\n\n{OTHER_LINE}".encode()],
        _encode_note,
    ),
    ParserCase(
        "core.signed_note.parse_verifier_key",
        "text",
        signed_note.parse_verifier_key,
        [formats.vkey(values.ORIGIN, bytes(32)), formats.vkey("other.example", bytes(range(32)))],
        signed_note.encode_verifier_key,
    ),
    ParserCase(
        "core.cosignature.parse_cosigner_key",
        "text",
        cosignature.parse_cosigner_key,
        [cosignatures.vkey(cosignatures.NAME, bytes(32)), cosignatures.vkey("w", bytes(range(32)))],
        cosignature.encode_cosigner_key,
    ),
    ParserCase(
        "core.checkpoint.parse_origin",
        "text",
        checkpoint.parse_origin,
        [values.ORIGIN, "a.b/133100/12"],
        _encode_origin,
    ),
    ParserCase(
        "core.checkpoint.parse_checkpoint",
        "text",
        checkpoint.parse_checkpoint,
        [formats.checkpoint(values.ORIGIN, size, bytes(32)) for size in (1, 1234, 2**64 - 1)],
        checkpoint.encode_checkpoint,
    ),
    ParserCase(
        "core.statement_parts.parse_document_part",
        "value",
        statement_parts.parse_document_part,
        PARTS,
        statement_parts.encode_document_part,
    ),
    ParserCase(
        "core.statement_parts.parse_statement_values",
        "json",
        statement_parts.parse_statement_values,
        [formats.jcs(STATEMENT_VALUES)],
        statement_parts.encode_statement_values,
    ),
]
