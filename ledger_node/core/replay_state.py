"""State of a replay: everything the chain's events say, and the discrepancies met on the way.

Step 11 of the data flow. Spec: docs/spec/replay.md.

Not here: the fold (replay.py), comparing two states (replay_compare.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum

from ledger_node.core.catalogue_events import ListRule
from ledger_node.core.event_types import Event, Position, ProposalKind
from ledger_node.core.grant_facts import GrantOnChain
from ledger_node.core.membership import EMPTY_CONSORTIUM, Consortium
from ledger_node.core.merkle import TreeHead
from ledger_node.core.status import LeafKey, LeafStatus, Objection, ObjectionKey
from ledger_node.core.types import Address, CityId, GrantId, ReleaseCommitment

MAX_KEPT_DISCREPANCIES = 1000
RECENT_EVENTS = 4096  # how far back a page may overlap without being an error

GrantKey = tuple[Address, GrantId]
ReleaseKey = tuple[Address, ReleaseCommitment]
GenerationKey = tuple[CityId, int]
ListKey = tuple[Address, bytes]


class DiscrepancyCode(StrEnum):
    """Names of everything a replay can find wrong. Added, never reused."""

    EVENT_OUT_OF_ORDER = "event_out_of_order"
    EVENT_CONTRADICTED = "event_contradicted"
    EVENT_GAP = "event_gap"
    EVENT_UNKNOWN = "event_unknown"
    BLOCK_CONTRADICTED = "block_contradicted"
    BLOCK_TIME_BACKWARDS = "block_time_backwards"
    CONTRACT_UNKNOWN = "contract_unknown"
    CONTRACT_NOT_CURRENT = "contract_not_current"
    MEMBERSHIP_CONTRADICTION = "membership_contradiction"
    STATUS_CONTRADICTION = "status_contradiction"
    NOT_A_MEMBER = "not_a_member"
    NOT_IN_GOOD_STANDING = "not_in_good_standing"
    NUMBER_SKIPPED = "number_skipped"
    CHANGE_WITHOUT_VOTE = "change_without_vote"
    PROPOSAL_UNKNOWN = "proposal_unknown"
    PROPOSAL_OVER = "proposal_over"
    VOTE_REPEATED = "vote_repeated"
    QUORUM_MISSING = "quorum_missing"
    HEAD_NOT_GROWING = "head_not_growing"
    GENERATION_WRONG = "generation_wrong"
    CLOSING_WRONG = "closing_wrong"
    TOO_MANY_OBJECTIONS = "too_many_objections"
    GRANT_REPEATED = "grant_repeated"
    GRANT_MALFORMED = "grant_malformed"
    GRANT_UNKNOWN = "grant_unknown"
    GRANT_REVOKED = "grant_revoked"
    GRANT_REVOKED_TWICE = "grant_revoked_twice"
    GRANT_OUTSIDE_WINDOW = "grant_outside_window"
    GRANT_USED_UP = "grant_used_up"
    USES_LEFT_WRONG = "uses_left_wrong"
    RELEASE_REPEATED = "release_repeated"
    REVOCATION_CAP = "revocation_cap"
    LIST_UNKNOWN = "list_unknown"
    LIST_CONTRADICTED = "list_contradicted"
    NOT_CONCERNED = "not_concerned"
    EDITION_WRONG = "edition_wrong"
    EDITION_TOO_EARLY = "edition_too_early"
    LOG_WITHHELD = "log_withheld"
    LOG_FORKED = "log_forked"
    LOG_ENTRY_MALFORMED = "log_entry_malformed"
    STATE_MISSING = "state_missing"
    STATE_EXTRA = "state_extra"
    STATE_DIFFERS = "state_differs"
    DOCUMENT_MISSING = "document_missing"
    DOCUMENT_DAMAGED = "document_damaged"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One thing found wrong.

    Attributes:
        code: What.
        where: Place a person can look at: `block 12 log 3`, `log 510107/1 size 40`, …
        detail: Plain English, public values only.
    """

    code: DiscrepancyCode
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class AnchoredHead:
    """A head `CityLog` took, and the event that says so."""

    head: TreeHead
    position: Position


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal with the votes cast so far; a later vote replaces a city's earlier one."""

    city: CityId
    kind: ProposalKind
    payload: bytes
    paper: bytes
    expires_at_s: int
    votes: Mapping[CityId, bool]
    executed: bool = False


@dataclass(frozen=True, slots=True)
class ReplayedGrant:
    """A grant and where its life began and ended; `grant` is None for terms burnt unrecorded."""

    grant: GrantOnChain | None
    recorded: Position | None
    revoked: Position | None
    revoked_by: CityId | None


@dataclass(frozen=True, slots=True)
class Consumption:
    """One consumption of a grant: the permit a release stands on."""

    grant_id: GrantId
    position: Position


@dataclass(frozen=True, slots=True)
class PublishedEdition:
    """An edition of a list, the vote it stands on, and the event that says so."""

    edition: int
    digest: bytes
    effective_from_s: int
    vote_id: int
    position: Position


@dataclass(frozen=True, slots=True)
class ReplayedList:
    """A list of the catalogue; `parties` empty: every member."""

    rule: ListRule
    code: str
    parties: tuple[CityId, ...]
    editions: tuple[PublishedEdition, ...]


@dataclass(frozen=True, slots=True)
class EditionVote:
    """A vote on an edition; a later vote replaces a city's earlier one."""

    list_id: bytes
    city: CityId
    edition: int
    digest: bytes
    effective_from_s: int
    paper: bytes
    expires_at_s: int
    votes: Mapping[CityId, bool]
    published: bool = False


@dataclass(slots=True)
class ReplayState:
    """What the events up to `last` say. Treat as frozen: only the fold changes its own copy.

    Attributes:
        membership: Address of the one contract that is never replaced.
        contiguous: Whether log indexes of a block must run 0, 1, 2 …: true when the caller reads
            every log of a chain on which only these contracts emit.
        consortium: Members, keys, URLs, contracts.
        proposals: By number.
        heads: Anchored heads per city and generation, in chain order.
        closed: Head at which a generation was closed.
        generations: Current generation per city; 1 for a city not named.
        leaves, objections: As in status.py.
        grants: By contract and terms commitment.
        consumptions: By contract and release commitment.
        lists, edition_votes: By contract and list, by contract and number.
        event_counts: Events applied, per event name.
        changes: Number of announced changes so far.
        foreign_revocations: Day and count of revocations a city made of grants not its own.
        last: Position of the newest event applied.
        vote: Transaction and kind of the newest executed proposal.
        founding: Transaction that created Membership.
        recent: The newest events by (block, log index), to tell a doubled page from a late event.
        discrepancies: The first `MAX_KEPT_DISCREPANCIES`; `discrepancy_count` counts all.
    """

    membership: Address
    contiguous: bool = False
    consortium: Consortium = EMPTY_CONSORTIUM
    proposals: MutableMapping[int, Proposal] = field(default_factory=dict)
    heads: MutableMapping[GenerationKey, list[AnchoredHead]] = field(default_factory=dict)
    closed: MutableMapping[GenerationKey, TreeHead] = field(default_factory=dict)
    generations: MutableMapping[CityId, int] = field(default_factory=dict)
    leaves: MutableMapping[LeafKey, LeafStatus] = field(default_factory=dict)
    objections: MutableMapping[ObjectionKey, Objection] = field(default_factory=dict)
    objection_counts: MutableMapping[Address, int] = field(default_factory=dict)
    open_objections: MutableMapping[tuple[Address, CityId], int] = field(default_factory=dict)
    grants: MutableMapping[GrantKey, ReplayedGrant] = field(default_factory=dict)
    consumptions: MutableMapping[ReleaseKey, Consumption] = field(default_factory=dict)
    lists: MutableMapping[ListKey, ReplayedList] = field(default_factory=dict)
    edition_votes: MutableMapping[tuple[Address, int], EditionVote] = field(default_factory=dict)
    event_counts: MutableMapping[str, int] = field(default_factory=dict)
    changes: int = 0
    foreign_revocations: MutableMapping[tuple[Address, CityId], tuple[int, int]] = field(
        default_factory=dict
    )
    last: Position | None = None
    vote: tuple[bytes, ProposalKind] | None = None
    founding: bytes | None = None
    recent: OrderedDict[tuple[int, int], Event] = field(default_factory=OrderedDict)
    discrepancies: list[Discrepancy] = field(default_factory=list)
    discrepancy_count: int = 0

    def copy(self) -> ReplayState:
        """A copy the fold may change; values inside the tables are frozen and shared."""
        return ReplayState(
            membership=self.membership,
            contiguous=self.contiguous,
            consortium=self.consortium,
            proposals=dict(self.proposals),
            heads={key: list(heads) for key, heads in self.heads.items()},
            closed=dict(self.closed),
            generations=dict(self.generations),
            leaves=dict(self.leaves),
            objections=dict(self.objections),
            objection_counts=dict(self.objection_counts),
            open_objections=dict(self.open_objections),
            grants=dict(self.grants),
            consumptions=dict(self.consumptions),
            lists=dict(self.lists),
            edition_votes=dict(self.edition_votes),
            event_counts=dict(self.event_counts),
            changes=self.changes,
            foreign_revocations=dict(self.foreign_revocations),
            last=self.last,
            vote=self.vote,
            founding=self.founding,
            recent=OrderedDict(self.recent),
            discrepancies=list(self.discrepancies),
            discrepancy_count=self.discrepancy_count,
        )

    def held_head(self, city: CityId) -> tuple[int, TreeHead | None]:
        """Current generation of a city and the head held in it; None if it holds none."""
        generation = self.generations.get(city, 1)
        heads = self.heads.get((city, generation))
        return generation, heads[-1].head if heads else None

    def note(self, code: DiscrepancyCode, where: str, detail: str) -> None:
        """Keep a discrepancy (the fold's own copy only)."""
        self.discrepancy_count += 1
        if len(self.discrepancies) < MAX_KEPT_DISCREPANCIES:
            self.discrepancies.append(Discrepancy(code, where, detail))


def where(position: Position) -> str:
    """Where a log stands, for a `Discrepancy`."""
    return f"block {position.block_number} log {position.log_index}"
