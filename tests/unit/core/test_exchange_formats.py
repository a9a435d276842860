"""Writers and small parts of the exchange: signing messages, openings, limits of evidence."""

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core.acknowledgement import (
    Acknowledgement,
    DestructionNotice,
    encode_acknowledgement,
    encode_destruction_notice,
    verify_acknowledgement,
    verify_destruction_notice,
)
from ledger_node.core.canonical import MalformedEncodingError, UnexpectedShapeError
from ledger_node.core.commitment import CommitmentMismatchError
from ledger_node.core.credential import (
    encode_officer_credential,
    encode_passkey_credential,
    read_officer_credential,
    read_passkey_credential,
)
from ledger_node.core.errors import LedgerError
from ledger_node.core.evidence import EvidenceRules, verify_evidence
from ledger_node.core.evidence_format import (
    compute_evidence_commitment,
    compute_officer_message,
    read_evidence,
)
from ledger_node.core.evidence_parts import PasskeyError, get_evidence_basis
from ledger_node.core.find_messages import compute_find_digest, parse_find_answer
from ledger_node.core.message import sign_answer, sign_request, verify_answer, verify_request
from ledger_node.core.message_key import MessageKeyId, encode_key_id
from ledger_node.core.message_parts import HttpAnswer, HttpRequest, MessageStamp
from ledger_node.core.message_problem import MessageSignatureError
from ledger_node.core.placement import LogFacts
from ledger_node.core.release_request import parse_release_request
from ledger_node.core.release_secrets import parse_release_secrets
from ledger_node.core.sealed import (
    MAX_SEALED_BYTES,
    Openings,
    compute_seal_info,
    encode_openings,
    encode_subject,
    parse_find_openings,
    parse_release_openings,
    read_sealed,
    verify_purpose,
    verify_subject,
)
from ledger_node.core.shapes import Opening, read_short_text
from ledger_node.core.signed_body import verify_signed
from ledger_node.core.terms_format import encode_terms, read_bundle, read_terms
from tests.reference import exchange as x
from tests.reference import formats as f

FACTS = LogFacts(x.DOMAIN, lambda city, generation, head: x.ANCHORED_AT, lambda city, leaf: None)
BODY = b'{"v":"tongban/find-request/v1"}'


def stamp(city, at, nonce):
    key = Ed25519PrivateKey.from_private_bytes(x.MESSAGE_SEEDS[city])
    key_id = MessageKeyId(city, key.public_key().public_bytes_raw())
    return MessageStamp(key_id, at, x.salt(nonce)[:16], key.sign)


def test_encode_terms_that_would_not_be_read_raises():
    terms = read_terms(x.terms())
    assert encode_terms(terms) == f.jcs(x.terms())
    with pytest.raises(UnexpectedShapeError):
        encode_terms(replace(terms, types=()))


def test_sign_request_and_answer_verify():
    request_stamp = stamp(x.RECEIVING, x.NOW, "request")
    headers = sign_request("POST", x.ADDRESSES[x.RELEASING], "/peer/v1/find", BODY, request_stamp)
    by_hand = x.message_request(BODY)
    assert headers["content-digest"] == by_hand["content-digest"]
    request = HttpRequest(
        "POST", x.ADDRESSES[x.RELEASING] + "/", "/peer/v1/find", list(headers.items())
    )
    verified = verify_request(request, BODY, lambda key: key == request_stamp.key_id, x.NOW)
    assert verified.nonce == request_stamp.nonce
    answer_stamp = stamp(x.RELEASING, x.NOW + 1, "answer")
    digest = hashlib.sha256(b"{}").digest()
    answer = sign_answer(request, 200, digest, answer_stamp)
    held = verify_answer(
        HttpAnswer(200, list(answer.items())),
        request,
        x.RELEASING,
        lambda key: key == answer_stamp.key_id,
        x.NOW + 1,
    )
    assert held.body_digest == digest


def test_sign_answer_to_unsigned_request_raises():
    request = HttpRequest("POST", x.ADDRESSES[x.RELEASING], "/peer/v1/find", [])
    with pytest.raises(MessageSignatureError):
        sign_answer(request, 401, bytes(32), stamp(x.RELEASING, x.NOW, "answer"))


def test_sign_request_short_nonce_raises():
    short = replace(stamp(x.RECEIVING, x.NOW, "request"), nonce=bytes(15))
    with pytest.raises(MessageSignatureError):
        sign_request("POST", x.ADDRESSES[x.RELEASING], "/peer/v1/find", BODY, short)


def openings():
    return Openings(
        Opening(x.salt("subject"), x.SUBJECT),
        Opening(x.salt("item"), x.ITEM),
        Opening(x.salt("case"), x.CASE),
    )


def test_openings_of_the_terms_are_accepted():
    terms = read_terms(x.terms())
    made = parse_release_openings(encode_openings(openings()))
    assert made == openings()
    assert encode_subject(verify_subject(terms, made, x.DOMAIN, 0)) == x.SUBJECT
    verify_purpose(terms, made, x.DOMAIN, 0)
    only_subject = Openings(made.subject)
    assert parse_find_openings(encode_openings(only_subject)) == only_subject


@pytest.mark.parametrize(("domain", "generation"), [("other.example", 0), (x.DOMAIN, 1)])
def test_openings_under_another_origin_raise(domain, generation):
    terms = read_terms(x.terms())
    with pytest.raises(CommitmentMismatchError):
        verify_subject(terms, openings(), domain, generation)
    with pytest.raises(CommitmentMismatchError):
        verify_purpose(terms, openings(), domain, generation)


@pytest.mark.parametrize("name", ["subject", "item", "case"])
def test_openings_of_another_body_raise(name):
    terms = read_terms(x.terms())
    other = Opening(x.salt(name), x.SUBJECT | {"name": "李四"})
    bent = replace(openings(), **{name: other})
    verify = verify_subject if name == "subject" else verify_purpose
    with pytest.raises(CommitmentMismatchError) as caught:
        verify(terms, bent, x.DOMAIN, 0)
    assert "李四" not in str(caught.value) + caught.value.message_zh


def test_verify_purpose_not_opened_raises():
    with pytest.raises(UnexpectedShapeError):
        verify_purpose(read_terms(x.terms()), Openings(openings().subject), x.DOMAIN, 0)


def test_compute_seal_info_names_message_and_digest():
    assert compute_seal_info("tongban/find-request/v1", b"d") == b"tongban/find-request/v1\nd"


def test_read_sealed_too_long_raises():
    assert len(read_sealed(f.b64(bytes(49)), what="sealed")) == 49
    with pytest.raises(UnexpectedShapeError):
        read_sealed(f.b64(bytes(MAX_SEALED_BYTES + 1)), what="sealed")


@pytest.mark.parametrize("text", ["", "x" * 257, "a\nb"])
def test_read_short_text_out_of_bounds_raises(text):
    assert read_short_text("x" * 256, what="law") == "x" * 256
    with pytest.raises(UnexpectedShapeError):
        read_short_text(text, what="law")


def test_read_bundle_too_many_raises():
    others = [i.to_bytes(32, "big").hex() for i in range(64)]
    assert len(read_bundle(others[:63], b"\xff" * 32)) == 63
    with pytest.raises(UnexpectedShapeError):
        read_bundle(others, b"\xff" * 32)


def test_credentials_come_back_equal():
    for body in (x.BODIES["wang"], x.BODIES["li"]):
        assert encode_officer_credential(read_officer_credential(body)) == body
    body = x.BODIES["passkey"]
    assert encode_passkey_credential(read_passkey_credential(body)) == body


@pytest.mark.parametrize(
    "change", [{"from": "2026-01-01"}, {"role": "clerk"}, {"officer": "王 五"}, {"note": 1}]
)
def test_read_officer_credential_bent_raises(change):
    with pytest.raises(UnexpectedShapeError):
        read_officer_credential(x.BODIES["wang"] | change)


def test_officer_message_and_evidence_commitment_equal_reference():
    made = x.counter(x.challenge(x.grant_id(x.terms())), ("wang", "li"))
    unsigned = made | {"officers": [{"credential": o["credential"]} for o in made["officers"]]}
    expected = b"tongban/evidence/v1\n" + f.sha256(f.jcs(unsigned))
    assert compute_officer_message(read_evidence(made)) == expected
    committed = compute_evidence_commitment(x.ORIGIN, x.salt("evidence"), read_evidence(made))
    assert committed == f.commitment("evidence", x.ORIGIN, x.salt("evidence"), made)


def bent_evidence():
    signed = x.challenge(x.grant_id(x.terms()))
    counter, passkey = x.counter(signed), x.passkey(signed)
    officer = counter["officers"][0]
    credential = officer["credential"]
    return {
        "unknown kind": counter | {"kind": "testimony"},
        "no object": [],
        "no officers": counter | {"officers": []},
        "three officers": counter | {"officers": [officer] * 3},
        "empty signature": counter | {"officers": [officer | {"signature": ""}]},
        "size 0": counter | {"officers": [officer | {"credential": credential | {"tree_size": 0}}]},
        "empty authenticator data": passkey
        | {"assertion": passkey["assertion"] | {"authenticatorData": ""}},
        "long client data": passkey
        | {"assertion": passkey["assertion"] | {"clientDataJSON": f.b64url(bytes(4097))}},
    }


@pytest.mark.parametrize("name", bent_evidence())
def test_read_evidence_bent_raises(name):
    with pytest.raises((UnexpectedShapeError, MalformedEncodingError)):
        read_evidence(bent_evidence()[name])


def passkey_reason(made, terms, **rules):
    evidence = read_evidence(made)
    with pytest.raises(PasskeyError) as caught:
        verify_evidence(
            evidence, terms, [], x.NOW, FACTS, EvidenceRules(frozenset(), False, **rules)
        )
    return caught.value.reason


def test_verify_evidence_sign_count_not_above_last_raises():
    terms = read_terms(x.terms(basis="passkey"))
    made = x.passkey(x.challenge(x.grant_id(x.terms(basis="passkey"))))
    rules = EvidenceRules(frozenset(), last_sign_count=6)
    verified = verify_evidence(read_evidence(made), terms, [], x.NOW, FACTS, rules)
    assert verified.sign_count == 7
    assert verified.officers == ()
    assert passkey_reason(made, terms, last_sign_count=7) == "assertion"


@pytest.mark.parametrize(
    "client_data",
    [b"[" * 4096, b'{"type":"webauthn.get","challenge":1,"origin":"x"}', b"\xff", b"[]"],
    ids=["deep", "challenge no text", "no utf-8", "no object"],
)
def test_verify_evidence_odd_client_data_raises_only_ours(client_data):
    terms = x.terms(basis="passkey")
    made = x.passkey(x.challenge(x.grant_id(terms)), parts={"clientDataJSON": client_data})
    assert passkey_reason(made, read_terms(terms)) == "assertion"


def with_key(cose):
    """Passkey evidence whose credential enrolled these bytes as its COSE key."""
    made = x.passkey(x.challenge(x.grant_id(x.terms(basis="passkey"))))
    body = x.passkey_body(public_key=f.b64url(cose))
    entry = x.entry(2, f.commitment("credential", x.ORIGIN, x.salt("passkey"), body))
    head = {"tree_size": 1, "root": x.tree.leaf_hash(entry).hex(), "proof": []}
    return made | {
        "credential": made["credential"] | {"body": body, "leaf_index": 0} | head,
    }


def test_verify_evidence_key_of_refused_algorithm_raises():
    """The good key, but its algorithm says RSA: refused before any signature is looked at."""
    terms, good = read_terms(x.terms(basis="passkey")), x.authenticator().public_key
    rules = EvidenceRules(frozenset())
    verify_evidence(read_evidence(with_key(good)), terms, [], x.NOW, FACTS, rules)
    rsa = good.replace(b"\x03\x26", b"\x03\x39\x01\x00")
    assert passkey_reason(with_key(rsa), terms) == "algorithm"


@pytest.mark.parametrize(
    "cose",
    [
        b"",
        b"\xff",
        x.authenticator().public_key[:-1] + b"\x00",
        x.authenticator().public_key.replace(b"\x21\x58", b"\x21\x78"),
        x.authenticator().public_key.replace(b"\x22\x58\x20", b"\x23\x58\x20"),
        b"\xa5\x01\x02\x03\x26\x20\x01\x21\x05\x22\x05",
    ],
    ids=["empty", "no cbor", "no point", "text for bytes", "no y", "numbers for bytes"],
)
def test_verify_evidence_odd_key_raises_only_ours(cose):
    terms = read_terms(x.terms(basis="passkey"))
    assert passkey_reason(with_key(cose), terms) == "assertion"


@pytest.mark.parametrize(
    ("origin", "rp_id", "reason"),
    [
        ("http://wuhou.localhost:8101", "wuhou.localhost", None),
        ("http://localhost:8101", "localhost", None),
        ("http://wuhou.example", "wuhou.example", "foreign_origin"),
        ("https://evil-wuhou.example", "wuhou.example", "foreign_origin"),
        ("https://wuhou.example/path", "wuhou.example", "foreign_origin"),
        ("https://banshi.wuhou.example:8443", "wuhou.example", None),
    ],
)
def test_verify_evidence_page_of_passkey_must_be_the_relying_partys(origin, rp_id, reason):
    terms = x.terms(basis="passkey")
    challenge = x.challenge(x.grant_id(terms))
    passkey = x.SoftwareAuthenticator(x.AUTHENTICATOR_SECRET, rp_id, 0)
    body = x.passkey_body(rp_id=rp_id)
    entry = x.entry(2, f.commitment("credential", x.ORIGIN, x.salt("passkey"), body))
    made = x.passkey(challenge, parts=passkey.get_assertion(challenge, origin))
    made |= {"origin": origin, "rp_id": rp_id}
    made["credential"] = made["credential"] | {
        "body": body,
        "leaf_index": 0,
        "tree_size": 1,
        "root": x.tree.leaf_hash(entry).hex(),
        "proof": [],
    }
    if reason is None:
        rules = EvidenceRules(frozenset())
        verify_evidence(read_evidence(made), read_terms(terms), [], x.NOW, FACTS, rules)
    else:
        assert passkey_reason(made, read_terms(terms)) == reason


def test_get_evidence_basis_names_all_kinds():
    made = {"counter": x.counter, "statutory": x.statutory, "passkey": x.passkey}
    for name, build in made.items():
        assert get_evidence_basis(read_evidence(build(bytes(32)))).value == name


def test_signed_files_come_back_equal():
    sender = stamp(x.RECEIVING, x.NOW, "x")
    request, answer = x.salt("request"), x.salt("answer")
    acknowledgement = Acknowledgement(bytes(32), b"r" * 32, request, answer, x.NOW)
    data = encode_acknowledgement(acknowledgement, sender.key_id, sender.sign)
    assert verify_acknowledgement(data, x.RECEIVING, lambda key: True) == acknowledgement
    notice = DestructionNotice(x.RELEASING, x.COMMITMENT, (b"r" * 32,), x.NOW)
    data = encode_destruction_notice(notice, sender.key_id, sender.sign)
    key = encode_key_id(sender.key_id)
    known = lambda key_id: encode_key_id(key_id) == key  # noqa: E731
    assert verify_destruction_notice(data, x.RECEIVING, known) == notice


@pytest.mark.parametrize("name", ["keyid", "signature"])
def test_verify_signed_member_missing_raises(name):
    made = x.signed_file("tongban/acknowledgement/v1", x.acknowledgement())
    assert verify_signed("tongban/acknowledgement/v1", made).city == x.RECEIVING
    del made[name]
    with pytest.raises(UnexpectedShapeError):
        verify_signed("tongban/acknowledgement/v1", made)


def many_materials(count):
    each = x.release_request()["materials"][0]
    materials = [each | {"commitment": x.salt(f"m{i}").hex()} for i in range(count)]
    return f.jcs(x.release_request(materials=materials))


def test_parse_release_request_too_many_materials_raises():
    assert len(parse_release_request(many_materials(64)).materials) == 64
    with pytest.raises(UnexpectedShapeError):
        parse_release_request(many_materials(65))


def test_parse_find_answer_too_many_candidates_raises():
    names = sorted(x.salt(f"c{i}").hex() for i in range(201))
    candidates = [x.candidate(commitment=name) for name in names]
    assert len(parse_find_answer(f.jcs(x.find_answer(*candidates[:200]))).candidates) == 200
    with pytest.raises(UnexpectedShapeError):
        parse_find_answer(f.jcs(x.find_answer(*candidates)))


def test_parse_release_secrets_materials_twice_raises():
    secrets = x.release_secrets()
    twice = secrets | {"materials": secrets["materials"] * 2}
    with pytest.raises(UnexpectedShapeError):
        parse_release_secrets(f.jcs(twice))


def test_compute_find_digest_is_sha256():
    assert compute_find_digest(b"x") == hashlib.sha256(b"x").digest()


def test_errors_never_repeat_private_values():
    """Every private text is put where it does not belong; no message carries it on."""
    canary = "51010519900307123X张三丰"
    for bend in (
        lambda: read_terms(x.terms(text=canary)),
        lambda: read_terms(x.terms(releasing=canary)),
        lambda: read_terms(x.terms(basis=canary)),
        lambda: read_officer_credential(x.BODIES["wang"] | {"officer": canary}),
        lambda: parse_find_openings(f.jcs({"subject": canary})),
        lambda: parse_release_secrets(f.jcs(x.release_secrets(disclosures=[canary]))),
    ):
        with pytest.raises(LedgerError) as caught:
            bend()
        assert canary not in f"{caught.value} {caught.value.message_zh} {caught.value.fields}"
