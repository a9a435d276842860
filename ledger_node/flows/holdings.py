"""What is held of a person: here, and, once the person agreed to be asked about, elsewhere.

Step 6. Reading only. What other cities have is known from their answers to finds of this run and
from nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger_node.core.catalogue import Catalogue
from ledger_node.core.entry import EntryKind
from ledger_node.core.find_messages import Candidate, parse_find_answer
from ledger_node.core.needs import NeedStatus, list_need_statuses
from ledger_node.core.sealed import Subject
from ledger_node.core.status import Standing, decide_standing
from ledger_node.core.types import CityId
from ledger_node.core.visit import Visit
from ledger_node.flows.facts import leaf_hash_of
from ledger_node.flows.finding import count_open_objections, describe_held
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import compute_subject_tag
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_intake import StoredMaterial
from ledger_node.ports.database_reuse import StepRow

ANSWERED: Final = "answered"
RELIABLE_GRADES: Final = ("A", "B")


@dataclass(frozen=True, slots=True)
class HeldPaper:
    """A paper of the person that this city holds.

    Attributes:
        standing: As the chain and open objections say.
        recorded: A final anchor covers it.
    """

    material: StoredMaterial
    standing: Standing
    recorded: bool


def list_held_papers(node: Node, person: Subject) -> list[HeldPaper]:
    """What this city holds of a person, newest first; withdrawn and superseded ones included."""
    tag = compute_subject_tag(node, person.scheme, person.number)
    with node.database.read() as tx:
        return [
            describe_paper(node, tx, stored)
            for stored in tx.intake.find_materials_by_subject(tag)
            if stored.state not in ("erasing", "erased")
        ]


def describe_paper(node: Node, tx: Transaction, stored: StoredMaterial) -> HeldPaper:
    """A stored material with its standing and whether it is recorded."""
    held = describe_held(node, tx, stored)
    leaf_hash = leaf_hash_of(EntryKind.MATERIAL, stored.row.commitment)
    objections = count_open_objections(tx, node.city, leaf_hash)
    standing = decide_standing(held.status, objections)
    if standing is Standing.ACTIVE and stored.state == "superseded":
        standing = Standing.SUPERSEDED  # the chain is told a moment later
    return HeldPaper(stored, standing, held.anchored)


def list_needs(
    node: Node,
    catalogue: Catalogue,
    visit: Visit,
    steps: Sequence[StepRow],
    held: Sequence[HeldPaper],
) -> tuple[NeedStatus, ...]:
    """Every need of the chosen item with where it stands now; empty before one is chosen."""
    if visit.item is None:
        return ()
    here = {
        each.material.row.type_code
        for each in held
        if each.standing is Standing.ACTIVE and each.material.row.grade in RELIABLE_GRADES
    }
    return list_need_statuses(
        catalogue.get_item(visit.item),
        visit.conditions,
        here,
        identified=visit.agent is None,
        found=list_found(node, steps),
        agreed=visit.asked,
    )


def list_found(node: Node, steps: Sequence[StepRow]) -> dict[CityId, frozenset[str]] | None:
    """Types each city of a run said it has; None before anybody was asked."""
    if not steps:
        return None
    return {
        step.city: frozenset(each.type_code for each in list_candidates(node, step))
        for step in steps
    }


def list_candidates(node: Node, step: StepRow) -> tuple[Candidate, ...]:
    """What a step's city said it has; empty while it has not answered."""
    if step.find_digest is None:
        return ()
    with node.database.read() as tx:
        row = tx.finds.load_find(step.find_digest, "made")
    if row.answer is None or row.outcome != ANSWERED:
        return ()
    return parse_find_answer(row.answer).candidates
