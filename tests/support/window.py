"""A person at Mianyang's window, up to the signature, over the shared stock."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ledger_node.core.evidence_parts import SignatureMeans
from ledger_node.core.sealed import Subject
from ledger_node.core.types import Digest
from ledger_node.core.visit import IdentifiedBy
from ledger_node.flows.granting import CounterCeremony, confirm_at_counter, draft_terms
from ledger_node.flows.node import Node
from ledger_node.flows.window import (
    Clerk,
    Run,
    build_consent_request,
    build_visit,
    choose_service,
    load_run,
    mark_asked,
    open_run,
    take_up_grants,
)
from ledger_node.seed import load_catalogue
from tests.support.stock import NAME, NUMBER, Stock

CLERK = Clerk("account-1", "my-registrar-01")
DECIDER = "my-supervisor-01"
ITEM = "hpf-loan-remote"


def identify(node: Node, item: str = ITEM, conditions: Sequence[str] = ("married",)) -> Run:
    """The card is read and the service chosen."""
    person = Subject("cn-resident-id", NUMBER, NAME)
    run_id = open_run(node, CLERK, build_visit(node, person, IdentifiedBy.CARD, device="sim"))
    run = load_run(node, run_id, CLERK.account_id)
    return choose_service(node, run, load_catalogue(), item, conditions)


def sign(node: Node, stock: Stock, run: Run, releasing: Sequence[str] = ()) -> Run:
    """The person signs on the pad, both officers for it, and the run takes the grants up."""
    cities = [stock.city[slug] for slug in releasing]
    request = build_consent_request(node, run, load_catalogue(), cities)
    run = mark_asked(node, run, "ceremony-1", [each.code for each in request.types])
    pad = Digest(hashlib.sha256(b"pad " + run.row.run_id.encode()).digest())
    signers = tuple((name, key.sign) for name, key in stock.officers.items())
    ceremony = CounterCeremony("cn-resident-id", True, pad, SignatureMeans.PAD, signers)
    drafts = draft_terms(node, request)
    ids = confirm_at_counter(node, drafts, ceremony)
    grants = [(draft.terms.releasing, each) for draft, each in zip(drafts, ids, strict=True)]
    return take_up_grants(node, run, grants)
