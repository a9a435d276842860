"""Which row an event of the chain becomes: table and values by event. Used by chain.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger_node.core.catalogue_events import (
    EditionProposed,
    EditionPublished,
    EditionVoteCast,
    ListOpened,
)
from ledger_node.core.event_types import (
    CheckpointAnchored,
    ContractRegistered,
    Event,
    GenerationClosed,
    GrantConsumed,
    GrantRecorded,
    GrantRevoked,
    ObjectionClosed,
    ObjectionRaised,
    ObjectionWithdrawn,
    StatusSet,
)
from ledger_node.edges.database import tables_chain as t

WITHDRAWN_OUTCOME: Final = 4


def _head_values(event: Any) -> dict[str, Any]:
    return {
        "city": event.city,
        "generation": event.generation,
        "size": event.size,
        "root": event.root,
        "closing": int(isinstance(event, GenerationClosed)),
    }


def _grant_values(event: Any) -> dict[str, Any]:
    return {
        "grant_id": event.grant_id,
        "releasing": event.releasing,
        "receiving": event.receiving,
        "recorder": event.recorder,
        "not_before_s": event.not_before_s,
        "not_after_s": event.not_after_s,
        "uses": event.uses,
        "basis": int(event.basis),
        "evidence": event.evidence,
    }


def _objection_values(event: Any) -> dict[str, Any]:
    return {
        "objection_id": event.objection_id,
        "contract": event.position.address,
        "city": event.city,
        "leaf_hash": event.leaf_hash,
        "raiser": event.raiser,
        "reason": event.reason,
    }


def _objection_end_values(event: Any) -> dict[str, Any]:
    withdrawn = isinstance(event, ObjectionWithdrawn)
    return {
        "objection_id": event.objection_id,
        "contract": event.position.address,
        "outcome": WITHDRAWN_OUTCOME if withdrawn else int(event.outcome),
    }


def _list_values(event: Any) -> dict[str, Any]:
    return {
        "contract": event.position.address,
        "list_id": event.list_id,
        "rule": int(event.kind),
        "code": event.code,
        "parties": event.parties,
    }


def _edition_vote_values(event: Any) -> dict[str, Any]:
    return {
        "contract": event.position.address,
        "vote_id": event.vote_id,
        "list_id": event.list_id,
        "city": event.city,
        "edition": event.edition,
        "digest": event.digest,
        "effective_from_s": event.effective_from_s,
        "paper": event.paper,
        "expires_at_s": event.expires_at_s,
    }


def _edition_values(event: Any) -> dict[str, Any]:
    return {
        "contract": event.position.address,
        "vote_id": event.vote_id,
        "list_id": event.list_id,
        "edition": event.edition,
        "digest": event.digest,
        "effective_from_s": event.effective_from_s,
    }


Derivation = tuple[Any, Callable[[Any], dict[str, Any]]]
DERIVE: Final[Mapping[type[Event], Derivation]] = {
    ContractRegistered: (
        t.chain_contracts,
        lambda event: {
            "role": int(event.role),
            "contract": event.contract_address,
            "from_block": event.from_block,
        },
    ),
    CheckpointAnchored: (t.chain_heads, _head_values),
    GenerationClosed: (t.chain_heads, _head_values),
    StatusSet: (
        t.chain_statuses,
        lambda event: {
            "city": event.city,
            "leaf_hash": event.leaf_hash,
            "flag": int(event.status),
            "successor": event.successor,
        },
    ),
    ObjectionRaised: (t.chain_objections, _objection_values),
    ObjectionClosed: (t.chain_objection_ends, _objection_end_values),
    ObjectionWithdrawn: (t.chain_objection_ends, _objection_end_values),
    GrantRecorded: (t.chain_grants, _grant_values),
    GrantRevoked: (
        t.chain_revocations,
        lambda event: {"grant_id": event.grant_id, "city": event.city},
    ),
    GrantConsumed: (
        t.chain_consumptions,
        lambda event: {
            "grant_id": event.grant_id,
            "release_commitment": event.release_commitment,
            "uses_left": event.uses_left,
        },
    ),
    ListOpened: (t.chain_lists, _list_values),
    EditionProposed: (t.chain_edition_votes, _edition_vote_values),
    EditionVoteCast: (
        t.chain_edition_choices,
        lambda event: {
            "contract": event.position.address,
            "vote_id": event.vote_id,
            "city": event.city,
            "support": int(event.support),
        },
    ),
    EditionPublished: (t.chain_editions, _edition_values),
}
