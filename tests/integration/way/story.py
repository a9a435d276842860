"""The way of one material between real nodes, up to an acknowledged release, for tests to go on.

Wuhou (SQLite) issues, Mianyang (PostgreSQL) receives and relies, on a local chain with a test clock
and real HTTP. Nothing here asserts what the product promises; the tests do.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core.evidence_parts import OfficerRole, SignatureMeans
from ledger_node.core.release_request import RequestedMaterial
from ledger_node.core.sealed import Subject as GrantSubject
from ledger_node.core.statement import get_statement_type
from ledger_node.core.terms import Grantor, GrantorKind, TypeGrant
from ledger_node.core.types import Commitment, Digest, GrantId, PublicKey
from ledger_node.flows.enrolling import enrol_officer
from ledger_node.flows.facts import NotYetAnchoredError, build_placement
from ledger_node.flows.granting import (
    ConsentRequest,
    CounterCeremony,
    confirm_at_counter,
    draft_terms,
    record_grant,
    revoke_grant,
)
from ledger_node.flows.intake import Registered, register
from ledger_node.flows.node import Node
from ledger_node.flows.receiving import load_incoming, prepare_release
from ledger_node.flows.submission import DocumentFile, Subject, Submission
from ledger_node.flows.watching import resume_watching, withdraw
from tests.support.consortium import Consortium, found_template, running_consortium

ISSUER, RELIER = "wuhou", "mianyang"
NUMBER, NAME = "510107199003070049", "何雨晴"
TYPE = "marriage-cert"
FIELDS = ("subjects", "issuer", "number", "issued_on")
ENDED = ("acknowledged", "refused", "rejected")

STOCK = (
    "relied",
    "raced",
    "officers",
    "revoked",
    "withdrawn",
    "over",
    "hidden",
    "told",
    "renewed",
    "gone",
    "late",
)
OWN_GRANT = ("relied", "revoked")
_CHANGES: dict[str, dict[str, Any]] = {
    "over": {"valid_until": "2021-05-20"},
    "hidden": {"valid_until": "2021-05-20"},
}


@dataclass(frozen=True)
class Released:
    """An acknowledged release of one material."""

    digest: bytes
    material: Registered


def paper_of(number: str) -> bytes:
    """Bytes of a registered document."""
    return f"%PDF-1.7 the paper {number}".encode()


@dataclass
class Way:
    """A running consortium with two officers enrolled in the relying city."""

    consortium: Consortium
    officers: dict[str, Ed25519PrivateKey] = field(default_factory=dict)
    stock: dict[str, Released] = field(default_factory=dict)

    @property
    def issuer(self) -> Node:
        return self.consortium[ISSUER].node

    @property
    def relier(self) -> Node:
        return self.consortium[RELIER].node

    def settle(self, done: Callable[[], object]) -> None:
        self.consortium.settle(done)

    def enrol(self, officer: str, role: OfficerRole) -> Commitment:
        key = Ed25519PrivateKey.generate()
        public = PublicKey(key.public_key().public_bytes_raw())
        self.officers[officer] = key
        return enrol_officer(self.relier, officer, role, public).commitment

    def register(self, number: str, **changes: Any) -> Registered:
        runtime = self.consortium[ISSUER]
        paper = paper_of(number)
        values: dict[str, Any] = {
            "type_code": TYPE,
            "subjects": (Subject("holder", "cn-resident-id", NUMBER, NAME),),
            "grade": "A",
            "documents": (DocumentFile(lambda: io.BytesIO(paper), "application/pdf"),),
            "issuer": {"code": "11510107MB1A00000X", "name": "武侯区民政局"},
            "number": number,
            "issued_on": "2020-05-20",
        }
        return register(runtime.node, runtime.queue, Submission(**{**values, **changes}))

    def is_anchored(self, node: Node, commitments: Sequence[Commitment]) -> bool:
        with node.database.read() as tx:
            try:
                for commitment in commitments:
                    build_placement(node, tx, commitment)
            except NotYetAnchoredError:
                return False
        return True

    def consent(self, case: str, uses: int = 1) -> GrantId:
        """Terms drawn up, signed by both officers; the record transaction is on its way."""
        types = (TypeGrant(TYPE, (*FIELDS, "valid_until"), True),)
        subject = GrantSubject("cn-resident-id", NUMBER, NAME)
        grantor = Grantor(GrantorKind.SELF, None)
        request = ConsentRequest(
            (self.issuer.city,),
            self.relier.city,
            subject,
            grantor,
            types,
            "hpf-loan-remote",
            case,
            1800,
            uses,
        )
        pad = Digest(hashlib.sha256(case.encode()).digest())
        signers = tuple((name, key.sign) for name, key in self.officers.items())
        ceremony = CounterCeremony("cn-resident-id", True, pad, SignatureMeans.PAD, signers)
        (grant_id,) = confirm_at_counter(self.relier, draft_terms(self.relier, request), ceremony)
        record_grant(self.relier, grant_id)
        return grant_id

    def sees_grant(self, grant_id: GrantId) -> bool:
        found = []
        for node in (self.issuer, self.relier):
            with node.database.read() as tx:
                found.append(tx.chain.find_grant(grant_id) is not None)
        return all(found)

    def request(self, grant_id: GrantId, material: Registered, fields: Sequence[str]) -> bytes:
        """Ask for fields and the document of a material; returns the release's id."""
        kind = get_statement_type(TYPE)
        positions = tuple(sorted(kind.position_of(name) for name in fields))
        asked = [RequestedMaterial(material.commitment, positions, (0,))]
        return prepare_release(self.relier, grant_id, asked, next(iter(self.officers)))

    def state_of(self, request_digest: bytes) -> str:
        return load_incoming(self.relier, request_digest).state

    def stock_up(self) -> None:
        """Register, consent and release everything the tests use, side by side."""
        materials = {
            name: self.register(f"J510107-2020-{at:06}", **_CHANGES.get(name, {}))
            for at, name in enumerate(STOCK)
        }
        grants = {name: self.consent(f"MY-{name}") for name in OWN_GRANT}
        shared = self.consent("MY-shared", len(STOCK))
        anchored = [each.commitment for each in materials.values()]
        self.settle(
            lambda: (
                self.is_anchored(self.issuer, anchored)
                and all(map(self.sees_grant, (*grants.values(), shared)))
            )
        )
        for name, material in materials.items():
            fields = (*FIELDS, "valid_until") if name == "over" else FIELDS
            digest = self.request(grants.get(name, shared), material, fields)
            self.stock[name] = Released(digest, material)
        self.settle(
            lambda: all(self.state_of(each.digest) in ENDED for each in self.stock.values())
        )
        self.end_some()
        for name, each in self.stock.items():
            row = load_incoming(self.relier, each.digest)
            assert row.state == "acknowledged", (name, row.problem_code)

    def end_some(self) -> None:
        """A withdrawn material, a revoked grant: histories have ends too."""
        gone = self.stock["gone"].material
        withdraw(self.issuer, gone.material_id, "issued-in-error")
        spare = self.consent("MY-spare")
        self.settle(lambda: self.sees_grant(spare))
        revoke_grant(self.relier, spare)
        self.settle(lambda: self.is_revoked(spare))
        self.deliver()

    def is_revoked(self, grant_id: GrantId) -> bool:
        """Finally, and known to both cities."""
        found = []
        for node in (self.issuer, self.relier):
            with node.database.read() as tx:
                found.append(tx.chain.find_revocation(grant_id, final_only=True) is not None)
        return all(found)

    def deliver(self) -> None:
        """Turn until every notice is delivered."""

        def done() -> bool:
            resume_watching(self.issuer)
            with self.issuer.database.read() as tx:
                return not tx.messages.list_notices("outgoing", undelivered_only=True)

        self.settle(done)


@contextmanager
def running_way(path: Path, relier_database: str) -> Iterator[Way]:
    """Two cities founded, officers enrolled and anchored, the stock released."""
    template = found_template(path / "template", 2)
    settings = template.path / RELIER / "node.toml"
    settings.write_text(f'database_url = "{relier_database}"\n' + settings.read_text())
    with running_consortium(template, path / "run") as consortium:
        way = Way(consortium)
        enrolled = [
            way.enrol("my-registrar-01", OfficerRole.REGISTRAR),
            way.enrol("my-supervisor-01", OfficerRole.SUPERVISOR),
        ]
        way.settle(lambda: way.is_anchored(way.relier, enrolled))
        consortium.pass_time(2)  # a credential counts from the second after its block on
        way.stock_up()
        yield way
