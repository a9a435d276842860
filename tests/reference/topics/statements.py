"""Vectors of statements and showings."""

from tests.reference import formats as f
from tests.reference.topics.values import ORIGIN, derive
from tests.reference.vector_files import flip_bit, vector

FIELDS = [
    "subjects",
    "issuer",
    "number",
    "issued_on",
    "valid_from",
    "valid_until",
    "grade",
    "original_check",
    "retention",
    "predecessor",
    "attributes",
]
KEY = bytes(range(32))
VALUES = {
    "subjects": [
        {"name": "张三", "number": "11010519491231002X", "role": "spouse", "scheme": "resident-id"},
        {"name": "李四", "number": "440524188001010014", "role": "spouse", "scheme": "resident-id"},
    ],
    "issuer": {"code": "11510107MB1234567X", "name": "成都市武侯区民政局"},
    "number": "J510107-2025-001234",
    "issued_on": "2025-05-20",
    "valid_from": "2025-05-20",
    "grade": "B",
    "original_check": {
        "checked_at": "2026-03-02T09:14:00Z",
        "device": "W3-scanner",
        "officer": "510107-0042",
        "pages": 2,
    },
    "retention": "permanent",
    "attributes": {"place": "武侯区"},
}
DOCUMENT = {
    "concerns": [],
    "digest": "sha-256:" + f.sha256("结婚证扫描件".encode()).hex(),
    "extent": "complete",
    "media_type": "application/pdf",
    "pages": 2,
    "size_bytes": 18,
}


def make_statement(documents, type_value=None):
    """Disclosures, digests and commitment of the example statement."""
    pairs = [("type", type_value or {"code": "marriage-cert", "version": 1})]
    pairs += [(name, VALUES.get(name)) for name in FIELDS]
    pairs += [(f"document.{i}", value) for i, value in enumerate(documents)]
    texts = []
    for position, (name, value) in enumerate(pairs):
        salt = derive(KEY, b"tongban/salt/v1\n" + position.to_bytes(2, "big"))
        texts.append(f.disclosure(salt, name, value))
    digests = [f.sha256(text.encode()) for text in texts]
    return texts, digests, f.statement_commitment(ORIGIN, digests)


def _happy():
    for count in (0, 1, 2):
        texts, digests, made = make_statement([DOCUMENT] * count)
        case = {"origin": ORIGIN, "commitment": made, "digests": digests}
        folder = f"statement/documents-{count}"
        everything = dict(enumerate(texts))
        values = {name: f.jcs(VALUES.get(name)) for name in FIELDS}
        values |= {f"document.{i}": f.jcs(DOCUMENT) for i in range(count)}
        yield vector(
            folder, "happy", "everything shown", **case, disclosed=everything, values=values
        )
        yield vector(
            folder,
            "happy-type-only",
            "only the type shown",
            **case,
            disclosed={0: texts[0]},
            values={},
        )
        shown = {0: texts[0], 4: texts[4]}
        yield vector(
            folder,
            "happy-one-field",
            "one field shown",
            **case,
            disclosed=shown,
            values={"issued_on": f.jcs("2025-05-20")},
        )


def _damaged():
    texts, digests, made = make_statement([DOCUMENT])
    good = {
        "origin": ORIGIN,
        "commitment": made,
        "digests": digests,
        "disclosed": {0: texts[0], 6: texts[6]},
    }

    def bad(damage, desc, error, **change):
        return vector("statement/documents-1", damage, desc, error, **{**good, **change})

    mismatch = "StatementMismatchError"
    yield bad(
        "other-city",
        "logged again by another city",
        mismatch,
        origin=ORIGIN.replace("510107", "610113"),
    )
    yield bad(
        "other-generation", "another generation of the log", mismatch, origin=ORIGIN[:-1] + "1"
    )
    yield bad(
        "foreign-commitment", "commitment of another statement", mismatch, commitment=flip_bit(made)
    )
    yield bad(
        "swapped-digests",
        "two digests changed places",
        mismatch,
        digests=[digests[0], digests[2], digests[1], *digests[3:]],
    )
    yield bad("truncated-digests", "the last digest is missing", mismatch, digests=digests[:-1])
    yield bad("extra-digest", "one digest too many", mismatch, digests=[*digests, digests[-1]])
    yield bad(
        "flipped-digest-of-hidden-field",
        "a field not shown",
        mismatch,
        digests=[*digests[:-1], flip_bit(digests[-1])],
    )
    yield bad(
        "short-digest",
        "31 bytes",
        "MalformedStatementError",
        digests=[digests[0][:31], *digests[1:]],
    )
    yield bad("no-digests", "none at all", "MalformedStatementError", digests=[])
    yield bad(
        "type-not-shown",
        "position 0 is missing",
        "MalformedStatementError",
        disclosed={6: texts[6]},
    )
    yield bad("nothing-shown", "no disclosure", "MalformedStatementError", disclosed={})
    yield bad(
        "position-out-of-range",
        "beyond the last field",
        "MalformedStatementError",
        disclosed={0: texts[0], 13: texts[6]},
    )
    yield bad(
        "negative-position",
        "below 0",
        "MalformedStatementError",
        disclosed={0: texts[0], -1: texts[-1]},
    )
    yield bad(
        "wrong-position",
        "shown at another place",
        "DisclosureMismatchError",
        disclosed={0: texts[0], 5: texts[6]},
    )
    changed = f.disclosure(derive(KEY, b"tongban/salt/v1\n\0\6"), "valid_until", "2099-01-01")
    yield bad(
        "changed-value",
        "another date",
        "DisclosureMismatchError",
        disclosed={0: texts[0], 6: changed},
    )
    yield bad(
        "chinese-text", "not ASCII", "MalformedDisclosureError", disclosed={0: texts[0], 6: "披露"}
    )


def _crooked_issuers():
    """Statements that lead to their commitment and still must be refused."""

    def made_of(texts, damage, desc, error, shown):
        digests = [f.sha256(text.encode()) for text in texts]
        disclosed = {i: texts[i] for i in shown}
        return vector(
            "statement/crooked-issuer",
            damage,
            desc,
            error,
            origin=ORIGIN,
            commitment=f.statement_commitment(ORIGIN, digests),
            digests=digests,
            disclosed=disclosed,
        )

    texts, _, _ = make_statement([DOCUMENT])
    salt = f.sha256(b"salt")
    yield made_of(texts, "happy-not-crooked", "the twin that holds", None, [0])
    swapped = [*texts[:5], texts[6], texts[5], *texts[7:]]
    yield made_of(
        swapped, "swapped-names", "two names changed places", "DisclosureNameError", [0, 5]
    )
    doubled = [*texts, f.disclosure(salt, "grade", "A")]
    yield made_of(
        doubled,
        "second-value",
        "a second grade behind the documents",
        "DisclosureNameError",
        [0, 13],
    )
    yield made_of(
        texts[:11],
        "too-few-fields",
        "a field of the type version is missing",
        "MalformedStatementError",
        [0],
    )
    for damage, value, error in (
        ("version-2", {"code": "marriage-cert", "version": 2}, "UnknownVersionError"),
        ("version-text", {"code": "marriage-cert", "version": "1"}, "UnexpectedShapeError"),
        ("version-true", {"code": "marriage-cert", "version": True}, "UnexpectedShapeError"),
        ("code-upper-case", {"code": "Marriage", "version": 1}, "MalformedStatementError"),
        ("code-number", {"code": 7, "version": 1}, "UnexpectedShapeError"),
        ("type-text", "marriage-cert", "UnexpectedShapeError"),
        (
            "type-unknown-member",
            {"code": "marriage-cert", "version": 1, "x": 0},
            "UnexpectedShapeError",
        ),
    ):
        crooked, _, _ = make_statement([DOCUMENT], value)
        yield made_of(crooked, damage, damage.replace("-", " "), error, [0])


def build_vectors():
    """Every vector below statement/."""
    yield from _happy()
    for path, content in _crooked_issuers():
        if content["want_error"] is None:
            content["values"] = {}
        yield path, content
    yield from _damaged()
