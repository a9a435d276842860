"""Parsers of consent: ceremony bodies, revocation codes and messages, provider evidence, images."""

from dataclasses import replace

from ledger_node.core import (
    ceremony_format,
    evidence,
    evidence_assertion,
    evidence_format,
    pad_image,
    revocation_code,
    revocation_messages,
    terms_format,
    visit,
)
from ledger_node.core.ceremony import build_material_option, build_type_options
from ledger_node.core.placement import LogFacts
from ledger_node.core.sealed import Openings, Subject
from ledger_node.core.shapes import Opening
from ledger_node.core.terms import Grantor, GrantorKind, TypeGrant
from ledger_node.core.types import CityId, Commitment, Salt
from tests.fuzz.parsers import ParserCase
from tests.reference import exchange as x
from tests.reference.topics import assertions
from tests.support.pads import draw_pad

TERMS = x.terms(basis="assertion")
EVIDENCE = assertions.assertion(x.challenge(x.grant_id(TERMS)))
OPENING = Opening(Salt(bytes(32)), {"scheme": "passport", "number": "E1", "name": "Eve"})
TYPE = TypeGrant("marriage-cert", ("number",), True)
BODY = ceremony_format.CeremonyBody(
    releasing=(CityId("510107"),),
    receiving=CityId("510700"),
    subject=Subject("passport", "E12345678", "Eve"),
    grantor=Grantor(GrantorKind.SELF, None),
    options=(
        *build_type_options([TYPE]),
        build_material_option(TYPE, CityId("510107"), Commitment(bytes(32))),
    ),
    item="loan",
    case="W1",
    window_s=1800,
    uses=1,
    text="consent/1",
    document_scheme="passport",
    read_by_device=True,
    outlet="",
    window="",
)
DRAFTED = replace(
    BODY,
    opening=OPENING,
    ticked=("t-marriage-cert",),
    drafts=(
        ceremony_format.DraftedTerms(
            terms_format.read_terms(TERMS), Openings(OPENING, OPENING, OPENING)
        ),
    ),
)
VISIT = visit.Visit(
    person=Subject("passport", "E12345678", "Eve"),
    means=visit.IdentifiedBy.CARD,
    device="reader-1",
    identified_at_s=x.NOW,
    by=GrantorKind.AGENT,
    agent=Subject("passport", "E7654321", "Adam"),
    agent_read=True,
    mandate=Commitment(bytes(32)),
    item="loan",
    conditions=("agent",),
    case="W1",
    asked=("marriage-cert",),
    papers=("0b2e6a6e-33a1-4d55-9b51-0d6f8a3c7b10",),
)
CODE = revocation_code.build_code(CityId("510107"), bytes(15) + b"\x03")
assert CODE is not None
CARD = revocation_messages.CardShown("cn-resident-id", "11010519491231002X")
FACTS = revocation_messages.FactsTold("1949-12-31", "002X")
REQUEST = revocation_messages.RevocationRequest(Salt(bytes(32)), x.NOW, bytes(80))
ANSWER = revocation_messages.RevocationAnswer(
    bytes(32), revocation_messages.RevocationOutcome.REVOKED, 2
)


def _verify_token(text):
    """A library parses the token: whatever it is, only our errors may leave."""
    facts = LogFacts(
        x.DOMAIN, lambda city, generation, head: x.ANCHORED_AT, lambda city, leaf: None
    )
    made = evidence_format.read_evidence(EVIDENCE | {"token": text})
    rules = evidence.EvidenceRules(frozenset())
    return evidence.verify_evidence(made, terms_format.read_terms(TERMS), [], x.NOW, facts, rules)


CASES = [
    ParserCase(
        "core.ceremony_format.parse_ceremony_body",
        "json",
        ceremony_format.parse_ceremony_body,
        [ceremony_format.encode_ceremony_body(each) for each in (BODY, DRAFTED)],
        ceremony_format.encode_ceremony_body,
    ),
    ParserCase(
        "core.revocation_code.parse_code",
        "text",
        revocation_code.parse_code,
        [CODE.text, CODE.printed],
        None,  # several spellings are one code
    ),
    ParserCase(
        "core.visit.parse_visit",
        "json",
        visit.parse_visit,
        [visit.encode_visit(VISIT)],
        visit.encode_visit,
    ),
    ParserCase(
        "core.revocation_messages.parse_revocation_request",
        "json",
        revocation_messages.parse_revocation_request,
        [revocation_messages.encode_revocation_request(REQUEST)],
        revocation_messages.encode_revocation_request,
    ),
    ParserCase(
        "core.revocation_messages.parse_revocation_secret",
        "json",
        revocation_messages.parse_revocation_secret,
        [revocation_messages.encode_revocation_secret(CODE, each) for each in (CARD, FACTS)],
        lambda read: revocation_messages.encode_revocation_secret(*read),
    ),
    ParserCase(
        "core.revocation_messages.parse_revocation_answer",
        "json",
        revocation_messages.parse_revocation_answer,
        [revocation_messages.encode_revocation_answer(ANSWER)],
        revocation_messages.encode_revocation_answer,
    ),
    ParserCase(
        "core.evidence_assertion.read_provider_credential",
        "value",
        evidence_assertion.read_provider_credential,
        [assertions.provider_body()],
        evidence_assertion.encode_provider_credential,
    ),
    ParserCase(
        "core.evidence_assertion.verify_assertion",
        "text",
        _verify_token,
        [EVIDENCE["token"]],
        None,  # a verdict, not a value
    ),
    ParserCase(
        "core.pad_image.read_pad_image", "bytes", pad_image.read_pad_image, [draw_pad()], None
    ),
]
