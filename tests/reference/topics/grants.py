"""Vectors of terms, bundle challenges and evidence."""

from tests.fakes.software_authenticator import USER_PRESENT, USER_VERIFIED
from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference.vector_files import flip_bit, vector

DAY = 24 * 3600
AGENT = {"kind": "agent", "mandate": x.salt("mandate").hex()}
GUARDIAN = {"kind": "guardian", "mandate": None}
TYPE = x.terms()["types"][0]

GOOD_TERMS = {
    "happy": {},
    "happy-agent": {"grantor": AGENT},
    "happy-guardian": {"grantor": GUARDIAN},
    "happy-materials": {"materials": [x.COMMITMENT.hex()]},
    "happy-statutory": {"basis": "statutory", "grantor": None},
    "happy-documents-only": {"types": [TYPE | {"fields": []}]},
    "happy-longest-window": {"not_before": x.NOW, "not_after": x.NOW + 366 * DAY},
    "happy-recorded-elsewhere": {"recording": x.OTHER},
}
BAD_TERMS = {
    "unknown-member": {"note": "x"},
    "other-version": {"v": "tongban/terms/v2"},
    "no-types": {"types": []},
    "type-twice": {"types": [TYPE, TYPE]},
    "nothing-of-a-type": {"types": [TYPE | {"fields": [], "documents": False}]},
    "field-twice": {"types": [TYPE | {"fields": ["number", "number"]}]},
    "no-materials": {"materials": []},
    "material-twice": {"materials": [x.COMMITMENT.hex()] * 2},
    "too-many-materials": {"materials": [x.salt(f"m{i}").hex() for i in range(65)]},
    "too-many-types": {"types": [TYPE | {"code": f"t{i}"} for i in range(65)]},
    "too-many-fields": {"types": [TYPE | {"fields": [f"f{i}" for i in range(65)]}]},
    "short-salt": {"salt": "00" * 31},
    "upper-case-salt": {"salt": x.salt("terms").hex().upper()},
    "upper-case-address": {"grants": "0x" + "5A" * 20},
    "address-without-prefix": {"grants": "5a" * 20},
    "short-city": {"releasing": "51010"},
    "city-releases-to-itself": {"receiving": x.RELEASING},
    "window-empty": {"not_after": x.NOW - 600},
    "window-backwards": {"not_after": x.NOW - 601},
    "window-too-long": {"not_before": x.NOW, "not_after": x.NOW + 366 * DAY + 1},
    "no-uses": {"uses": 0},
    "too-many-uses": {"uses": 1001},
    "uses-true": {"uses": True},
    "documents-one": {"types": [TYPE | {"documents": 1}]},
    "unknown-basis": {"basis": "phone"},
    "agent-without-mandate": {"grantor": {"kind": "agent", "mandate": None}},
    "self-with-mandate": {"grantor": {"kind": "self", "mandate": x.salt("mandate").hex()}},
    "nobody-grants": {"grantor": None},
    "statutory-with-grantor": {"basis": "statutory"},
    "text-with-blank": {"text": "consent 1"},
    "chain-zero": {"chain_id": 0},
}
ERRORS = {
    "other-version": "UnknownVersionError",
    "short-salt": "MalformedEncodingError",
    "upper-case-salt": "MalformedEncodingError",
    "upper-case-address": "MalformedEncodingError",
}


def _terms():
    for name, changes in GOOD_TERMS.items():
        made = x.terms(**changes)
        yield vector(
            "terms/terms",
            name,
            f"terms: {name}",
            bytes=f.jcs(made),
            grant_id=x.grant_id(made),
        )
    for name, changes in BAD_TERMS.items():
        made = x.terms(**changes)
        error = ERRORS.get(name, "UnexpectedShapeError")
        yield vector("terms/terms", name, f"terms: {name}", error, bytes=f.jcs(made), grant_id=None)
    bad = {
        "missing-member": (f.jcs({k: v for k, v in x.terms().items() if k != "uses"}), "Shape"),
        "blank-inside": (f.jcs(x.terms()).replace(b":", b": ", 1), "Canonical"),
        "not-an-object": (b"[]", "Shape"),
    }
    for name, (data, error) in bad.items():
        error = {"Shape": "UnexpectedShapeError", "Canonical": "NotCanonicalError"}[error]
        yield vector("terms/terms", name, f"terms: {name}", error, bytes=data, grant_id=None)


def _bundles():
    ids = [x.grant_id(x.terms(salt=x.salt(f"t{i}").hex())) for i in range(3)]
    for name, chosen in {"happy": ids, "happy-one": ids[:1], "happy-turned": ids[::-1]}.items():
        yield vector("terms/bundle", name, name, grant_ids=chosen, challenge=x.challenge(*chosen))
    many = [x.salt(f"g{i}") for i in range(65)]
    yield vector(
        "terms/bundle", "happy-64", "64", grant_ids=many[1:], challenge=x.challenge(*many[1:])
    )
    for name, chosen in {"empty": [], "twice": [ids[0], ids[0]], "too-many": many}.items():
        yield vector(
            "terms/bundle", name, name, "UnexpectedShapeError", grant_ids=chosen, challenge=b""
        )


def evidence_case(made_terms, evidence, **changes):
    """Fields of an evidence vector; everything the chain says is in it."""
    return {
        "terms": f.jcs(made_terms),
        "bundle": [],
        "evidence": f.jcs(evidence),
        "as_of_s": x.NOW,
        "domain": x.DOMAIN,
        "heads": [[x.RELEASING, 0, x.HEAD[0], x.HEAD[1].hex(), x.ANCHORED_AT]],
        "withdrawn": [],
        "sensitive_types": ["divorce-cert"],
        "ward_is_minor": False,
    } | changes


def _counter():
    made = x.terms()
    signed = x.challenge(x.grant_id(made))
    other = x.grant_id(x.terms(salt=x.salt("other").hex()))
    one, two = x.counter(signed), x.counter(signed, ("wang", "li"))
    unread = {"read_by_device": False}

    def case(name, error=None, evidence=one, terms=made, **changes):
        fields = evidence_case(terms, evidence, **changes)
        return vector("evidence/counter", name, f"counter evidence: {name}", error, **fields)

    def for_terms(names=("wang",), **changes):
        changed = x.terms(**changes)
        return {
            "terms": changed,
            "evidence": x.counter(x.challenge(x.grant_id(changed)), names),
        }

    yield case("happy")
    yield case("happy-two-officers", evidence=two)
    bundled = x.counter(x.challenge(x.grant_id(made), other))
    yield case("happy-bundle", evidence=bundled, bundle=[other.hex()])
    yield case("bundle-left-out", "EvidenceError", evidence=bundled)
    yield case("bundle-added", "EvidenceError", bundle=[other.hex()])
    own = x.grant_id(made).hex()
    yield case("bundle-names-itself", "UnexpectedShapeError", bundle=[own])
    yield case("other-terms", "EvidenceError", terms=x.terms(uses=1))
    yield case("happy-unread-card-two", evidence=x.counter(signed, ("wang", "li"), **unread))
    yield case("unread-card-one", "OfficerError", evidence=x.counter(signed, **unread))
    yield case("happy-sensitive-two", evidence=two, sensitive_types=["marriage-cert"])
    yield case("sensitive-one", "OfficerError", sensitive_types=["marriage-cert"])
    yield case("happy-agent-two", **for_terms(("wang", "li"), grantor=AGENT))
    yield case("agent-one", "OfficerError", **for_terms(grantor=AGENT))
    yield case("happy-guardian-of-minor", **for_terms(grantor=GUARDIAN), ward_is_minor=True)
    yield case("happy-guardian-of-adult-two", **for_terms(("wang", "li"), grantor=GUARDIAN))
    yield case("guardian-of-adult-one", "OfficerError", **for_terms(grantor=GUARDIAN))
    same_person = x.counter(signed, ("wang", "wang-2"))
    yield case("same-person-twice", "OfficerError", evidence=same_person)
    yield case("same-key-twice", "OfficerError", evidence=x.counter(signed, ("wang", "wang-key")))
    yield case("officer-of-another-city", "OfficerError", evidence=x.counter(signed, ("foreign",)))
    swapped = two | {"officers": two["officers"][::-1]}
    yield case("officers-swapped", "OfficerError", evidence=swapped)
    alone = two | {"officers": two["officers"][:1]}
    yield case("second-officer-left-out", "OfficerError", evidence=alone)
    read = one | {"identity_document": {"scheme": "passport", "read_by_device": True}}
    yield case("document-changed-after-signing", "OfficerError", evidence=read)
    signature = f.b64(flip_bit(x.sign(x.SEEDS["wang"], b"x")))
    forged = [one["officers"][0] | {"signature": signature}]
    yield case("signature-of-something-else", "OfficerError", evidence=one | {"officers": forged})
    yield case("head-not-anchored", "NotAnchoredError", heads=[])
    young = [[x.RELEASING, 0, x.HEAD[0], x.HEAD[1].hex(), x.MADE_AT]]
    yield case("anchored-when-used", "CredentialTooYoungError", heads=young)
    just = [[x.RELEASING, 0, x.HEAD[0], x.HEAD[1].hex(), x.MADE_AT - 1]]
    yield case("happy-anchored-just-before", heads=just)
    leaf = x.credential_leaf("wang").hex()
    yield case("withdrawn", "CredentialWithdrawnError", withdrawn=[[x.RELEASING, leaf, x.NOW]])
    later = [[x.RELEASING, leaf, x.NOW + 1]]
    yield case("happy-withdrawn-later", withdrawn=later)
    wrong = [one["officers"][0] | {"credential": x.credential("wang") | x.placement(3)}]
    yield case("proof-of-another-leaf", "RootMismatchError", evidence=one | {"officers": wrong})
    late = x.counter(signed, made_at=x.NOW + 31)
    yield case("from-the-future", "EvidenceError", evidence=late)
    yield case("happy-skew", evidence=x.counter(signed, made_at=x.NOW + 30))
    over = x.terms(not_after=x.MADE_AT)
    yield case("after-the-window", "EvidenceError", **for_terms(not_after=over["not_after"]))
    kind = x.statutory(signed)
    yield case("other-kind-than-terms", "EvidenceError", evidence=kind)


def _statutory():
    made = x.terms(basis="statutory", grantor=None)
    signed = x.challenge(x.grant_id(made))
    duty = {"law": "国务院令第716号", "article": "第八条"}
    for name, error, evidence in (
        ("happy", None, x.statutory(signed)),
        ("one-officer", "OfficerError", x.statutory(signed, ("wang",))),
        (
            "article-changed",
            "OfficerError",
            x.statutory(signed) | {"duty": duty},
        ),
        ("counter-for-statutory", "EvidenceError", x.counter(signed, ("wang", "li"))),
    ):
        case = evidence_case(made, evidence)
        yield vector("evidence/statutory", name, f"statutory evidence: {name}", error, **case)


def _passkey():
    made = x.terms(basis="passkey")
    signed = x.challenge(x.grant_id(made))
    other = x.challenge(x.grant_id(x.terms()))
    evil, http = "https://wuhou.example.evil.example", "http://banshi.wuhou.example"

    def damaged(part):
        good = x.authenticator().get_assertion(signed, x.PAGE)[part]
        return x.passkey(signed, parts={part: flip_bit(good, 8 * len(good) - 1)})

    foreign = x.authenticator().get_assertion(signed, x.PAGE, rp_id="evil.example")
    renamed = {"credentialId": b"x" * 16}
    cases = {
        "happy": (None, x.passkey(signed)),
        "happy-rp-itself": (None, x.passkey(signed, origin="https://wuhou.example")),
        "user-not-verified": ("PasskeyError", x.passkey(signed, flags=USER_PRESENT)),
        "user-not-present": ("PasskeyError", x.passkey(signed, flags=USER_VERIFIED)),
        "other-challenge-signed": (
            "PasskeyError",
            x.passkey(other) | {"challenge": signed.hex()},
        ),
        "other-terms": ("EvidenceError", x.passkey(other)),
        "other-rp-in-authenticator-data": (
            "PasskeyError",
            x.passkey(signed, parts=foreign),
        ),
        "other-rp-named": ("PasskeyError", x.passkey(signed) | {"rp_id": "evil.example"}),
        "other-rp-throughout": (
            "PasskeyError",
            x.passkey(
                signed,
                origin="https://evil.example",
                rp_id="evil.example",
                parts=x.authenticator().get_assertion(
                    signed, "https://evil.example", rp_id="evil.example"
                ),
            ),
        ),
        "page-of-another-site": ("PasskeyError", x.passkey(signed, origin=evil)),
        "page-without-tls": ("PasskeyError", x.passkey(signed, origin=http)),
        "page-named-otherwise": (
            "PasskeyError",
            x.passkey(signed) | {"origin": "https://wuhou.example"},
        ),
        "registration-instead": ("PasskeyError", x.passkey(signed, kind="webauthn.create")),
        "embedded-page": ("PasskeyError", x.passkey(signed, extra={"crossOrigin": True})),
        "other-credential-id": (
            "PasskeyError",
            x.passkey(signed, parts=renamed),
        ),
        "signature-bit-flipped": ("PasskeyError", damaged("signature")),
        "authenticator-data-bit-flipped": ("PasskeyError", damaged("authenticatorData")),
        "client-data-bit-flipped": ("PasskeyError", damaged("clientDataJSON")),
        "other-person": ("PasskeyError", x.passkey(signed, name="passkey-other-subject")),
        "other-city": ("PasskeyError", x.passkey(signed, name="passkey-other-city")),
        "officer-credential": ("UnknownVersionError", x.passkey(signed, name="wang")),
    }
    for name, (error, evidence) in cases.items():
        case = evidence_case(made, evidence)
        yield vector("evidence/passkey", name, f"passkey evidence: {name}", error, **case)
    young = [[x.RELEASING, 0, x.HEAD[0], x.HEAD[1].hex(), x.MADE_AT]]
    yield vector(
        "evidence/passkey",
        "anchored-when-used",
        "the passkey was anchored only when it was used",
        "CredentialTooYoungError",
        **evidence_case(made, x.passkey(signed), heads=young),
    )


def build_vectors():
    yield from _terms()
    yield from _bundles()
    yield from _counter()
    yield from _statutory()
    yield from _passkey()
