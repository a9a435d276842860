"""Parsers of steps 6 to 8: terms, evidence, find and release messages, signed messages."""

from ledger_node.core import (
    acknowledgement,
    catalogue_format,
    catalogue_seed,
    evidence,
    evidence_format,
    find_messages,
    message,
    message_key,
    message_parts,
    release_answer,
    release_fetch,
    release_request,
    release_secrets,
    sealed,
    signed_head,
    terms_format,
)
from ledger_node.core.canonical import parse_base64url
from ledger_node.core.placement import LogFacts
from tests.fuzz.parsers import ParserCase
from tests.reference import catalogues
from tests.reference import exchange as x
from tests.reference import formats as f

TERMS = x.terms()
PASSKEY_TERMS = x.terms(basis="passkey")
CHALLENGE = x.challenge(x.grant_id(TERMS))
PASSKEY = x.passkey(x.challenge(x.grant_id(PASSKEY_TERMS)))
OPENINGS = {
    name: {"salt": x.salt(name).hex(), "body": body}
    for name, body in (("subject", x.SUBJECT), ("item", x.ITEM), ("case", x.CASE))
}
BODY = b'{"v":"tongban/find-request/v1"}'
HEADER_TEXT = "\n".join(f"{name}: {value}" for name, value in x.message_request(BODY).items())


HEAD = {
    "url": x.ADDRESSES[x.RELEASING],
    "path": "/peer/v1/find",
    "headers": {name.lower(): value for name, value in x.message_request(BODY).items()},
}
ANSWER_HEAD = {"request": HEAD, "status": 200, "headers": HEAD["headers"]}


def _facts(at=x.ANCHORED_AT):
    return LogFacts(x.DOMAIN, lambda city, generation, head: at, lambda city, leaf: None)


def _verify_assertion_part(part):
    """A library parses these parts: whatever they are, only our errors may leave."""
    terms = terms_format.read_terms(PASSKEY_TERMS)
    rules = evidence.EvidenceRules(frozenset())

    def verify(data):
        parts = PASSKEY["assertion"] | {part: x.b64url(data)}
        made = evidence_format.read_evidence(PASSKEY | {"assertion": parts})
        return evidence.verify_evidence(made, terms, [], x.NOW, _facts(), rules)

    return verify


def _verify_headers(text):
    """Headers as one text, a line each: name, colon, value."""
    lines = [tuple(line.partition(": ")[::2]) for line in text.split("\n")]
    request = message_parts.HttpRequest("POST", x.ADDRESSES[x.RELEASING], "/peer/v1/find", lines)
    return message.verify_request(request, BODY, lambda key: True, x.NOW + 1)


def _verify_file(verify):
    return lambda data: verify(data, x.RECEIVING, lambda key: True)


def _require_path(path):
    return message_parts.build_url("http://127.0.0.1:8101", path)


CASES = [
    ParserCase(
        "core.terms_format.parse_terms",
        "json",
        terms_format.parse_terms,
        [f.jcs(TERMS), f.jcs(PASSKEY_TERMS), f.jcs(x.terms(basis="statutory", grantor=None))],
        terms_format.encode_terms,
    ),
    ParserCase(
        "core.evidence_format.parse_evidence",
        "json",
        evidence_format.parse_evidence,
        [
            f.jcs(x.counter(CHALLENGE, ("wang", "li"))),
            f.jcs(x.statutory(CHALLENGE)),
            f.jcs(PASSKEY),
        ],
        evidence_format.encode_evidence,
    ),
    ParserCase(
        "core.find_messages.parse_find_request",
        "json",
        find_messages.parse_find_request,
        [f.jcs(x.find_request())],
        find_messages.encode_find_request,
    ),
    ParserCase(
        "core.find_messages.parse_find_answer",
        "json",
        find_messages.parse_find_answer,
        [f.jcs(x.find_answer(x.candidate())), f.jcs(x.find_answer())],
        find_messages.encode_find_answer,
    ),
    ParserCase(
        "core.release_request.parse_release_request",
        "json",
        release_request.parse_release_request,
        [f.jcs(x.release_request())],
        release_request.encode_release_request,
    ),
    ParserCase(
        "core.release_answer.parse_release_answer",
        "json",
        release_answer.parse_release_answer,
        [
            f.jcs(x.release_answer()),
            f.jcs(x.release_answer(refused=[{"commitment": "00" * 32, "code": "material_spent"}])),
        ],
        release_answer.encode_release_answer,
    ),
    ParserCase(
        "core.release_secrets.parse_release_secrets",
        "json",
        release_secrets.parse_release_secrets,
        [f.jcs(x.release_secrets())],
        release_secrets.encode_release_secrets,
    ),
    ParserCase(
        "core.release_fetch.parse_answer_fetch",
        "json",
        release_fetch.parse_answer_fetch,
        [f.jcs({"v": "tongban/answer-fetch/v1", "request": "5a" * 32})],
        release_fetch.encode_answer_fetch,
    ),
    ParserCase(
        "core.release_fetch.parse_document_fetch",
        "json",
        release_fetch.parse_document_fetch,
        [
            f.jcs(
                {
                    "v": "tongban/document-fetch/v1",
                    "request": "5a" * 32,
                    "commitment": "7c" * 32,
                    "index": index,
                }
            )
            for index in (0, 63)
        ],
        release_fetch.encode_document_fetch,
    ),
    ParserCase(
        "core.release_fetch.parse_release_status",
        "json",
        release_fetch.parse_release_status,
        [
            f.jcs({"v": "tongban/release-status/v1", "request": "5a" * 32, "state": state})
            for state in ("answered", "consume_signed", "acknowledged", "withheld")
        ],
        release_fetch.encode_release_status,
    ),
    ParserCase(
        "core.signed_head.parse_head",
        "json",
        signed_head.parse_head,
        [f.jcs(HEAD)],
        signed_head.encode_head_bytes,
    ),
    ParserCase(
        "core.signed_head.parse_answer_head",
        "json",
        signed_head.parse_answer_head,
        [f.jcs(ANSWER_HEAD)],
        signed_head.encode_answer_head_bytes,
    ),
    ParserCase(
        "core.sealed.parse_find_openings",
        "json",
        sealed.parse_find_openings,
        [f.jcs({"subject": OPENINGS["subject"]})],
        sealed.encode_openings,
    ),
    ParserCase(
        "core.sealed.parse_release_openings",
        "json",
        sealed.parse_release_openings,
        [f.jcs(OPENINGS)],
        sealed.encode_openings,
    ),
    ParserCase(
        "core.message_key.parse_key_id",
        "text",
        message_key.parse_key_id,
        [x.key_id(x.RELEASING)],
        message_key.encode_key_id,
    ),
    ParserCase(
        "core.message_parts.parse_content_digest",
        "text",
        message_parts.parse_content_digest,
        [x.content_digest(b"x")],
        message_parts.encode_content_digest,
    ),
    ParserCase(
        "core.catalogue_seed.parse_seed",
        "value",
        catalogue_seed.parse_seed,
        [catalogues.SEED],
        None,  # the seed holds members the program does not read, so it has no writer
    ),
    ParserCase(
        "core.catalogue_format.parse_catalogue",
        "json",
        catalogue_format.parse_catalogue,
        [f.jcs(catalogues.catalogue())],
        catalogue_format.encode_catalogue,
    ),
    # What is not called parse_ but takes a stranger's bytes.
    ParserCase(
        "message headers",
        "text",
        _verify_headers,
        [HEADER_TEXT],
        None,
    ),
    ParserCase(
        "message path", "text", _require_path, ["/peer/v1/find", "/log/tile/0/x001/000?a=1"], None
    ),
    ParserCase(
        "acknowledgement",
        "json",
        _verify_file(acknowledgement.verify_acknowledgement),
        [f.jcs(x.signed_file("tongban/acknowledgement/v1", x.acknowledgement()))],
        None,
    ),
    ParserCase(
        "destruction notice",
        "json",
        _verify_file(acknowledgement.verify_destruction_notice),
        [f.jcs(x.signed_file("tongban/destruction/v1", x.destruction()))],
        None,
    ),
    *(
        ParserCase(
            f"assertion {part}",
            "bytes",
            _verify_assertion_part(part),
            [parse_base64url(PASSKEY["assertion"][part], what="seed")],
            None,
        )
        for part in ("clientDataJSON", "authenticatorData", "signature")
    ),
]
