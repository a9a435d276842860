"""What concerns a person, for that person: what is held where, consents, and everything asked.

Reading by index tag in this city; other cities are asked only under a grant the person confirms for
that purpose (`begin_self_find`). Both sides' finds and releases are found by whom their grant is
about (`grant_subjects`), refused ones included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ledger_node.core.ceremony import CeremonyState
from ledger_node.core.errors import NotFoundError
from ledger_node.core.find_messages import Candidate, parse_find_answer
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import GrantBasis, Grantor, GrantorKind, Terms, TypeGrant
from ledger_node.core.terms_format import parse_terms
from ledger_node.core.types import CityId, GrantId
from ledger_node.flows.consenting import (
    Ceremony,
    CeremonyRequest,
    SignatureMissingError,
    begin_ceremony,
    change_basis,
    choose_options,
    open_screen,
)
from ledger_node.flows.facts import load_chain_view
from ledger_node.flows.finding import FindOutcome, find_materials
from ledger_node.flows.granting import ConsentRequest
from ledger_node.flows.node import Node
from ledger_node.flows.passkeys import find_subject_opening
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.providers import make_provider_opening
from ledger_node.flows.revoking import revoke_if_open
from ledger_node.ports.database import Transaction

SELF_ITEM: Final = "self-access"
SELF_OFFICER: Final = "citizen"
SELF_WINDOW_S: Final = 900
REQUEST_WINDOW_S: Final = 7 * 24 * 3600
ONE_QUESTION: Final = timedelta(seconds=30)
SELF_FIELDS: Final = ("issuer",)


class NoPasskeyError(NotFoundError):
    """The person has no passkey here that could confirm."""

    code = "no_passkey"

    def __init__(self) -> None:
        super().__init__(
            "您还没有登记通行密钥。请先登记，或用城市统一身份认证确认，或到窗口办理。",
            "You have no passkey here yet: enrol one, use the provider, or go to a window.",
        )


class OwnGrantNotFoundError(NotFoundError):
    """No such consent of this person."""

    code = "own_grant_not_found"

    def __init__(self) -> None:
        super().__init__("没有这份授权。", "There is no such consent of yours.")


@dataclass(frozen=True, slots=True)
class OwnGrant:
    """A consent of the person.

    Attributes:
        state: `usable`, `used`, `ended`, `revoked`, or `revoking` until the chain says so.
    """

    grant_id: GrantId
    terms: Terms
    given_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One thing that happened concerning the person.

    Attributes:
        kind: `consent`, `find_made`, `find_answered`, `release_in`, `release_out`, `revocation`.
        outcome: State or code.
        cities: The other city, where there is one; all that were asked the same at once.
        types: Material types it was about.
    """

    at: datetime
    kind: str
    outcome: str
    cities: tuple[CityId, ...]
    types: tuple[str, ...] = ()


def compute_person_tag(node: Node, person: Subject) -> bytes:
    """Index tag of a person."""
    number = node.normalise_identifier(person.scheme, person.number)
    return compute_subject_tag(node, person.scheme, number)


def list_own_grants(node: Node, person: Subject) -> list[OwnGrant]:
    """Consents of the person that this city holds, newest first."""
    tag = compute_person_tag(node, person)
    with node.database.read() as tx:
        rows = tx.consent.list_grants_of_subject(tag)
        found = [_describe_grant(node, tx, row.grant_id, row.created_at) for row in rows]
    return [each for each in found if each is not None]


def withdraw_own_grant(node: Node, person: Subject, grant_id: GrantId) -> None:
    """Withdraw a consent in one step; what was decided before stands.

    Raises:
        OwnGrantNotFoundError: It is not this person's.
    """
    tag = compute_person_tag(node, person)
    with node.database.read() as tx:
        own = {row.grant_id for row in tx.consent.list_grants_of_subject(tag)}
    if grant_id not in own:
        raise OwnGrantNotFoundError
    revoke_if_open(node, grant_id)


def list_timeline(node: Node, person: Subject) -> list[TimelineEvent]:
    """Everything that concerns the person here, newest first: asked and answered, refused too."""
    tag = compute_person_tag(node, person)
    with node.database.read() as tx:
        types = _map_types(tx, tag)
        events = [
            TimelineEvent(row.updated_at, "consent", row.state, ())
            for row in tx.consent.list_ceremonies(tag)
        ]
        for find in tx.consent.list_finds_of_subject(tag):
            about = types.get(find.grant_id or b"", ())
            kind = f"find_{find.direction}"
            events.append(TimelineEvent(find.created_at, kind, find.outcome, (find.city,), about))
        for release in tx.consent.list_releases_of_subject(tag):
            kind = "release_in" if release.direction == "incoming" else "release_out"
            outcome = release.problem_code or release.state
            about = types.get(release.grant_id, ())
            events.append(TimelineEvent(release.created_at, kind, outcome, (release.city,), about))
        for revocation in tx.consent.list_revocations_of_subject(tag):
            cities = (revocation.city,)
            events.append(TimelineEvent(revocation.at, "revocation", revocation.outcome, cities))
    return _join_questions(sorted(events, key=lambda each: each.at, reverse=True))


def begin_self_find(
    node: Node, person: Subject, account_id: str, types: list[str], *, provider: bool = False
) -> Ceremony:
    """Draw up one bundle over all other members: may this city ask, for the person itself, what
    they hold? No content is asked for.

    Raises:
        NoPasskeyError: Nothing to confirm it with.
    """
    granted = tuple(TypeGrant(code, SELF_FIELDS, False) for code in types)
    ceremony = begin_own_ceremony(
        node, person, account_id, SELF_ITEM, granted, window_s=SELF_WINDOW_S, provider=provider
    )
    return choose_options(node, ceremony, {option.key for option in ceremony.body.options})


def begin_own_ceremony(
    node: Node,
    person: Subject,
    account_id: str,
    item: str,
    types: tuple[TypeGrant, ...],
    *,
    window_s: int = REQUEST_WINDOW_S,
    provider: bool = False,
) -> Ceremony:
    """A ceremony the person carries out alone, confirmed by passkey or at a provider; nothing is
    ticked.

    Args:
        provider: Whether some provider can confirm it, for who has no passkey.

    Raises:
        NoPasskeyError: Nothing to confirm it with.
    """
    opening, basis = find_subject_opening(node, person), GrantBasis.PASSKEY
    if opening is None:
        if not provider:
            raise NoPasskeyError
        opening, basis = make_provider_opening(node, person), GrantBasis.ASSERTION
    with node.database.read() as tx:
        members = load_chain_view(tx).good_standing
    now = node.clock.now()
    consent = ConsentRequest(
        releasing=tuple(sorted(members - {node.city})),
        receiving=node.city,
        subject=person,
        grantor=Grantor(GrantorKind.SELF, None),
        types=types,
        item=item,
        case=f"H{now:%Y%m%d}-{node.entropy(4).hex().upper()}",
        window_s=window_s,
    )
    request = CeremonyRequest(
        consent,
        account_id,
        None,
        person.scheme,
        True,
        basis=basis,
        opening=opening,
    )
    ceremony, _ = open_screen(node, begin_ceremony(node, request))
    return ceremony


def return_to_passkey(node: Node, ceremony: Ceremony) -> Ceremony:
    """Draw up for a passkey what was to be confirmed at a provider.

    Raises:
        SignatureMissingError: Nothing is ticked.
        NoPasskeyError: The person has none.
        IllegalTransitionError, CeremonyMovedError: It went on meanwhile, or is over.
    """
    if not ceremony.body.drafts:
        raise SignatureMissingError
    opening = find_subject_opening(node, ceremony.body.subject)
    if opening is None:
        raise NoPasskeyError
    return change_basis(node, ceremony, GrantBasis.PASSKEY, opening)


def run_self_find(node: Node, ceremony: Ceremony) -> list[FindOutcome]:
    """Ask every city of a confirmed self find; a silent one is named."""
    return find_materials(node, [grant_id for _, grant_id in ceremony.grants], SELF_OFFICER)


def list_found_elsewhere(
    node: Node, person: Subject
) -> list[tuple[CityId, datetime, tuple[Candidate, ...]]]:
    """What each other city last answered to a find of the person's own: (city, when, what)."""
    tag = compute_person_tag(node, person)
    with node.database.read() as tx:
        finds = tx.consent.list_finds_of_subject(tag)
    latest: dict[CityId, tuple[CityId, datetime, tuple[Candidate, ...]]] = {}
    for find in finds:  # newest first
        mine = find.direction == "made" and find.officer == SELF_OFFICER
        if mine and find.answer is not None and find.outcome == "answered":
            candidates = parse_find_answer(find.answer).candidates
            city, at, known = latest.get(find.city, (find.city, find.created_at, ()))
            if at - find.created_at <= ONE_QUESTION:  # many types are several finds at once
                latest[city] = (city, at, (*known, *candidates))
    return sorted(latest.values(), key=lambda each: each[0])


def _describe_grant(
    node: Node, tx: Transaction, grant_id: GrantId, given_at: datetime
) -> OwnGrant | None:
    try:
        terms = parse_terms(tx.grants.load_grant(grant_id).terms)
    except NotFoundError:
        return None  # known here by a find that was answered; its terms are kept with the find
    return OwnGrant(grant_id, terms, given_at, _find_state(node, tx, grant_id, terms))


def _find_state(node: Node, tx: Transaction, grant_id: GrantId, terms: Terms) -> str:
    if tx.chain.find_revocation(grant_id) is not None:
        return "revoked"
    if tx.outbox.find_latest("revoke", grant_id.hex()) is not None:
        return "revoking"
    recorded = tx.chain.find_grant(grant_id)
    if recorded is not None and recorded.uses_left == 0:
        return "used"
    return "ended" if terms.not_after_s <= node.clock.now().timestamp() else "usable"


def _join_questions(events: list[TimelineEvent]) -> list[TimelineEvent]:
    """The same question put to several cities at once is one event; `events` newest first.

    What differs in its outcome or its types stays an event of its own.
    """
    joined: list[TimelineEvent] = []
    places: dict[tuple[str, tuple[str, ...]], int] = {}
    for event in events:
        key = (event.outcome, event.types)
        place = places.get(key)
        same = place is not None and joined[place].at - event.at <= ONE_QUESTION
        if event.kind != "find_made" or place is None or not same:
            if event.kind == "find_made":
                places[key] = len(joined)
            joined.append(event)
            continue
        cities = tuple(sorted({*joined[place].cities, *event.cities}))
        joined[place] = replace(joined[place], cities=cities)
    return joined


def _map_types(tx: Transaction, tag: bytes) -> dict[bytes, tuple[str, ...]]:
    known: dict[bytes, tuple[str, ...]] = {}
    for row in tx.consent.list_grants_of_subject(tag):
        try:
            terms = parse_terms(tx.grants.load_grant(row.grant_id).terms)
        except NotFoundError:
            continue
        known[row.grant_id] = tuple(granted.code for granted in terms.types)
    return known


def is_over(ceremony: Ceremony) -> bool:
    """Whether nothing can be confirmed in it any more."""
    return ceremony.state not in (CeremonyState.DRAFTED, CeremonyState.SHOWN, CeremonyState.SIGNED)
