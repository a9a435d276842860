"""What window staff do in the demonstration, over the same flows as the command line."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core.evidence_parts import OfficerRole, SignatureMeans
from ledger_node.core.find_messages import Candidate
from ledger_node.core.release import IncomingState
from ledger_node.core.release_request import RequestedMaterial
from ledger_node.core.sealed import Subject as GrantSubject
from ledger_node.core.statement import get_statement_type
from ledger_node.core.terms import Grantor, GrantorKind, TypeGrant
from ledger_node.core.types import CityId, Commitment, Digest, GrantId, PublicKey
from ledger_node.demo.papers import Paper, Person
from ledger_node.demo.stage import Stage
from ledger_node.flows.enrolling import enrol_officer
from ledger_node.flows.facts import NotYetAnchoredError, build_placement
from ledger_node.flows.granting import (
    ConsentRequest,
    CounterCeremony,
    confirm_at_counter,
    draft_terms,
    record_grant,
)
from ledger_node.flows.intake import Registered, register
from ledger_node.flows.outbox import resume_outbox
from ledger_node.flows.receiving import prepare_release, pursue_release
from ledger_node.flows.submission import DocumentFile, Subject, Submission
from ledger_node.ports.database_exchange import ReleaseRow

ITEM = "hpf-loan-remote"
FIELDS = ("subjects", "issuer", "number", "issued_on")
WINDOW_S = 1800


@dataclass
class Window:
    """One city's window: its opened node, and officers whose keys live on this machine."""

    stage: Stage
    slug: str
    officers: dict[str, Ed25519PrivateKey] = field(default_factory=dict)

    @property
    def city(self) -> CityId:
        """Division code."""
        return self.stage.plans[self.slug].city

    def enrol(self, officer: str, role: OfficerRole) -> Commitment:
        """Make an officer's key and enrol it."""
        key = Ed25519PrivateKey.generate()
        public = PublicKey(key.public_key().public_bytes_raw())
        row = enrol_officer(self.stage.open(self.slug).node, officer, role, public)
        self.officers[officer] = key
        return row.commitment

    def register(self, paper: Paper, person: Person) -> Registered:
        """Register one paper the person handed in; the original was seen."""
        runtime = self.stage.open(self.slug)
        submission = Submission(
            paper.type_code,
            (Subject("holder", person.scheme, person.number, person.name),),
            "A",
            (DocumentFile(lambda: io.BytesIO(paper.content), paper.media_type),),
            {"code": paper.issuer[0], "name": paper.issuer[1]},
            paper.number,
            paper.issued_on,
        )
        return register(runtime.node, runtime.queue, submission)

    def is_anchored(self, commitments: Sequence[Commitment]) -> bool:
        """Whether a final anchor covers all these entries."""
        self.stage.follow(self.slug)
        node = self.stage.open(self.slug).node
        with node.database.read() as tx:
            try:
                for commitment in commitments:
                    build_placement(node, tx, commitment)
            except NotYetAnchoredError:
                return False
        return True

    def consent(
        self, person: Person, releasing: Sequence[CityId], types: Sequence[str], case: str
    ) -> tuple[GrantId, ...]:
        """The person signs on the pad, two officers sign for it: one grant per asked city."""
        node = self.stage.open(self.slug).node
        granted = tuple(TypeGrant(code, FIELDS, True) for code in types)
        drafts = draft_terms(
            node,
            ConsentRequest(
                tuple(releasing),
                self.city,
                GrantSubject(person.scheme, person.number, person.name),
                Grantor(GrantorKind.SELF, None),
                granted,
                ITEM,
                case,
                WINDOW_S,
            ),
        )
        pad = Digest(hashlib.sha256(b"signature pad image of " + case.encode()).digest())
        signers: tuple[tuple[str, Callable[[bytes], bytes]], ...] = tuple(
            (officer, key.sign) for officer, key in self.officers.items()
        )
        ceremony = CounterCeremony(person.scheme, True, pad, SignatureMeans.PAD, signers)
        return confirm_at_counter(node, drafts, ceremony)

    def record(self, grant_id: GrantId) -> None:
        """Record a grant on chain and wait until this city sees it as final."""
        node = self.stage.open(self.slug).node
        record_grant(node, grant_id)
        self.stage.wait(lambda: self.sees_grant(grant_id), "GrantRecorded")

    def sees_grant(self, grant_id: GrantId) -> bool:
        """Whether the grant is in a final block as this city followed the chain."""
        self.stage.follow(self.slug)
        with self.stage.open(self.slug).node.database.read() as tx:
            return tx.chain.find_grant(grant_id) is not None

    def sees_revocation(self, grant_id: GrantId) -> bool:
        """Whether the revocation of a grant is in a final block as this city followed it."""
        self.stage.follow(self.slug)
        with self.stage.open(self.slug).node.database.read() as tx:
            return tx.chain.find_revocation(grant_id, final_only=True) is not None

    def request(self, grant_id: GrantId, candidates: Sequence[Candidate]) -> ReleaseRow:
        """Ask for fields and first document of each candidate and pursue it to an end."""
        node = self.stage.open(self.slug).node
        materials = [
            RequestedMaterial(each.commitment, positions_of(each.type_code), (0,))
            for each in candidates
        ]
        digest = prepare_release(node, grant_id, materials, next(iter(self.officers), "window-1"))
        return self.pursue(digest)

    def pursue(self, request_digest: bytes) -> ReleaseRow:
        """Take a release as far as it goes."""
        node = self.stage.open(self.slug).node
        ended = {IncomingState.ACKNOWLEDGED, IncomingState.REFUSED, IncomingState.REJECTED}
        rows: list[ReleaseRow] = []

        def done() -> bool:
            self.stage.follow(self.slug)
            rows[:] = [pursue_release(node, request_digest)]
            return rows[0].state in ended

        self.stage.wait(done, "release")
        return rows[0]

    def settle_outbox(self) -> None:
        """Wait until none of this city's transactions is open."""
        node = self.stage.open(self.slug).node
        self.stage.wait(lambda: resume_outbox(node).open == 0, "outbox")


def positions_of(type_code: str) -> tuple[int, ...]:
    """Positions of the fields the demonstration asks for."""
    statement_type = get_statement_type(type_code)
    return tuple(sorted(statement_type.position_of(name) for name in FIELDS))
