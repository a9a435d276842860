"""Vectors of canonical bytes, digests, disclosures, commitments, entries and derivation."""

import hashlib

from tests.reference import formats as f
from tests.reference.vector_files import flip_bit, reencode, stray_bits, vector

ORIGIN = "tongban.example/510107/0"


def salt(label):
    return hashlib.sha256(f"salt {label}".encode()).digest()


GOOD_JSON = {
    "null": None,
    "integers": [0, -1, 9007199254740991, -9007199254740991],
    "escapes": 'quote " backslash \\ slash / controls \x00\x08\t\n\x0b\x0c\r\x1f delete \x7f',
    "chinese": {"姓名": "张三", "证件类型": "居民身份证"},
    "utf-16-order": {
        "\U0001f600": 1,
        "\ufb33": 2,
        "\u20ac": 3,
        "1": 4,
        "\r": 5,
        "\u0080": 6,
        "\u00f6": 7,
    },
    "nested": {"b": [{"a": []}, {}], "a": {"y": True, "x": False}},
}

BAD_JSON = {
    "empty": b"",
    "blank-inside": b'{"a": 1}',
    "line-break-after": b"{}\n",
    "names-out-of-order": b'{"b":1,"a":2}',
    "names-in-code-point-order": '{"\ufb33":1,"\U0001f600":2}'.encode(),
    "name-twice": b'{"a":1,"a":1}',
    "needless-escape": b'"\\u0061"',
    "escaped-slash": b'"\\/"',
    "upper-case-escape": b'"\\u001F"',
    "escaped-chinese": b'"\\u5f20"',
    "lone-surrogate": b'"\\ud800"',
    "raw-control": b'"\x01"',
    "not-utf-8": b'"\xff"',
    "byte-order-mark": b"\xef\xbb\xbf{}",
    "minus-zero": b"-0",
    "leading-zero": b"01",
    "fraction": b"1.5",
    "exponent": b"1e3",
    "not-a-number": b"NaN",
    "infinity": b"-Infinity",
    "beyond-safe-integers": b"9007199254740992",
    "huge-integer": b"1" * 5000,
    "too-deep": b"[" * 33 + b"]" * 33,
    "much-too-deep": b"[" * 100_000,
    "two-values": b"1 2",
    "cut-off": b'{"a":[1,2',
}


def _canonical():
    for name, value in GOOD_JSON.items():
        yield vector(f"canonical/{name}", "happy", name, bytes=f.jcs(value))
    for name, data in BAD_JSON.items():
        if name != "much-too-deep":
            yield vector(
                "canonical/refused", name, name.replace("-", " "), "NotCanonicalError", bytes=data
            )
    yield vector(
        "canonical/refused", "happy", "32 levels are just allowed", bytes=b"[" * 32 + b"]" * 32
    )


def _digest():
    document = "结婚证扫描件".encode()
    text = "sha-256:" + f.sha256(document).hex()
    folder = "digest/scan"
    yield vector(folder, "happy", "a document and its digest", document=document, text=text)
    yield vector(
        folder,
        "changed-byte",
        "one bit of the document",
        "DigestMismatchError",
        document=flip_bit(document),
        text=text,
    )
    yield vector(
        folder,
        "other-algorithm",
        "SM3 is a later suite",
        "UnknownDigestAlgorithmError",
        document=document,
        text="sm3:" + text[8:],
    )
    yield vector(
        folder,
        "no-algorithm",
        "the mark is missing",
        "UnknownDigestAlgorithmError",
        document=document,
        text=text[8:],
    )
    yield vector(
        folder,
        "upper-case",
        "hex in upper case",
        "MalformedEncodingError",
        document=document,
        text="sha-256:" + text[8:].upper(),
    )
    yield vector(
        folder,
        "truncated",
        "62 digits",
        "MalformedEncodingError",
        document=document,
        text=text[:-2],
    )


def _disclosure():
    cases = {
        "valid-until": ("valid_until", "2031-05-01"),
        "absent": ("grade", None),
        "subjects": ("subjects", [{"name": "张三", "role": "self"}]),
    }
    for case, (name, value) in cases.items():
        text = f.disclosure(salt(case), name, value)
        digest = f.sha256(text.encode())
        yield vector(
            f"disclosure/{case}",
            "happy",
            f"{name} shown",
            text=text,
            name=name,
            salt=salt(case),
            value=f.jcs(value),
            digest=digest,
        )
    name, value = cases["valid-until"]
    good = f.disclosure(salt("valid-until"), name, value)
    encoded_salt = f.b64url(salt("valid-until"))

    def bad(damage, desc, error, text, expected=name):
        return vector("disclosure/valid-until", damage, desc, error, text=text, name=expected)

    def raw(*elements):
        return f.b64url(f.jcs(list(elements)))

    yield bad(
        "other-name", "belongs at another position", "DisclosureNameError", good, "valid_from"
    )
    yield bad("two-elements", "no value", "MalformedDisclosureError", raw(encoded_salt, name))
    yield bad(
        "four-elements",
        "a second value",
        "MalformedDisclosureError",
        raw(encoded_salt, name, value, "2099-01-01"),
    )
    yield bad(
        "object",
        "an object, not an array",
        "MalformedDisclosureError",
        f.b64url(f.jcs({"salt": encoded_salt})),
    )
    yield bad(
        "short-salt",
        "31 bytes of salt",
        "MalformedEncodingError",
        raw(f.b64url(salt("valid-until")[:31]), name, value),
    )
    yield bad("salt-number", "salt is a number", "MalformedDisclosureError", raw(7, name, value))
    yield bad(
        "name-null", "name is null", "MalformedDisclosureError", raw(encoded_salt, None, value)
    )
    yield bad(
        "salt-stray-bits",
        "salt spelt otherwise",
        "MalformedEncodingError",
        raw(stray_bits(encoded_salt), name, value),
    )
    yield bad(
        "blank-inside",
        "valid JSON, not RFC 8785",
        "NotCanonicalError",
        reencode(good, lambda d: d.replace(b",", b", ", 1)),
    )
    yield bad(
        "padding", "padded base64url", "MalformedEncodingError", good + "=" * (-len(good) % 4 or 4)
    )
    yield bad(
        "standard-alphabet",
        "base64, not base64url",
        "MalformedEncodingError",
        f.b64(b'["\xfb\xff"]').rstrip("="),
    )
    yield bad("line-break", "a line break after the text", "MalformedEncodingError", good + "\n")
    yield bad("too-long", "more than 65,536 characters", "MalformedDisclosureError", "A" * 65_537)


def _commitment():
    kinds = [
        "credential",
        "access",
        "reliance",
        "generation",
        "evidence",
        "successor",
        "subject",
        "case",
        "item",
        "objection",
        "outcome",
    ]
    body = {"case": "2026-000123", "姓名": "张三"}
    for kind in kinds:
        good = {"kind": kind, "origin": ORIGIN, "salt": salt(kind), "body": f.jcs(body)}
        made = f.commitment(kind, ORIGIN, salt(kind), body)
        folder = f"commitment/{kind}"
        yield vector(folder, "happy", f"commitment of kind {kind}", **good, commitment=made)
        other = "case" if kind != "case" else "item"
        yield vector(
            folder,
            "other-kind",
            "passed off as another kind",
            "CommitmentMismatchError",
            **{**good, "kind": other},
            commitment=made,
        )
    folder = "commitment/case"
    good, made = (
        {"kind": "case", "origin": ORIGIN, "salt": salt("case"), "body": f.jcs(body)},
        f.commitment("case", ORIGIN, salt("case"), body),
    )
    changes = {
        "other-city": ("origin", ORIGIN.replace("510107", "510700"), "CommitmentMismatchError"),
        "other-generation": ("origin", ORIGIN[:-1] + "1", "CommitmentMismatchError"),
        "other-salt": ("salt", flip_bit(salt("case")), "CommitmentMismatchError"),
        "other-body": ("body", f.jcs({**body, "case": "2026-000124"}), "CommitmentMismatchError"),
        "short-salt": ("salt", salt("case")[:31], "MalformedCommitmentError"),
        "line-break-in-origin": ("origin", ORIGIN + "\nx", "MalformedCommitmentError"),
        "blank-in-origin": ("origin", ORIGIN + " x", "MalformedCommitmentError"),
        "chinese-origin": ("origin", "通办/510107/0", "MalformedCommitmentError"),
        "empty-origin": ("origin", "", "MalformedCommitmentError"),
    }
    for damage, (field, value, error) in changes.items():
        yield vector(
            folder,
            damage,
            damage.replace("-", " "),
            error,
            **{**good, field: value},
            commitment=made,
        )


def _entry():
    made = f.sha256(b"commitment")
    for number, kind in enumerate(
        ["material", "credential", "access", "reliance", "generation"], start=1
    ):
        data = bytes([1, number]) + made
        yield vector(
            f"entry/{kind}",
            "happy",
            f"entry of kind {kind}",
            bytes=data,
            kind=kind,
            commitment=made,
        )
    good = b"\x01\x01" + made
    yield vector(
        "entry/material",
        "version-2",
        "unknown version",
        "UnknownVersionError",
        bytes=b"\x02" + good[1:],
    )
    yield vector(
        "entry/material", "kind-0", "unknown kind", "MalformedEntryError", bytes=b"\x01\x00" + made
    )
    yield vector(
        "entry/material", "kind-6", "unknown kind", "MalformedEntryError", bytes=b"\x01\x06" + made
    )
    yield vector("entry/material", "truncated", "33 bytes", "MalformedEntryError", bytes=good[:-1])
    yield vector(
        "entry/material", "extra-byte", "35 bytes", "MalformedEntryError", bytes=good + b"\0"
    )
    yield vector("entry/material", "empty", "no bytes", "MalformedEntryError", bytes=b"")


def derive(key, label):
    return f.hkdf32(b"tongban/material-key/v1", key, label)


def _derivation():
    for case, key in {"zero-key": bytes(32), "counting-key": bytes(range(32))}.items():
        places = [bytes([0, i]) for i in range(3)]
        secrets = [derive(key, b"tongban/document/v1\n" + place) for place in places]
        yield vector(
            f"derivation/{case}",
            "happy",
            "everything derived from one material key",
            material_key=key,
            salts=[derive(key, b"tongban/salt/v1\n" + place) for place in places],
            sealing_key=derive(key, b"tongban/statement-seal/v1\n"),
            document_secrets=secrets,
            age_identities=[f.bech32("age-secret-key-", secret).upper() for secret in secrets],
        )
        yield vector(
            f"derivation/{case}",
            "short-key",
            "31 bytes",
            "MalformedKeyError",
            material_key=key[:31],
        )


def build_vectors():
    """Every vector of the small formats."""
    for topic in (_canonical, _digest, _disclosure, _commitment, _entry, _derivation):
        yield from topic()
