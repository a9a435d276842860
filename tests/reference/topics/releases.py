"""Vectors of find and release messages, of checked releases, signed files and signed messages."""

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import tree
from tests.reference.vector_files import flip_bit, vector


def _messages():
    material = x.release_request()["materials"][0]
    first, second = sorted((x.COMMITMENT.hex(), x.salt("second").hex()))
    kinds = {
        "find-request": {
            "happy": x.find_request(),
            "other-basis-in-clear": x.find_request(basis="passkey"),
            "no-types": x.find_request(types=[]),
            "type-twice": x.find_request(types=["marriage-cert"] * 2),
            "too-many-types": x.find_request(types=[f"t{i}" for i in range(65)]),
            "bundle-names-itself": x.find_request(bundle=[x.grant_id(x.terms()).hex()]),
            "bundle-falling": x.find_request(bundle=["11" * 32, "00" * 32]),
            "sealed-too-short": x.find_request(sealed=f.b64(bytes(48))),
            "unknown-member": x.find_request(number="x"),
        },
        "find-answer": {
            "happy": x.find_answer(x.candidate()),
            "happy-nothing": x.find_answer(),
            "happy-two": x.find_answer(
                x.candidate(commitment=first), x.candidate(commitment=second, leaf_index=None)
            ),
            "falling": x.find_answer(x.candidate(commitment=second), x.candidate(commitment=first)),
            "material-twice": x.find_answer(x.candidate(), x.candidate()),
            "other-date": x.find_answer(x.candidate(valid_from="20.5.2025")),
            "other-grade": x.find_answer(x.candidate(grade="E")),
            "with-content": x.find_answer(x.candidate() | {"number": "x"}),
        },
        "release-request": {
            "happy": x.release_request(),
            "nothing-asked": x.release_request(materials=[]),
            "nothing-asked-of-material": x.release_request(
                materials=[material | {"positions": [], "documents": []}]
            ),
            "material-twice": x.release_request(materials=[material, material]),
            "position-0": x.release_request(materials=[material | {"positions": [0, 3]}]),
            "positions-falling": x.release_request(materials=[material | {"positions": [5, 3]}]),
            "unknown-member": x.release_request(note="x"),
        },
        "release-answer": {
            "happy": x.release_answer(),
            "no-materials": x.release_answer(materials=[]),
            "too-many-refused": x.release_answer(
                refused=[
                    {"commitment": x.salt(f"r{i}").hex(), "code": "material_spent"}
                    for i in range(65)
                ]
            ),
            "sentence-for-a-code": x.release_answer(
                refused=[{"commitment": "00" * 32, "code": "It is gone."}]
            ),
            "material-given-and-refused": x.release_answer(
                refused=[{"commitment": x.COMMITMENT.hex(), "code": "material_spent"}]
            ),
            "document-twice": x.release_answer(
                materials=[x.released_material(documents=x.released_material()["documents"] * 2)]
            ),
            "index-outside-tree": x.release_answer(
                materials=[x.released_material(leaf_index=x.HEAD[0])]
            ),
        },
        "release-secrets": {
            "happy": x.release_secrets(),
            "position-twice": x.release_secrets(disclosures=x.disclosures((0, 0))),
            "identity-twice": x.release_secrets(identities=[{"index": 0, "secret": "00" * 32}] * 2),
        },
    }
    for kind, cases in kinds.items():
        for name, made in cases.items():
            error = None if name.startswith("happy") else "UnexpectedShapeError"
            yield vector(f"release/{kind}", name, f"{kind}: {name}", error, bytes=f.jcs(made))
        other = next(iter(cases.values())) | {"v": "tongban/other/v1"}
        if kind != "release-secrets":
            yield vector(
                f"release/{kind}", "other-version", kind, "UnknownVersionError", bytes=f.jcs(other)
            )


def _case(request=None, answer=None, secrets=None, **changes):
    """A release with its permit; changed parts get a fitting permit unless one is given."""
    request = request or x.release_request()
    answer = answer or x.release_answer(request=f.sha256(f.jcs(request)).hex())
    secrets = secrets or x.release_secrets()
    return {
        "request": f.jcs(request),
        "answer": f.jcs(answer),
        "secrets": f.jcs(secrets),
        "permit_grant_id": x.grant_id(request["terms"]),
        "permit_commitment": x.release_commitment(request, answer, secrets),
        "domain": x.DOMAIN,
        "heads": [[x.RELEASING, 0, x.HEAD[0], x.HEAD[1].hex(), x.ANCHORED_AT]],
    } | changes


def _with_material(**changes):
    return x.release_answer(materials=[x.released_material(**changes)])


def _checks():
    happy = _case()
    other_request = x.release_request(officer="m-wu")
    asked = x.release_request()["materials"][0]
    extra = {"commitment": x.salt("second").hex(), "positions": [3], "documents": []}
    two = x.release_request(materials=[asked, extra])
    refusal = [{"commitment": extra["commitment"], "code": "material_withdrawn"}]
    two_digest = f.sha256(f.jcs(two)).hex()
    no_documents = x.release_request(materials=[asked | {"documents": []}])
    fields_only = x.release_answer(
        request=f.sha256(f.jcs(no_documents)).hex(),
        materials=[x.released_material(documents=[])],
    )
    fields_secrets = x.release_secrets(disclosures=x.disclosures((0, 3, 5)), identities=[])
    foreign_type = x.terms(types=[x.terms()["types"][1]])
    foreign = x.release_request(terms=foreign_type)
    forged = [{"position": 0, "text": x.TEXTS[0]}, {"position": 3, "text": x.TEXTS[5]}]
    forged += x.disclosures((5, 12))
    digests = [each.hex() for each in x.DIGESTS]
    moved = x.placement(0) | {"documents": x.released_material()["documents"]}
    answer_to_other = x.release_answer(request=f.sha256(f.jcs(other_request)).hex())
    cases = {
        "happy": (None, happy),
        "happy-one-refused": (
            None,
            _case(two, x.release_answer(request=two_digest, refused=refusal)),
        ),
        "happy-fields-only": (None, _case(no_documents, fields_only, fields_secrets)),
        "answer-to-another-request": ("ReleaseError", _case(answer=answer_to_other)),
        "permit-of-another-grant": ("ReleaseError", happy | {"permit_grant_id": bytes(32)}),
        "permit-for-another-answer": (
            "ReleaseError",
            happy | {"permit_commitment": flip_bit(happy["permit_commitment"])},
        ),
        "answer-changed-after-permit": (
            "ReleaseError",
            happy | {"answer": f.jcs(x.release_answer(answered_at=x.NOW + 3))},
        ),
        "salt-changed-after-permit": (
            "ReleaseError",
            happy | {"secrets": f.jcs(x.release_secrets() | {"salt": "00" * 32})},
        ),
        "material-missing": ("ReleaseError", _case(two, x.release_answer(request=two_digest))),
        "material-not-asked": (
            "ReleaseError",
            _case(answer=x.release_answer(refused=refusal)),
        ),
        "secrets-of-another-material": (
            "ReleaseError",
            _case(secrets=x.release_secrets(commitment=x.salt("second").hex())),
        ),
        "head-not-anchored": ("NotAnchoredError", happy | {"heads": []}),
        "proof-of-another-leaf": ("RootMismatchError", _case(answer=_with_material(**moved))),
        "digest-swapped": (
            "StatementMismatchError",
            _case(answer=_with_material(digests=[digests[1], digests[0], *digests[2:]])),
        ),
        "disclosure-of-another-field": (
            "DisclosureMismatchError",
            _case(secrets=x.release_secrets(disclosures=forged)),
        ),
        "type-not-shown": (
            "MalformedStatementError",
            _case(secrets=x.release_secrets(disclosures=x.disclosures((3, 5, 12)))),
        ),
        "field-missing": (
            "ReleaseError",
            _case(secrets=x.release_secrets(disclosures=x.disclosures((0, 3, 12)))),
        ),
        "field-not-asked": (
            "ReleaseError",
            _case(secrets=x.release_secrets(disclosures=x.disclosures((0, 3, 4, 5, 12)))),
        ),
        "document-missing": ("ReleaseError", _case(answer=_with_material(documents=[]))),
        "document-and-identity-missing": (
            "ReleaseError",
            _case(answer=_with_material(documents=[]), secrets=x.release_secrets(identities=[])),
        ),
        "identity-missing": ("ReleaseError", _case(secrets=x.release_secrets(identities=[]))),
        "type-not-in-terms": ("ReleaseError", _case(foreign)),
    }
    for name, (error, case) in cases.items():
        yield vector("release/check", name, f"checked release: {name}", error, **case)


def _signed_files():
    stranger = f.sha256(b"stranger")
    for kind, version, body in (
        ("acknowledgement", "tongban/acknowledgement/v1", x.acknowledgement),
        ("destruction", "tongban/destruction/v1", x.destruction),
    ):
        made = x.signed_file(version, body())
        other = "tongban/destruction/v1" if kind == "acknowledgement" else "tongban/receipt/v1"
        time = "received_at" if kind == "acknowledgement" else "destroyed_at"
        stranger_file = x.signed_file(version, body(), seed=stranger)
        cases = {
            "happy": (None, made),
            "other-city": ("SignedBodyError", x.signed_file(version, body(), x.RELEASING)),
            "changed-after-signing": ("SignedBodyError", made | {time: x.NOW}),
            "unknown-key": ("MessageKeyUnknownError", stranger_file),
            "key-of-another-named": (
                "SignedBodyError",
                stranger_file | {"keyid": x.key_id(x.RECEIVING)},
            ),
            "signed-as-another-kind": (
                "SignedBodyError",
                x.signed_file(other, body()) | {"v": version},
            ),
            "unknown-member": ("UnexpectedShapeError", x.signed_file(version, body(note="x"))),
            "other-version": ("UnknownVersionError", x.signed_file(other, body())),
        }
        for name, (error, value) in cases.items():
            yield vector(
                f"release/{kind}",
                name,
                f"{kind}: {name}",
                error,
                bytes=f.jcs(value),
                expected_city=x.RECEIVING,
                keys=[x.key_id(city) for city in sorted(x.MESSAGE_SEEDS)],
            )
    twice = x.signed_file("tongban/destruction/v1", x.destruction(releases=["00" * 32] * 2))
    none = x.signed_file("tongban/destruction/v1", x.destruction(releases=[]))
    for name, value in {"release-twice": twice, "no-releases": none}.items():
        yield vector("release/destruction", name, name, "UnexpectedShapeError", bytes=f.jcs(value))


BODY = b'{"v":"tongban/find-request/v1"}'
ANSWER_BODY = b'{"v":"tongban/find-answer/v1"}'


def _request_case(headers, **changes):
    return {
        "method": "POST",
        "url": x.ADDRESSES[x.RELEASING],
        "path": "/peer/v1/find",
        "headers": list(headers.items()) if isinstance(headers, dict) else headers,
        "body": BODY,
        "keys": [x.key_id(x.RECEIVING)],
        "now_s": x.NOW + 2,
    } | changes


def _requests():
    good = x.message_request(BODY)
    pairs = list(good.items())
    without = {name: {k: v for k, v in good.items() if k != name} for name in good}
    less = {
        f"not-covered-{name.strip('@')}": x.message_request(
            BODY, components=[each for each in x.REQUEST_COMPONENTS if each != name]
        )
        for name in x.REQUEST_COMPONENTS
    }
    more = [*x.REQUEST_COMPONENTS, "@method"]
    second = good["signature-input"].replace("tongban=", "other=")
    second_signature = good["signature"].replace("tongban=", "other=")
    two = good | {
        "signature-input": f"{good['signature-input']}, {second}",
        "signature": f"{good['signature']}, {second_signature}",
    }
    swapped = good["content-digest"].replace("sha-256", "sha-512")
    both = good["content-digest"] + ", " + swapped
    cases = {
        "happy": (None, _request_case(good)),
        "happy-with-host-of-another": (None, _request_case([*pairs, ("host", "evil.example")])),
        "happy-five-minutes-old": (None, _request_case(good, now_s=x.NOW + 299)),
        "happy-five-seconds-ahead": (None, _request_case(good, now_s=x.NOW - 5)),
        "six-seconds-ahead": ("MessageNotCurrentError", _request_case(good, now_s=x.NOW - 6)),
        "expired": ("MessageNotCurrentError", _request_case(good, now_s=x.NOW + 300)),
        "too-old": (
            "MessageNotCurrentError",
            _request_case(x.message_request(BODY, expires=x.NOW + 900), now_s=x.NOW + 301),
        ),
        "happy-expires-late": (None, _request_case(x.message_request(BODY, expires=x.NOW + 900))),
        "expires-before-created": (
            "MessageNotCurrentError",
            _request_case(x.message_request(BODY, expires=x.NOW), now_s=x.NOW - 1),
        ),
        "other-method": ("MessageSignatureError", _request_case(good, method="PUT")),
        "lower-case-method": ("MessageSignatureError", _request_case(good, method="post")),
        "other-address": (
            "MessageSignatureError",
            _request_case(good, url="http://127.0.0.1:8103"),
        ),
        "address-with-path": (
            "MessageSignatureError",
            _request_case(good, url="http://127.0.0.1:8101/x"),
        ),
        "other-path": ("MessageSignatureError", _request_case(good, path="/peer/v1/releases")),
        "query-added": ("MessageSignatureError", _request_case(good, path="/peer/v1/find?a=1")),
        "other-body": ("MessageBodyMismatchError", _request_case(good, body=BODY + b" ")),
        "empty-body": (
            "MessageBodyMismatchError",
            _request_case(x.message_request(b""), body=b""),
        ),
        "unknown-key": ("MessageKeyUnknownError", _request_case(good, keys=[])),
        "key-of-another-city": (
            "MessageKeyUnknownError",
            _request_case(
                x.message_request(BODY, keyid=x.key_id(x.OTHER, x.MESSAGE_SEEDS[x.RECEIVING]))
            ),
        ),
        "other-role-in-keyid": (
            "MessageSignatureError",
            _request_case(
                x.message_request(BODY, keyid=x.key_id(x.RECEIVING).replace("message", "gate"))
            ),
        ),
        "other-tag": (
            "MessageSignatureError",
            _request_case(x.message_request(BODY, tag="tongban-v2")),
        ),
        "no-tag": ("MessageSignatureError", _request_case(x.message_request(BODY, tag=None))),
        "no-nonce": ("MessageUnsignedError", _request_case(x.message_request(BODY, nonce=None))),
        "short-nonce": (
            "MessageSignatureError",
            _request_case(x.message_request(BODY, nonce="AAAA")),
        ),
        "no-keyid": ("MessageSignatureError", _request_case(x.message_request(BODY, keyid=None))),
        "no-created": (
            "MessageUnsignedError",
            _request_case(x.message_request(BODY, created=None)),
        ),
        "no-expires": (
            "MessageUnsignedError",
            _request_case(x.message_request(BODY, expires=None)),
        ),
        "other-algorithm": (
            "MessageSignatureError",
            _request_case(x.message_request(BODY, alg="hmac-sha256")),
        ),
        "happy-algorithm-named": (None, _request_case(x.message_request(BODY, alg="ed25519"))),
        "unknown-parameter": (
            "MessageSignatureError",
            _request_case(x.message_request(BODY, more="x")),
        ),
        "more-covered": (
            "MessageUnsignedError",
            _request_case(x.message_request(BODY, components=[*x.REQUEST_COMPONENTS, "@scheme"])),
        ),
        "other-label": ("MessageUnsignedError", _request_case(x.message_request(BODY, label="a"))),
        "two-signatures": ("MessageUnsignedError", _request_case(two)),
        "component-twice": (
            "MessageSignatureError",
            _request_case(x.message_request(BODY, components=more)),
        ),
        "header-twice": (
            "MessageUnsignedError",
            _request_case([*pairs, ("Signature", good["signature"])]),
        ),
        "digest-of-another-algorithm": (
            "MessageSignatureError",
            _request_case(good | {"content-digest": swapped}),
        ),
        "two-digests": ("MessageSignatureError", _request_case(good | {"content-digest": both})),
        "digest-misspelt": (
            "MessageSignatureError",
            _request_case(good | {"content-digest": f"sha-256=:{'A' * 42}B=:"}),
        ),
    }
    for name, headers in without.items():
        cases[f"no-{name}"] = ("MessageUnsignedError", _request_case(headers))
    for name, headers in less.items():
        cases[name] = ("MessageSignatureError", _request_case(headers))
    for name, (error, case) in cases.items():
        yield vector("message/request", name, f"signed request: {name}", error, **case)


def _answers():
    request = x.message_request(BODY)
    other_request = x.message_request(BODY, nonce="AAAAAAAAAAAAAAAAAAAAAA")
    good = x.message_answer(request, ANSWER_BODY)

    def case(headers, **changes):
        return (
            _request_case(
                request,
                answer_headers=list(headers.items()),
                answer_body=ANSWER_BODY,
                status=200,
                expected_city=x.RELEASING,
                keys=[x.key_id(x.RELEASING), x.key_id(x.RECEIVING)],
            )
            | changes
        )

    cases = {
        "happy": (None, case(good)),
        "happy-refusal": (
            None,
            case(x.message_answer(request, ANSWER_BODY, status=403), status=403),
        ),
        "other-status": ("MessageSignatureError", case(good, status=403)),
        "other-body": ("MessageBodyMismatchError", case(good, answer_body=BODY)),
        "answer-to-another-request": (
            "MessageSignatureError",
            case(x.message_answer(other_request, ANSWER_BODY)),
        ),
        "signed-by-another-city": (
            "MessageKeyUnknownError",
            case(x.message_answer(request, ANSWER_BODY, city=x.RECEIVING)),
        ),
        "unknown-key": ("MessageKeyUnknownError", case(good, keys=[])),
        "expired": ("MessageNotCurrentError", case(good, now_s=x.NOW + 301)),
    }
    for component in ('"@status"', '"@method";req', '"@path";req', '"signature";req'):
        name = component.replace('"', "").strip("@").replace(";", "-")
        made = x.message_answer(request, ANSWER_BODY, leave_out=component)
        cases[f"not-covered-{name}"] = ("MessageSignatureError", case(made))
    for name, (error, made) in cases.items():
        yield vector("message/answer", name, f"signed answer: {name}", error, **made)


def build_vectors():
    assert tree.mth(x.ENTRIES) == x.HEAD[1]
    yield from _messages()
    yield from _checks()
    yield from _signed_files()
    yield from _requests()
    yield from _answers()
