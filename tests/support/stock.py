"""A founded consortium with officers enrolled and papers registered and anchored, made once.

Wuhou issues, Mianyang records grants and receives. Making the stock takes seconds, so it is made
once per test process, stopped, and copied by every module that runs cities on it.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core.evidence_parts import OfficerRole, SignatureMeans
from ledger_node.core.release_request import RequestedMaterial
from ledger_node.core.sealed import Subject as GrantSubject
from ledger_node.core.statement import get_statement_type
from ledger_node.core.terms import Grantor, GrantorKind, TypeGrant
from ledger_node.core.types import CityId, Commitment, Digest, GrantId, PublicKey
from ledger_node.flows.enrolling import enrol_officer
from ledger_node.flows.facts import NotYetAnchoredError, build_placement
from ledger_node.flows.granting import (
    ConsentRequest,
    CounterCeremony,
    confirm_at_counter,
    draft_terms,
)
from ledger_node.flows.intake import IntakeQueue, register
from ledger_node.flows.node import Node
from ledger_node.flows.receiving import prepare_release
from ledger_node.flows.submission import DocumentFile, Subject, Submission
from tests.support.consortium import Template, found_template, running_consortium

ISSUER, RELIER, BYSTANDER = "wuhou", "mianyang", "xiongan"
NUMBER, NAME = "510107199003070049", "何雨晴"
CASE = "MY-2026-04217"
TYPE = "marriage-cert"
FIELDS = ("subjects", "issuer", "number", "issued_on")
MATERIALS = 8
WINDOW_S = 100_000


@dataclass(frozen=True)
class Stock:
    """What the copies have in common.

    Attributes:
        template: Stopped chain and cities.
        officers: Keys of Mianyang's officers by id.
        materials: Commitments of the registered papers, in order.
    """

    template: Template
    officers: dict[str, Ed25519PrivateKey]
    materials: tuple[Commitment, ...]

    @property
    def city(self) -> dict[str, CityId]:
        """Division code by slug."""
        return {plan.slug: plan.city for plan in self.template.cities}


def paper_of(which: int) -> bytes:
    """Bytes of the registered document of a material."""
    return b"%%PDF-1.7 marriage certificate %d of the stock" % which


@cache
def make_stock() -> Stock:
    """Found three cities, enrol two officers, register `MATERIALS` papers; all of it anchored."""
    root = Path(tempfile.mkdtemp(prefix="tongban-stock-"))
    owner = os.getpid()  # forked children end without running this, or must not
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(root, ignore_errors=True))
    founded = found_template(root / "founded", 3)
    officers: dict[str, Ed25519PrivateKey] = {}
    with running_consortium(founded, root / "stocked") as consortium:
        enrolled = []
        roles = (OfficerRole.REGISTRAR, OfficerRole.SUPERVISOR)
        for name, role in zip(("my-registrar-01", "my-supervisor-01"), roles, strict=True):
            officers[name] = key = Ed25519PrivateKey.generate()
            public = PublicKey(key.public_key().public_bytes_raw())
            enrolled.append(enrol_officer(consortium[RELIER].node, name, role, public).commitment)
        materials = tuple(
            register_paper(consortium[ISSUER].node, which) for which in range(MATERIALS)
        )
        consortium.settle(
            lambda: (
                is_anchored(consortium[RELIER].node, enrolled)
                and is_anchored(consortium[ISSUER].node, materials)
            )
        )
        consortium.pass_time(2)  # a credential counts from the second after its block on
        consortium.turn()
    shutil.rmtree(founded.path)
    return Stock(Template(root / "stocked", founded.cities, founded.rpc_port), officers, materials)


def register_paper(node: Node, which: int) -> Commitment:
    """Hand one paper in; returns its commitment."""
    submission = Submission(
        TYPE,
        (Subject("holder", "cn-resident-id", NUMBER, NAME),),
        "A",
        (DocumentFile(lambda: io.BytesIO(paper_of(which)), "application/pdf"),),
        {"code": "11510107MB1A00000X", "name": "武侯区民政局"},
        f"J510107-2020-{which:06}",
        "2020-05-20",
    )
    return register(node, IntakeQueue(node), submission).commitment


def is_anchored(node: Node, commitments: Sequence[Commitment]) -> bool:
    """Whether a final anchor covers all these entries of the node's own log."""
    with node.database.read() as tx:
        try:
            for commitment in commitments:
                build_placement(node, tx, commitment)
        except NotYetAnchoredError:
            return False
    return True


def consent(
    node: Node,
    stock: Stock,
    *,
    uses: int = 1,
    window_s: int = WINDOW_S,
    case: str = CASE,
    releasing: str = ISSUER,
    receiving: str = RELIER,
) -> GrantId:
    """The person signs on the pad at Mianyang's counter, both officers sign for it."""
    request = ConsentRequest(
        (stock.city[releasing],),
        stock.city[receiving],
        GrantSubject("cn-resident-id", NUMBER, NAME),
        Grantor(GrantorKind.SELF, None),
        (TypeGrant(TYPE, FIELDS, True),),
        "hpf-loan-remote",
        case,
        window_s,
        uses,
    )
    pad = Digest(hashlib.sha256(b"pad " + case.encode()).digest())
    signers = tuple((name, key.sign) for name, key in stock.officers.items())
    ceremony = CounterCeremony("cn-resident-id", True, pad, SignatureMeans.PAD, signers)
    (grant_id,) = confirm_at_counter(node, draft_terms(node, request), ceremony)
    return grant_id


def ask_for(material: Commitment) -> RequestedMaterial:
    """All granted fields and the document of a material."""
    kind = get_statement_type(TYPE)
    return RequestedMaterial(material, tuple(sorted(map(kind.position_of, FIELDS))), (0,))


def prepare(node: Node, grant_id: GrantId, *materials: Commitment) -> bytes:
    """Store a release request in Mianyang; its loop sends it. Returns the release's id."""
    return prepare_release(node, grant_id, [ask_for(each) for each in materials], "my-registrar-01")
