"""Terms of a grant: what one city may release to another, for whom, for what, until when.

Step 7 of the data flow (terms + evidence -> grant recorded on chain). The terms are private; the
chain holds only their salted commitment, which is the grant's id. Spec: design section 9,
docs/spec/terms.md. Vectors: tests/vectors/terms/.

Invariants:
    * One grant is one releasing and one receiving city; purpose (item and case), chain, contract
      and window are inside, so that nothing signed here is good anywhere else.
    * An empty list of types, of fields or of materials is refused: it never means "all".
    * Nobody grants on a statutory basis: `grantor` is null exactly then.
Not here: bytes and ids (terms_format.py), what a grant allows (grant.py), who signed (evidence.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger_node.core.event_types import Basis
from ledger_node.core.types import Address, CityId, Commitment, Salt


class GrantBasis(StrEnum):
    """On what a grant stands, as terms spell it."""

    PASSKEY = "passkey"
    COUNTER = "counter"
    ASSERTION = "assertion"
    STATUTORY = "statutory"

    @property
    def on_chain(self) -> Basis:
        """The same basis as the contract numbers it."""
        return Basis[self.name]


class GrantorKind(StrEnum):
    """Who grants: the data subject, its guardian, or an agent with a mandate."""

    SELF = "self"
    GUARDIAN = "guardian"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Grantor:
    """Who grants.

    Attributes:
        kind: The person itself or somebody for it.
        mandate: Commitment to the paper the power comes from; always for an agent, never for the
            person itself, for a guardian if there is one.
    """

    kind: GrantorKind
    mandate: Commitment | None


@dataclass(frozen=True, slots=True)
class TypeGrant:
    """What may be shown of materials of one type.

    Attributes:
        code: Material type.
        fields: Names of the fields that may be disclosed, distinct; may be empty only if the
            documents are granted.
        documents: Whether the documents themselves may be handed over.
    """

    code: str
    fields: tuple[str, ...]
    documents: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of one grant.

    Attributes:
        salt: 32 secret bytes; makes the grant id unguessable and unique.
        chain_id, grants: The one chain and contract it can be recorded in.
        recording: City where the person (or officers) confirmed it.
        releasing, receiving: From and to; never the same city.
        subject: Commitment to {scheme, number, name}, origin of the recording city.
        grantor: Who grants; None exactly for a statutory basis.
        materials: Only these (commitments), or None for any material of the types.
        types: What may be shown, per type.
        item, case: Salted commitments to the purpose.
        not_before_s, not_after_s: Window in block time, seconds, end excluded.
        uses: Number of releases.
        basis: Kind of evidence.
        text: Version of the consent text that was shown.
    """

    salt: Salt
    chain_id: int
    grants: Address
    recording: CityId
    releasing: CityId
    receiving: CityId
    subject: Commitment
    grantor: Grantor | None
    materials: tuple[Commitment, ...] | None
    types: tuple[TypeGrant, ...]
    item: Commitment
    case: Commitment
    not_before_s: int
    not_after_s: int
    uses: int
    basis: GrantBasis
    text: str

    def find_type(self, code: str) -> TypeGrant | None:
        """What is granted for a type, or None."""
        return next((granted for granted in self.types if granted.code == code), None)
