"""Step 9: everything a reliance receipt carries of the chain, and its events as proofs hold them.

Used by relying.py before a receipt is filed. Spec: docs/spec/receipt-v1.md, "What has to be
carried". Taking and keeping single proofs: proving.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from ledger_node.core.event_types import Position
from ledger_node.core.receipt_chain import ChainEvidence, merge_evidence
from ledger_node.core.receipt_needs import list_material_leaves
from ledger_node.core.receipt_reliance import RelianceBody
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.flows.node import Node
from ledger_node.flows.proving import is_sealed, locate, prove_credentials, prove_flags, prove_log
from ledger_node.flows.receipt_facts import list_credentials, position_at
from ledger_node.ports.chain import ChainUnavailableError
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import Place


@dataclass(frozen=True, slots=True)
class RelianceEvents:
    """Where the events stand that a receipt names, or that its evidence stands on.

    Attributes:
        recorded, consumed: Grant and permit.
        anchors: Of the heads of the materials relied on, by their position.
        credentials: Of the heads of the credentials behind the evidence.
    """

    recorded: Place
    consumed: Place
    anchors: Mapping[Position, Place]
    credentials: tuple[Place, ...]


def find_events(
    tx: Transaction, body: RelianceBody, recorded: Place, consumed: Place
) -> RelianceEvents:
    """Places of everything a body rests on; heads that are not final are left out."""
    terms = body.request.terms
    relied = {each.commitment for each in body.materials}
    materials = [each.placement for each in body.answer.materials if each.commitment in relied]
    anchors = [
        tx.chain.find_anchored_head(terms.releasing, each.generation, each.tree_head)
        for each in materials
    ]
    behind = [each.placement for each in list_credentials(body.request.evidence)]
    credentials = [
        tx.chain.find_anchored_head(terms.recording, each.generation, each.tree_head)
        for each in behind
    ]
    return RelianceEvents(
        recorded,
        consumed,
        {position_at(head.place): head.place for head in anchors if head is not None},
        tuple(head.place for head in credentials if head is not None),
    )


def prove_body(
    node: Node, body: RelianceBody, events: RelianceEvents
) -> tuple[RelianceBody, ChainEvidence]:
    """The body with its events as a proof holds them, and the proofs.

    State that the chain does not give (any more) is left out: such a receipt needs facts.

    Raises:
        ChainUnavailableError: The chain does not give the events themselves now.
        ChainContradictionError: A block is not the one that was followed.
    """
    recorded = prove_log(node, events.recorded)
    consumed = prove_log(node, events.consumed)
    anchors = {at: prove_log(node, place) for at, place in events.anchors.items()}
    carried = [recorded, consumed, *anchors.values()]
    if is_sealed(recorded):  # elsewhere nothing would hold the bytes of a block that is not named
        carried += [prove_log(node, place) for place in events.credentials]
    with suppress(ChainUnavailableError):
        carried.append(prove_flags(node, body.state_block, list_material_leaves(body)))
    with suppress(ChainUnavailableError):
        grant_id = compute_grant_id(body.request.terms)
        carried.append(prove_credentials(node, grant_id, events.recorded))
    placed = replace(
        body,
        materials=tuple(
            replace(each, anchored=locate(anchors[each.anchored], each.anchored))
            for each in body.materials
        ),
        recorded=locate(recorded, body.recorded),
        consumed=locate(consumed, body.consumed),
    )
    return placed, merge_evidence(carried)
