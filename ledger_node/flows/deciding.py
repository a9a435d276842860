"""Step 9 at the window: what the clerk decides about each material that came.

Crash order: decisions and the step DECIDING in one commit -> receipt filed (`relying`, idempotent)
-> step DECIDED. A crash between the first two is taken up by `resume_deciding`, which start-up and
loop call; bad news that came in between takes the decisions back and asks again.

Invariants:
    * Going against a verdict needs a reason, in either direction; it is stored sealed and counted.
    * An overridden material never stands in a receipt: `relying` files only what verifies, so no
      receipt says green about it. The override itself is kept in the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from ledger_node.core.errors import (
    ConflictError,
    LedgerError,
    MalformedInputError,
    NotFoundError,
    UnavailableError,
)
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.reuse import (
    UNDECIDED,
    WAITED_FOR,
    Choice,
    RunEvent,
    RunState,
    StepEvent,
    StepState,
    advance_run,
    advance_step,
    decide_choice,
)
from ledger_node.core.types import Commitment
from ledger_node.core.verdict import LineState
from ledger_node.flows.cases import file_receipt, load_case
from ledger_node.flows.judging import JudgedMaterial, judge_release
from ledger_node.flows.node import Node
from ledger_node.flows.records import open_record, seal_record
from ledger_node.flows.relying import OfficerNotEntitledError, rely
from ledger_node.flows.reusing import settle_run
from ledger_node.flows.window import Run, RunMovedError, read_run, run_record_name
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_reuse import DecisionRow, StepRow

MAX_REASON: Final = 500
OUTCOME: Final = "relied on at the window"


class ReasonMissingError(MalformedInputError):
    """A decision against the verdict needs a reason; `field` names the material."""

    code = "reason_missing"

    def __init__(self, commitment: Commitment, choice: Choice) -> None:
        what = (
            ("要使用一份未通过核对的材料", "Using a paper that did not pass")
            if choice is Choice.OVERRIDDEN
            else ("不用一份已通过核对的材料", "Not using a paper that passed")
        )
        super().__init__(
            f"{what[0]}，请写明理由。",
            f"{what[1]} needs a reason; write it down.",
            field=f"reason-{commitment.hex()}",
        )
        self.commitment = commitment


class NothingToDecideError(ConflictError):
    """Nothing undecided came; perhaps it was decided on in another tab."""

    code = "nothing_to_decide"

    def __init__(self) -> None:
        super().__init__(
            "没有待决定的材料，可能已在别处办理，请刷新。",
            "Nothing is waiting for a decision; it may have been made elsewhere. Reload.",
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What the clerk wants with one material, and why where it goes against the verdict."""

    use: bool
    reason: str = ""


def load_role(node: Node, officer: str) -> OfficerRole:
    """Role an officer is enrolled in.

    Raises:
        OfficerNotEntitledError: Not enrolled in this city.
    """
    try:
        with node.database.read() as tx:
            return OfficerRole(tx.officers.load_officer(officer).role)
    except NotFoundError as error:
        raise OfficerNotEntitledError(
            "您的账号还没有登记经办人密钥，不能作决定。请联系管理员。",
            "Your account has no enrolled officer key and cannot decide; tell the administrator.",
        ) from error


def judge_run(node: Node, run: Run, officer: str) -> tuple[JudgedMaterial, ...]:
    """Every material that came in a run, in order of city, with its verdict now."""
    role = load_role(node, officer)
    return tuple(
        material
        for step in run.steps
        if step.state in (StepState.ARRIVED, StepState.DECIDING, StepState.DECIDED)
        and step.request_digest is not None
        for material in judge_release(node, step.request_digest, officer, role)
    )


def decide_materials(node: Node, run: Run, officer: str, wishes: Mapping[Commitment, Wish]) -> Run:
    """Decide on everything that came and is undecided; files one receipt per city relied on.

    Args:
        wishes: By material; what is not named is used if it holds and not used otherwise.

    Raises:
        NothingToDecideError: Nothing is undecided.
        ReasonMissingError: Something goes against its verdict without a reason; nothing is stored.
        OfficerNotEntitledError: The officer is not enrolled here.
        RunMovedError: A step moved meanwhile.
    """
    role = load_role(node, officer)
    arrived = [step for step in run.steps if step.state == StepState.ARRIVED]
    if not arrived:
        raise NothingToDecideError
    decided = [(step, _decide_step(node, step, officer, role, wishes)) for step in arrived]
    with node.database.transaction() as tx:
        for step, rows in decided:
            _store(node, tx, step, rows)
    resume_deciding(node, run.row.run_id)
    with node.database.read() as tx:
        return read_run(node, tx, run.row.run_id)


def resume_deciding(node: Node, run_id: str | None = None) -> int:
    """File what was decided and has no receipt yet; of one run or of all. Idempotent."""
    with node.database.read() as tx:
        steps = tx.reuse.list_steps_in((StepState.DECIDING,))
    moved = 0
    for step in steps:
        if run_id in (None, step.run_id):
            moved += _file(node, step)
    return moved


def close_run(node: Node, run: Run, event: RunEvent = RunEvent.ALL_DECIDED) -> Run:
    """End a visit by hand: nothing came, or nothing had to be asked for.

    Raises:
        NothingToDecideError: Something that came is undecided, or is still waited for.
        IllegalTransitionError: It is over already.
        RunMovedError: It went on meanwhile.
    """
    open_states = (*UNDECIDED, *WAITED_FOR)
    if event is RunEvent.ALL_DECIDED and any(step.state in open_states for step in run.steps):
        raise RunMovedError
    state = advance_run(run.state, event)
    after = replace(run.row, state=state, updated_at=node.clock.now())
    with node.database.transaction() as tx:
        if not tx.reuse.advance_run(run.row, after):
            raise RunMovedError
        return read_run(node, tx, run.row.run_id)


def list_decisions(node: Node, run: Run) -> dict[Commitment, tuple[DecisionRow, str]]:
    """Decisions of a run with their reasons, by material."""
    with node.database.read() as tx:
        rows = tx.reuse.list_decisions(run.row.run_id)
    return {row.commitment: (row, open_reason(node, row)) for row in rows}


def open_reason(node: Node, row: DecisionRow) -> str:
    """Why a decision goes against its verdict; empty where it does not."""
    if row.sealed_reason is None:
        return ""
    name, part = run_record_name(row.run_id), _reason_part(row.commitment)
    return open_record(node, name, part, row.sealed_reason).decode("utf-8")


def _decide_step(
    node: Node,
    step: StepRow,
    officer: str,
    role: OfficerRole,
    wishes: Mapping[Commitment, Wish],
) -> list[DecisionRow]:
    assert step.request_digest is not None  # ARRIVED carries one
    rows = []
    for material in judge_release(node, step.request_digest, officer, role):
        holds = material.state is LineState.HOLDS
        wish = wishes.get(material.commitment, Wish(holds))
        choice = decide_choice(wish.use, holds)
        reason = " ".join(wish.reason.split())[:MAX_REASON]
        if choice.needs_reason and not reason:
            raise ReasonMissingError(material.commitment, choice)
        rows.append(_build_row(node, step, material, choice, officer, role, reason))
    return rows


def _build_row(
    node: Node,
    step: StepRow,
    material: JudgedMaterial,
    choice: Choice,
    officer: str,
    role: OfficerRole,
    reason: str,
) -> DecisionRow:
    sealed = None
    if choice.needs_reason:
        name, part = run_record_name(step.run_id), _reason_part(material.commitment)
        sealed = seal_record(node, name, part, reason.encode("utf-8"))
    return DecisionRow(
        step.run_id,
        step.city,
        material.commitment,
        choice,
        material.state,
        " ".join(code.value for code in material.codes),
        officer,
        role,
        sealed,
        node.clock.now(),
    )


def _store(node: Node, tx: Transaction, step: StepRow, rows: Sequence[DecisionRow]) -> None:
    if not tx.reuse.advance_step(step, _after(node, step, StepEvent.DECISION_STORED)):
        raise RunMovedError
    tx.reuse.save_decisions(rows)


def _file(node: Node, step: StepRow) -> bool:
    """DECIDING: file the receipt of what was relied on, if anything was."""
    with node.database.read() as tx:
        rows = [row for row in tx.reuse.list_decisions(step.run_id) if row.city == step.city]
    relied = [row.commitment for row in rows if row.choice == Choice.RELIED]
    receipt_id: str | None = None
    try:
        if relied:
            assert step.request_digest is not None
            receipt_id = rely(
                node,
                step.request_digest,
                rows[0].officer,
                OfficerRole(rows[0].role),
                OUTCOME,
                materials=relied,
            )
            _note_in_case(node, step.run_id, receipt_id)
    except UnavailableError as error:
        structlog.get_logger().info("decision_waits", city=node.city, code=error.code)
        return False
    except LedgerError as error:
        return _take_back(node, step, error.code)
    after = replace(
        _after(node, step, StepEvent.RECEIPT_FILED), receipt_id=receipt_id, problem_code=None
    )
    return _move(node, step, after)


def _note_in_case(node: Node, run_id: str, receipt_id: str) -> None:
    """The receipt stands in the case before the step counts as decided; idempotent."""
    with node.database.read() as tx:
        case_id = tx.reuse.load_run(run_id).case_id
    if case_id is not None:
        file_receipt(node, load_case(node, case_id), receipt_id)


def _take_back(node: Node, step: StepRow, code: str) -> bool:
    """Bad news came between decision and receipt: the clerk decides again."""
    after = replace(_after(node, step, StepEvent.RECEIPT_REFUSED), problem_code=code)
    with node.database.transaction() as tx:
        if not tx.reuse.advance_step(step, after):
            return False
        tx.reuse.drop_decisions(step.run_id, step.city)
    return True


def _move(node: Node, step: StepRow, after: StepRow) -> bool:
    with node.database.transaction() as tx:
        moved = tx.reuse.advance_step(step, after)
        row = tx.reuse.load_run(step.run_id)
    if moved and row.state == RunState.READY:
        settle_run(node, row)
    return moved


def _after(node: Node, step: StepRow, event: StepEvent) -> StepRow:
    state = advance_step(StepState(step.state), event)
    return replace(step, state=state, updated_at=node.clock.now())


def _reason_part(commitment: Commitment) -> str:
    return f"reason/{commitment.hex()}"
