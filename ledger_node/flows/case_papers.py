"""What a case's papers speak of: what was taken, what is missing, when it moved.

Step 10. Reads only. Spec: docs/spec/papers.md.
Not here: drawing (`ledger_node/papers/`), words and forms (`api/pages/case_papers.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger_node.core.case import CaseEvent
from ledger_node.core.catalogue import Catalogue
from ledger_node.core.errors import LedgerError
from ledger_node.core.needs import NeedState, NeedStatus, list_need_statuses
from ledger_node.core.reuse import Choice
from ledger_node.core.types import CityId, MaterialId
from ledger_node.flows.cases import Case, CaseStep, list_case_steps
from ledger_node.flows.deciding import judge_run, list_decisions
from ledger_node.flows.holdings import list_held_papers, list_needs
from ledger_node.flows.node import Node
from ledger_node.flows.window import Run, read_run

_ABSENT = (NeedState.MUST_ASK, NeedState.UNKNOWN, NeedState.NOT_AGREED)
_PRESENT = (NeedState.HELD_HERE, NeedState.HELD_ELSEWHERE, NeedState.IDENTIFIED)


@dataclass(frozen=True, slots=True)
class TakenMaterial:
    """A material a case stands on.

    Attributes:
        type_code: Of the catalogue.
        grade: A to D for one handed in here; None for one reused from another city.
        city: That released it; None: handed in here.
    """

    type_code: str
    grade: str | None
    city: CityId | None


@dataclass(frozen=True, slots=True)
class CaseFolder:
    """What can be said of a case in writing.

    Attributes:
        taken: Materials handed in at its visit, then those relied on from other cities.
        missing: Needs that nothing meets, those that may follow included.
        present: Needs that are met.
        steps: Its history, oldest first.
    """

    taken: tuple[TakenMaterial, ...]
    missing: tuple[NeedStatus, ...]
    present: tuple[NeedStatus, ...]
    steps: tuple[CaseStep, ...]

    def find_step(self, event: CaseEvent) -> CaseStep | None:
        """The newest step of an event."""
        return next((each for each in reversed(self.steps) if each.event == event), None)

    def received_at(self, case: Case) -> datetime:
        """When it was handed in."""
        return self.steps[0].at if self.steps else case.row.created_at


def load_case_folder(node: Node, case: Case, catalogue: Catalogue) -> CaseFolder:
    """Everything the papers of a case are made from, as it stands now.

    Raises:
        KeyMissingError, SealedValueDamagedError: The visit does not open.
    """
    run = _find_run(node, case)
    needs = _list_needs(node, case, run, catalogue)
    return CaseFolder(
        () if run is None else (*_list_handed_in(node, run), *_list_relied_on(node, run)),
        tuple(each for each in needs if each.state in _ABSENT),
        tuple(each for each in needs if each.state in _PRESENT),
        tuple(list_case_steps(node, case)),
    )


def _find_run(node: Node, case: Case) -> Run | None:
    with node.database.read() as tx:
        row = tx.reuse.find_run_of_case(case.row.case_id)
        return None if row is None else read_run(node, tx, row.run_id)


def _list_needs(
    node: Node, case: Case, run: Run | None, catalogue: Catalogue
) -> Sequence[NeedStatus]:
    if run is not None and run.visit.item is not None:
        held = list_held_papers(node, run.visit.person)
        return list_needs(node, catalogue, run.visit, run.steps, held)
    item = catalogue.items.get(case.draft.item)
    return () if item is None else list_need_statuses(item, (), (), identified=False)


def _list_handed_in(node: Node, run: Run) -> list[TakenMaterial]:
    with node.database.read() as tx:
        stored = tx.intake.load_materials([MaterialId(each) for each in run.visit.papers])
    return [TakenMaterial(each.row.type_code, each.row.grade, None) for each in stored]


def _list_relied_on(node: Node, run: Run) -> list[TakenMaterial]:
    """Nothing while it cannot be read again: the receipts say it for good."""
    decisions = {commitment: row for commitment, (row, _) in list_decisions(node, run).items()}
    used = {
        commitment: row
        for commitment, row in decisions.items()
        if row.choice in (Choice.RELIED, Choice.OVERRIDDEN)
    }
    if not used:
        return []
    try:
        judged = judge_run(node, run, next(iter(used.values())).officer)
    except LedgerError:
        return []
    return [
        TakenMaterial(each.type_code, None, each.city) for each in judged if each.commitment in used
    ]
