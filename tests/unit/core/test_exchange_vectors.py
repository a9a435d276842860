"""Terms, evidence, find, release and message vectors: each file holds or is refused by name."""

import hashlib

import pytest

from ledger_node.core.acknowledgement import verify_acknowledgement, verify_destruction_notice
from ledger_node.core.evidence import EvidenceRules, verify_evidence
from ledger_node.core.evidence_format import encode_evidence, parse_evidence
from ledger_node.core.find_messages import (
    encode_find_answer,
    encode_find_request,
    parse_find_answer,
    parse_find_request,
)
from ledger_node.core.merkle import TreeHead
from ledger_node.core.message import verify_answer, verify_body, verify_request
from ledger_node.core.message_key import encode_key_id
from ledger_node.core.message_parts import HttpAnswer, HttpRequest
from ledger_node.core.placement import LogFacts
from ledger_node.core.release_answer import encode_release_answer, parse_release_answer
from ledger_node.core.release_check import Permit, verify_release
from ledger_node.core.release_request import encode_release_request, parse_release_request
from ledger_node.core.release_secrets import encode_release_secrets, parse_release_secrets
from ledger_node.core.terms_format import (
    compute_bundle_challenge,
    compute_grant_id,
    encode_terms,
    parse_terms,
)
from tests.reference import exchange
from tests.vector_runner import load_vectors, run_vector, unhex

MESSAGES = {
    "find-request": (parse_find_request, encode_find_request),
    "find-answer": (parse_find_answer, encode_find_answer),
    "release-request": (parse_release_request, encode_release_request),
    "release-answer": (parse_release_answer, encode_release_answer),
    "release-secrets": (parse_release_secrets, encode_release_secrets),
}


def build_facts(vector):
    """Facts from the lists a vector holds."""
    heads = {
        (city, generation, TreeHead(size, bytes.fromhex(root))): at
        for city, generation, size, root, at in vector["heads"]
    }
    withdrawn = {(city, bytes.fromhex(leaf)): at for city, leaf, at in vector.get("withdrawn", [])}
    return LogFacts(
        vector["domain"],
        lambda city, generation, head: heads.get((city, generation, head)),
        lambda city, leaf: withdrawn.get((city, leaf)),
    )


@pytest.mark.parametrize("vector", load_vectors("terms/terms"))
def test_terms_vector(vector):
    def action():
        data = bytes.fromhex(vector["bytes"])
        terms = parse_terms(data)
        assert encode_terms(terms) == data
        assert compute_grant_id(terms).hex() == vector["grant_id"]

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("terms/bundle"))
def test_bundle_vector(vector):
    def action():
        challenge = compute_bundle_challenge(unhex(vector["grant_ids"]))
        assert challenge.hex() == vector["challenge"]

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("evidence"))
def test_evidence_vector(vector):
    def action():
        data = bytes.fromhex(vector["evidence"])
        evidence = parse_evidence(data)
        assert encode_evidence(evidence) == data
        verified = verify_evidence(
            evidence,
            parse_terms(bytes.fromhex(vector["terms"])),
            unhex(vector["bundle"]),
            vector["as_of_s"],
            build_facts(vector),
            EvidenceRules(frozenset(vector["sensitive_types"]), vector["ward_is_minor"]),
        )
        assert verified.made_at_s == evidence.made_at_s

    run_vector(vector, action)


@pytest.mark.parametrize("kind", MESSAGES)
def test_exchange_message_vectors(kind):
    parse, encode = MESSAGES[kind]
    for vector in (parameter.values[0] for parameter in load_vectors(f"release/{kind}")):
        data = bytes.fromhex(vector["bytes"])
        run_vector(vector, lambda data=data: parse(data))
        if vector["want_error"] is None:
            assert encode(parse(data)) == data


@pytest.mark.parametrize("vector", load_vectors("release/check"))
def test_release_check_vector(vector):
    def action():
        request, answer = bytes.fromhex(vector["request"]), bytes.fromhex(vector["answer"])
        received = verify_release(
            parse_release_request(request),
            hashlib.sha256(request).digest(),
            parse_release_answer(answer),
            hashlib.sha256(answer).digest(),
            parse_release_secrets(bytes.fromhex(vector["secrets"])),
            Permit(*unhex([vector["permit_grant_id"], vector["permit_commitment"]])),
            build_facts(vector),
        )
        assert received[0].showing.values["number"] == "J510107-2025-001234"
        assert received[0].anchored_at_s == exchange.ANCHORED_AT
        for document in received[0].documents:
            assert document.secret == exchange.salt(f"identity {document.document.index}")
            assert document.part.digest == hashlib.sha256("结婚证扫描件".encode()).digest()

    run_vector(vector, action)


@pytest.mark.parametrize(
    ("kind", "verify"),
    [("acknowledgement", verify_acknowledgement), ("destruction", verify_destruction_notice)],
)
def test_signed_file_vectors(kind, verify):
    known = {exchange.key_id(city) for city in exchange.MESSAGE_SEEDS}
    for vector in (parameter.values[0] for parameter in load_vectors(f"release/{kind}")):
        data = bytes.fromhex(vector["bytes"])
        run_vector(
            vector,
            lambda data=data: verify(
                data, exchange.RECEIVING, lambda key: encode_key_id(key) in known
            ),
        )


def read_request(vector):
    headers = [(name, value) for name, value in vector["headers"]]
    return HttpRequest(vector["method"], vector["url"], vector["path"], headers)


@pytest.mark.parametrize("vector", load_vectors("message/request"))
def test_message_request_vector(vector):
    def action():
        verified = verify_request(
            read_request(vector),
            bytes.fromhex(vector["body"]),
            lambda key: encode_key_id(key) in vector["keys"],
            vector["now_s"],
        )
        assert verified.city == exchange.RECEIVING
        assert verified.nonce == exchange.salt("request")[:16]
        assert verified.created_at_s == exchange.NOW < verified.expires_at_s

    run_vector(vector, action)


@pytest.mark.parametrize("vector", load_vectors("message/answer"))
def test_message_answer_vector(vector):
    def action():
        verified = verify_answer(
            HttpAnswer(vector["status"], [tuple(pair) for pair in vector["answer_headers"]]),
            read_request(vector),
            vector["expected_city"],
            lambda key: encode_key_id(key) in vector["keys"],
            vector["now_s"],
        )
        verify_body(verified, bytes.fromhex(vector["answer_body"]))

    run_vector(vector, action)
