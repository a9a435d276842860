"""What a decision about a grant is made on: the grant as on chain, the message, the materials held.

Step 7 of the data flow. Plain values that flows fill from the database at one final block.
Spec: docs/spec/terms.md.

Not here: the decisions (grant.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger_node.core.event_types import Basis, StatusFlag
from ledger_node.core.refusal import Refusal
from ledger_node.core.terms import GrantBasis
from ledger_node.core.types import Address, CityId, Commitment, GrantId


@dataclass(frozen=True, slots=True)
class GrantOnChain:
    """A grant as `Grants` holds it at one block.

    Attributes:
        grant_id: Terms commitment.
        releasing, receiving, recorder: Cities.
        not_before_s, not_after_s: Window in block time, end excluded.
        uses: As recorded; `uses_left` are not yet consumed.
        basis, evidence: Kind of evidence and the salted commitment over it.
        revoked: Final: it never comes back.
    """

    grant_id: GrantId
    releasing: CityId
    receiving: CityId
    recorder: CityId
    not_before_s: int
    not_after_s: int
    uses: int
    uses_left: int
    basis: Basis
    evidence: Commitment
    revoked: bool


@dataclass(frozen=True, slots=True)
class DecidingCity:
    """What the deciding city knows about itself and about the message it answers.

    Attributes:
        city, chain_id, grants: Itself, its chain, and the current contract.
        requester: Owner of the message key that signed the request.
        good_standing: Members that are not suspended at the block read.
        block_timestamp_s: Time of that block.
        now_s: Own clock.
        refused_bases: Bases this city does not accept for the item.
    """

    city: CityId
    chain_id: int
    grants: Address
    requester: CityId
    good_standing: frozenset[CityId]
    block_timestamp_s: int
    now_s: int
    refused_bases: frozenset[GrantBasis] = frozenset()


@dataclass(frozen=True, slots=True)
class StrikeOuts:
    """What the person took back from the terms afterwards, without a new signature.

    Attributes:
        materials: Commitments no longer to be released.
        types: Type codes struck out whole.
        fields: (type code, field name) pairs.
        documents: Type codes whose documents may no longer be handed over.
    """

    materials: frozenset[Commitment] = frozenset()
    types: frozenset[str] = frozenset()
    fields: frozenset[tuple[str, str]] = frozenset()
    documents: frozenset[str] = frozenset()


NO_STRIKE_OUTS = StrikeOuts()


@dataclass(frozen=True, slots=True)
class HeldMaterial:
    """A material of the deciding city, without content.

    Attributes:
        commitment: In the log entry.
        type_code, type_version: Of its statement.
        document_count: Number of its documents.
        subject_tags: Index tags of all its subjects (HMAC under the city's index key).
        status: Flags on chain at the block read.
        anchored: Its entry is covered by an anchored head.
    """

    commitment: Commitment
    type_code: str
    type_version: int
    document_count: int
    subject_tags: frozenset[bytes]
    status: StatusFlag
    anchored: bool


@dataclass(frozen=True, slots=True)
class AskedMaterial:
    """One material of a release request, with what the city holds under its commitment.

    Attributes:
        commitment: As asked.
        positions: Fields asked, by position in the statement.
        documents: Documents asked, by index.
        held: None if the city holds no such material.
    """

    commitment: Commitment
    positions: tuple[int, ...]
    documents: tuple[int, ...]
    held: HeldMaterial | None


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """Everything but the terms that a release is decided on.

    Attributes:
        deciding: The city and the message.
        encryption_key_owner: City whose current encryption key the request names, None if nobody's.
        grant: As the chain holds it, None if it does not.
        evidence: Commitment over the evidence shown, recomputed.
        purpose_opened: Item and case openings fit the commitments of the terms.
        subject_tag: Index tag of the opened subject.
        strike_outs: What the person took back.
    """

    deciding: DecidingCity
    encryption_key_owner: CityId | None
    grant: GrantOnChain | None
    evidence: Commitment
    purpose_opened: bool
    subject_tag: bytes
    strike_outs: StrikeOuts = NO_STRIKE_OUTS


@dataclass(frozen=True, slots=True)
class ReleaseDecision:
    """Outcome for a whole request.

    Attributes:
        refusal: None if at least one material may be released.
        refused: Materials that may not, each with its reason.
        superseded: Materials that may, but have a successor; the receiver is told.
    """

    refusal: Refusal | None
    refused: Mapping[Commitment, Refusal] = field(default_factory=dict)
    superseded: frozenset[Commitment] = frozenset()

    @property
    def allowed(self) -> bool:
        """True if at least one material may be released."""
        return self.refusal is None
