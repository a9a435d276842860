"""The window: a person is identified, papers are taken, a service is chosen, consent is taken up.

Steps 1 and 6. Every change of a run is a compare-and-swap on its revision; the private body is
sealed under the record key `run/<run id>`. A run belongs to the account that opened it: for
everybody else it does not exist.

Crash order: record key durable -> row. Taking up a signature: run and steps in one commit, so that
a run that is RUNNING has its steps, and one that is ASKED has none.
Not here: going on after the signature (reusing.py), verdicts (judging.py), decisions (deciding.py),
the ceremony itself (consenting.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ledger_node.core.catalogue import Catalogue, ServiceItem
from ledger_node.core.ceremony import OPEN_STATES, CeremonyState
from ledger_node.core.errors import ConflictError, MalformedInputError
from ledger_node.core.needs import list_types_to_ask
from ledger_node.core.reuse import RunEvent, RunState, StepState, advance_run
from ledger_node.core.sealed import Subject
from ledger_node.core.terms import Grantor, GrantorKind, TypeGrant
from ledger_node.core.types import CityId, GrantId, MaterialId
from ledger_node.core.visit import IdentifiedBy, Visit, encode_visit, parse_visit
from ledger_node.flows.consenting import (
    Ceremony,
    CeremonyMovedError,
    CeremonyNotFoundError,
    CeremonyRequest,
    begin_ceremony,
    load_ceremony,
    strike_ceremony,
)
from ledger_node.flows.facts import load_chain_view
from ledger_node.flows.granting import ConsentRequest, load_grant
from ledger_node.flows.holdings import list_held_papers, list_needs
from ledger_node.flows.materials import load_material
from ledger_node.flows.node import Node
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_reuse import RunNotFoundError, RunRow, StepRow

MANDATE_TYPES: Final = frozenset({"mandate", "guardian-proof"})
SHOWN_FIELDS: Final = (
    "subjects",
    "issuer",
    "number",
    "issued_on",
    "valid_from",
    "valid_until",
    "grade",
    "original_check",
)
"""Fields asked of each material: what verdict and prefilled form need, and nothing more."""
CONSENT_WINDOW_S: Final = 1800
WALK_IN: Final = "W"


class NobodyIdentifiedError(MalformedInputError):
    """A person, or whoever acts for it, is missing or not acceptable; `field` names it."""

    code = "nobody_identified"

    def __init__(self, name: str, reason_zh: str, reason_en: str) -> None:
        super().__init__(f"{reason_zh}。", f"{reason_en}.", field=name)
        self.field = name


class NothingToAskError(ConflictError):
    """No need of the item is left that another city could meet."""

    code = "nothing_to_ask"

    def __init__(self) -> None:
        super().__init__(
            "没有需要向其他城市调取的材料，不必请市民签字。",
            "Nothing is left to ask other cities for; the person need not sign.",
        )


class RunMovedError(ConflictError):
    """The run went on meanwhile, here or in another tab."""

    code = "run_moved"

    def __init__(self) -> None:
        super().__init__(
            "这次办理已有新进展，页面已更新，请看一眼再继续。",
            "This visit has moved on meanwhile; look at the page again before going on.",
        )


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who works at the window: the account, and the pseudonymous officer it acts as."""

    account_id: str
    officer: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run, opened: its row, who stands there and for what, and its steps in order of city."""

    row: RunRow
    visit: Visit
    steps: tuple[StepRow, ...]

    @property
    def state(self) -> RunState:
        """State of the run."""
        return RunState(self.row.state)


def build_visit(
    node: Node,
    person: Subject,
    means: IdentifiedBy,
    *,
    device: str | None = None,
    by: GrantorKind = GrantorKind.SELF,
    agent: Subject | None = None,
    agent_read: bool = False,
    case: str = "",
) -> Visit:
    """Check who stands there; the number is kept normalised.

    Raises:
        NobodyIdentifiedError: A name is missing, or nobody acts for a person who does not.
        MalformedInputError: A number is not one of its scheme; the field says whose.
    """
    if (agent is None) != (by is GrantorKind.SELF):
        raise NobodyIdentifiedError(
            "agent_number", "请登记代办人的证件", "identify whoever acts for the person"
        )
    now = node.clock.now()
    return Visit(
        person=_check_person(node, person, ""),
        means=means,
        device=device,
        identified_at_s=int(now.timestamp()),
        by=by,
        agent=None if agent is None else _check_person(node, agent, "agent_"),
        agent_read=agent_read,
        mandate=None,
        item=None,
        conditions=() if agent is None else ("agent",),
        case=case or f"{WALK_IN}{now:%Y%m%d}-{node.entropy(4).hex().upper()}",
        asked=(),
        papers=(),
    )


def open_run(node: Node, clerk: Clerk, visit: Visit, case_id: str | None = None) -> str:
    """Begin: somebody stands at the window; returns the run's id."""
    run_id = str(uuid.UUID(bytes=node.entropy(16), version=4))
    now = node.clock.now()
    row = RunRow(
        run_id,
        clerk.account_id,
        clerk.officer,
        case_id,
        None,
        RunState.OPEN,
        0,
        _seal_visit(node, run_id, visit),
        now,
        now,
    )
    with node.database.transaction() as tx:
        tx.reuse.save_run(row)
    return run_id


def load_run(node: Node, run_id: str, account_id: str) -> Run:
    """A run of this account, opened.

    Raises:
        RunNotFoundError: There is none, or it is somebody else's.
    """
    with node.database.read() as tx:
        return read_run(node, tx, run_id, account_id)


def read_run(node: Node, tx: Transaction, run_id: str, account_id: str | None = None) -> Run:
    """As `load_run`, inside a transaction; without an account for the node itself."""
    row = tx.reuse.load_run(run_id)
    if account_id is not None and row.account_id != account_id:
        raise RunNotFoundError  # the same answer as for a run that never was
    return Run(row, open_visit(node, row), tuple(tx.reuse.list_steps(run_id)))


def open_visit(node: Node, row: RunRow) -> Visit:
    """Private body of a run."""
    return parse_visit(open_record(node, run_record_name(row.run_id), "body", row.sealed_body))


class VisitPart(StrEnum):
    """What belongs to a visit and stands at an address of its own."""

    CONSENT = "consent"
    PAPER = "window/papers"


def is_part_of_visit(node: Node, run_id: str, kind: VisitPart, part_id: str) -> bool:
    """Whether a consent or a paper is the visit's own."""
    with node.database.read() as tx:
        row = tx.reuse.load_run(run_id)
    if kind is VisitPart.CONSENT:
        return row.ceremony_id == part_id
    return part_id in open_visit(node, row).papers


def choose_service(
    node: Node, run: Run, catalogue: Catalogue, item: str, conditions: Sequence[str]
) -> Run:
    """Choose the item and answer its conditions; only while nobody was asked to sign.

    Raises:
        UnknownItemError: The catalogue has no such item.
        RunMovedError: The run went on.
    """
    known = list_conditions(catalogue.get_item(item))
    kept = tuple(code for code in known if code in conditions)
    if run.state is not RunState.OPEN:
        raise RunMovedError
    return change_visit(node, run, replace(run.visit, item=item, conditions=kept))


def add_paper(node: Node, run: Run, material_id: MaterialId) -> Run:
    """Note a paper registered during the visit; a mandate becomes what an agent acts on."""
    visit = replace(run.visit, papers=(*run.visit.papers, material_id))
    if visit.by is not GrantorKind.SELF:
        material = load_material(node, material_id).stored.row
        if material.type_code in MANDATE_TYPES:
            visit = replace(visit, mandate=material.commitment)
    return change_visit(node, run, visit)


def change_visit(node: Node, run: Run, visit: Visit, event: RunEvent | None = None) -> Run:
    """Store another body, and move the run if an event says so.

    Raises:
        RunMovedError: The run was changed meanwhile.
        IllegalTransitionError: Its state forbids it.
    """
    state = run.state if event is None else advance_run(run.state, event)
    after = replace(
        run.row,
        state=state,
        sealed_body=_seal_visit(node, run.row.run_id, visit),
        updated_at=node.clock.now(),
    )
    with node.database.transaction() as tx:
        return _store(node, tx, run, after)


def set_case(node: Node, run: Run, case_id: str, number: str) -> Run:
    """Bind the run to its case, whose number the person gets to see.

    Raises:
        RunMovedError: The run was changed meanwhile.
    """
    after = replace(
        run.row,
        case_id=case_id,
        sealed_body=_seal_visit(node, run.row.run_id, replace(run.visit, case=number)),
        updated_at=node.clock.now(),
    )
    with node.database.transaction() as tx:
        return _store(node, tx, run, after)


def list_conditions(item: ServiceItem) -> tuple[str, ...]:
    """Codes of the conditions the needs of an item ask about, each once, in order."""
    named = (need.condition for need in item.needs)
    return tuple(dict.fromkeys(code for code in named if code is not None))


def build_consent_request(
    node: Node, run: Run, catalogue: Catalogue, releasing: Sequence[CityId] = ()
) -> ConsentRequest:
    """What the person is asked to agree to: the types still missing, from every other member.

    Raises:
        NothingToAskError: Everything needed is here, or must be asked of the person.
        NobodyIdentifiedError: An agent's mandate is not registered yet.
    """
    visit = run.visit
    held = list_held_papers(node, visit.person)
    needs = list_needs(node, catalogue, visit, run.steps, held)
    types = list_types_to_ask(needs)
    if not types or visit.item is None:
        raise NothingToAskError
    if visit.by is GrantorKind.AGENT and visit.mandate is None:
        raise NobodyIdentifiedError(
            "mandate", "请先登记授权委托书", "register the mandate of whoever acts for the person"
        )
    with node.database.read() as tx:
        members = load_chain_view(tx).good_standing
    return ConsentRequest(
        releasing=tuple(sorted(set(releasing) or members - {node.city})),
        receiving=node.city,
        subject=visit.person,
        grantor=Grantor(visit.by, visit.mandate),
        types=tuple(TypeGrant(code, SHOWN_FIELDS, True) for code in types),
        item=visit.item,
        case=visit.case,
        window_s=CONSENT_WINDOW_S,
    )


def ask_consent(
    node: Node, run: Run, catalogue: Catalogue, *, outlet: str = "", window: str = ""
) -> tuple[Run, Ceremony]:
    """Draw up the ceremony and wait for the signature; nothing is sent anywhere before it.

    Raises:
        NothingToAskError, NobodyIdentifiedError: As `build_consent_request`.
        RunMovedError: The run went on.
    """
    if run.state is not RunState.OPEN:
        raise RunMovedError
    consent = build_consent_request(node, run, catalogue)
    request = CeremonyRequest(
        consent=consent,
        account_id=run.row.account_id,
        officer=run.row.officer,
        document_scheme=(run.visit.agent or run.visit.person).scheme,
        read_by_device=run.visit.read_by_device,
        outlet=outlet,
        window=window,
        case_id=run.row.case_id,
    )
    ceremony = begin_ceremony(node, request)
    types = [each.code for each in consent.types]
    return mark_asked(node, run, ceremony.ceremony_id, types), ceremony


def take_up_signatures(node: Node) -> int:
    """Runs whose ceremony ended: signed ones go on, the others may choose again; how many moved."""
    with node.database.read() as tx:
        rows = tx.reuse.list_runs_in(RunState.ASKED)
    return sum(_take_up_signature(node, row) for row in rows)


def _take_up_signature(node: Node, row: RunRow) -> bool:
    try:
        ceremony = load_ceremony(node, row.ceremony_id or "", row.account_id)
        with node.database.read() as tx:
            run = read_run(node, tx, row.run_id)
        if ceremony.grants:
            take_up_grants(node, run, ceremony.grants)
        elif ceremony.state in (*OPEN_STATES, CeremonyState.CONFIRMED):
            return False
        else:
            drop_consent(node, run)
    except (RunMovedError, CeremonyMovedError):
        return False
    except CeremonyNotFoundError:
        return False
    return True


def mark_asked(node: Node, run: Run, ceremony_id: str, types: Sequence[str]) -> Run:
    """The screen is turned to the person for these types."""
    visit = replace(run.visit, asked=tuple(types))
    state = advance_run(run.state, RunEvent.CONSENT_ASKED)
    after = replace(
        run.row,
        state=state,
        ceremony_id=ceremony_id,
        sealed_body=_seal_visit(node, run.row.run_id, visit),
        updated_at=node.clock.now(),
    )
    with node.database.transaction() as tx:
        return _store(node, tx, run, after)


def take_back_screen(node: Node, run: Run) -> Run:
    """The clerk takes the screen back before anything was confirmed.

    Raises:
        IllegalTransitionError, CeremonyMovedError: It was confirmed meanwhile.
    """
    if run.state is not RunState.ASKED or run.row.ceremony_id is None:
        raise RunMovedError
    ceremony = load_ceremony(node, run.row.ceremony_id, run.row.account_id)
    if ceremony.state in OPEN_STATES:
        strike_ceremony(node, ceremony)
    return drop_consent(node, run)


def drop_consent(node: Node, run: Run) -> Run:
    """The person did not sign; the service can be chosen again."""
    return change_visit(node, run, replace(run.visit, asked=()), RunEvent.CONSENT_DROPPED)


def take_up_grants(node: Node, run: Run, grants: Sequence[tuple[CityId, GrantId]]) -> Run:
    """The person signed: one step per city, and the node goes on by itself.

    What the person left out is not asked for. Idempotent: a run that was taken up stays as it is.

    Raises:
        GrantNotFoundError: This city holds no such grant.
        RunMovedError: The run was changed meanwhile.
    """
    if run.state is not RunState.ASKED:
        return run
    return start_run(node, run, grants, RunEvent.CONSENT_SIGNED)


def start_run(
    node: Node, run: Run, grants: Sequence[tuple[CityId, GrantId]], event: RunEvent
) -> Run:
    """One step per city of these grants; run and steps in one commit.

    Raises:
        GrantNotFoundError: This city holds no such grant.
        RunMovedError: The run was changed meanwhile.
        IllegalTransitionError: Its state forbids it.
    """
    now = node.clock.now()
    run_id = run.row.run_id
    signed = [each.code for _, grant in grants for each in load_grant(node, grant).terms.types]
    visit = replace(run.visit, asked=tuple(dict.fromkeys(signed)))
    after = replace(
        run.row,
        sealed_body=_seal_visit(node, run_id, visit),
        state=advance_run(run.state, event),
        updated_at=now,
        signed_at=now,
    )
    steps = [
        StepRow(run_id, city, grant_id, StepState.CONSENTED, None, None, None, None, now, now)
        for city, grant_id in grants
    ]
    with node.database.transaction() as tx:
        _swap(tx, run, after)
        tx.reuse.save_steps(steps)
        return read_run(node, tx, run_id)


def run_record_name(run_id: str) -> str:
    """Name of the record key a run is sealed under."""
    return f"run/{run_id}"


def _swap(tx: Transaction, run: Run, after: RunRow) -> None:
    if not tx.reuse.advance_run(run.row, after):
        raise RunMovedError


def _store(node: Node, tx: Transaction, run: Run, after: RunRow) -> Run:
    _swap(tx, run, after)
    return read_run(node, tx, run.row.run_id)


def _seal_visit(node: Node, run_id: str, visit: Visit) -> bytes:
    return seal_record(node, run_record_name(run_id), "body", encode_visit(visit))


def _check_person(node: Node, person: Subject, prefix: str) -> Subject:
    name = " ".join(person.name.split())
    if not name or len(name) > 100 or not name.isprintable():
        raise NobodyIdentifiedError(f"{prefix}name", "请填写姓名", "enter the name")
    try:
        number = node.normalise_identifier(person.scheme, person.number)
    except MalformedInputError as error:
        error.fields["field"] = f"{prefix}number"
        raise
    return Subject(person.scheme, number, name)
