"""Consents given at home, taken up at the window: who agreed already is not asked to sign again.

Step 6 at the window. A person who confirmed a request for this very service on the own pages
brings its grants along; the run goes on with them at once. What the rules of `core/visit.py` do not
cover is signed for as always.

Crash order: run and steps in one commit, as for a signature given here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ledger_node.core.catalogue import Catalogue, Need
from ledger_node.core.ceremony import CeremonyState
from ledger_node.core.errors import ConflictError
from ledger_node.core.needs import NeedState
from ledger_node.core.release import IncomingState
from ledger_node.core.reuse import RunEvent, RunState
from ledger_node.core.terms import Terms
from ledger_node.core.types import CityId, GrantId
from ledger_node.core.visit import may_use_at_window
from ledger_node.flows.consenting import Ceremony, open_ceremony
from ledger_node.flows.holdings import list_held_papers, list_needs
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.flows.window import SHOWN_FIELDS, Run, start_run
from ledger_node.ports.database import Transaction

_GIVEN_BACK: Final = (IncomingState.REFUSED, IncomingState.REJECTED, IncomingState.DESTROYED)


class HomeConsentEndedError(ConflictError):
    """The consent given at home was withdrawn, used or ended, or is for something else."""

    code = "home_consent_ended"

    def __init__(self) -> None:
        super().__init__(
            "市民在家里同意的授权已撤回、用过或到期，请当面签字。",
            "The consent given at home was withdrawn, used or ended; ask for a signature.",
        )


@dataclass(frozen=True, slots=True)
class HomeConsent:
    """A consent of the person that this visit may go on with.

    Attributes:
        grants: (releasing city, grant id) that can still be used.
        types: What of it this visit needs, in order of the needs.
        missing: Needs of this visit that it does not cover.
        given_at: When it was confirmed.
    """

    ceremony_id: str
    grants: tuple[tuple[CityId, GrantId], ...]
    types: tuple[str, ...]
    missing: tuple[Need, ...]
    given_at: datetime


def list_home_consents(node: Node, run: Run, catalogue: Catalogue) -> tuple[HomeConsent, ...]:
    """Consents the visit may go on with, the one that covers most first."""
    visit = run.visit
    if run.state is not RunState.OPEN or visit.item is None or visit.agent is not None:
        return ()
    held = list_held_papers(node, visit.person)
    needs = list_needs(node, catalogue, visit, run.steps, held)
    open_needs = tuple(each.need for each in needs if each.state is NeedState.UNKNOWN)
    if not open_needs:
        return ()
    tag = compute_subject_tag(node, visit.person.scheme, visit.person.number)
    with node.database.read() as tx:
        rows = [row for row in tx.consent.list_ceremonies(tag) if _is_own(row.state, row.officer)]
        released = {
            each.grant_id
            for each in tx.consent.list_releases_of_subject(tag)
            if each.direction == "incoming" and each.state not in _GIVEN_BACK
        }
        found = [
            _describe(node, tx, run, open_ceremony(node, row), open_needs, released) for row in rows
        ]
    usable = [each for each in found if each is not None]
    return tuple(sorted(usable, key=lambda each: len(each.missing)))


def use_home_consent(node: Node, run: Run, catalogue: Catalogue, ceremony_id: str) -> Run:
    """Go on with a consent given at home; nobody signs anything.

    Raises:
        HomeConsentEndedError: It cannot be used, or not any more.
        RunMovedError: The run went on meanwhile.
    """
    for each in list_home_consents(node, run, catalogue):
        if each.ceremony_id == ceremony_id:
            return start_run(node, run, each.grants, RunEvent.CONSENT_AT_HOME)
    raise HomeConsentEndedError


def _is_own(state: str, officer: str | None) -> bool:
    return state == CeremonyState.CONFIRMED and officer is None


def _describe(
    node: Node,
    tx: Transaction,
    run: Run,
    ceremony: Ceremony,
    needs: tuple[Need, ...],
    released: set[GrantId],
) -> HomeConsent | None:
    body = ceremony.body
    if body.item != run.visit.item or body.subject != run.visit.person:
        return None
    terms_of = dict(zip(ceremony.grants, body.drafts, strict=True))
    usable = {
        key: draft.terms
        for key, draft in terms_of.items()
        if key[1] not in released and _is_usable(node, tx, run, key[1], draft.terms)
    }
    codes = {granted.code for terms in usable.values() for granted in terms.types}
    wanted = dict.fromkeys(code for need in needs for code in need.any_of)
    types = tuple(code for code in wanted if code in codes)
    if not types or len({city for city, _ in usable}) != len(usable):  # one step per city
        return None
    missing = tuple(need for need in needs if not codes & set(need.any_of))
    return HomeConsent(ceremony.ceremony_id, tuple(usable), types, missing, ceremony.row.updated_at)


def _is_usable(node: Node, tx: Transaction, run: Run, grant_id: GrantId, terms: Terms) -> bool:
    now_s = int(node.clock.now().timestamp())
    if not may_use_at_window(terms, run.visit, SHOWN_FIELDS, node.city, now_s):
        return False
    if tx.chain.find_revocation(grant_id) is not None:
        return False
    if tx.outbox.find_latest("revoke", grant_id.hex()) is not None:
        return False
    recorded = tx.chain.find_grant(grant_id)
    return recorded is None or recorded.uses_left > 0
