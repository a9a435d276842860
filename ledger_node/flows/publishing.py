"""Editions of the catalogue's lists: put to the vote, voted on, published. Governance.

The govern account signs, which is kept offline: these calls are made where it is at hand. The order
of effects is the outbox's: row and signed bytes in one commit -> broadcast. Nothing else is
stored; how votes stand is read from the followed chain. Spec: docs/spec/catalogue.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger_node.core.canonical import JsonObject
from ledger_node.core.catalogue import Catalogue
from ledger_node.core.catalogue_events import ListRule
from ledger_node.core.catalogue_list import compute_list_digest, compute_list_id, list_parties
from ledger_node.core.errors import NotFoundError
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.replay_catalogue import VoteCount, count_votes, read_parties
from ledger_node.core.types import CityId
from ledger_node.flows.chain_node import ChainNode
from ledger_node.flows.facts import load_chain_view
from ledger_node.flows.outbox import ContractCall, submit
from ledger_node.ports.contracts import EditionEntry
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import OutboxRow
from ledger_node.ports.database_editions import EditionRow, EditionRows, EditionVoteRow, ListRow

EDITION_KIND: Final = "edition"


class EditionVoteUnknownError(NotFoundError):
    """No such vote was seen on the followed chain."""

    code = "edition_vote_unknown"

    def __init__(self, vote_id: int) -> None:
        super().__init__(
            f"链上没有第 {vote_id} 号清单表决，或本节点尚未跟到。",
            f"No vote {vote_id} on an edition is on the chain as far as it was followed.",
            vote_id=vote_id,
        )


@dataclass(frozen=True, slots=True)
class VoteStanding:
    """A vote, how it stands now, and whether it was published."""

    row: EditionVoteRow
    votes: Mapping[CityId, bool]
    count: VoteCount
    published: bool


@dataclass(frozen=True, slots=True)
class ListStanding:
    """A list with its editions and votes, oldest first; no city: every member."""

    row: ListRow
    parties: tuple[CityId, ...]
    editions: tuple[EditionRow, ...]
    votes: tuple[VoteStanding, ...]

    def find_edition(self, at_s: int) -> EditionRow | None:
        """The edition that counts at a block time."""
        counting = [each for each in self.editions if each.effective_from_s <= at_s]
        return counting[-1] if counting else None


def list_standings(tx: Transaction) -> tuple[ListStanding, ...]:
    """Every list of the current contract, as far as the chain was followed.

    Raises:
        NotFollowedError: Nothing was.
    """
    consortium = load_chain_view(tx).consortium
    standing = {city: consortium.in_good_standing(city) for city in consortium.members}
    rows = tx.chain.load_editions(load_chain_view(tx).contract(ContractRole.CATALOGUE))
    return tuple(_describe(rows, each, standing) for each in rows.lists)


def propose_edition(
    node: ChainNode,
    catalogue: Catalogue,
    code: str,
    effective_from_s: int,
    paper: bytes = bytes(32),
) -> OutboxRow:
    """Put the next edition of a list to the vote.

    Args:
        code: Of the list in `catalogue`.
        effective_from_s: Block time from which it will count.
        paper: SHA-256 of the paper that explains it, or zero.

    Raises:
        UnknownListError: The catalogue has no such list.
        ContractRevertError, LedgerHaltedError, UnavailableError: Not now, or the chain refuses.
    """
    rule, parties = list_parties(catalogue, code)
    list_id = compute_list_id(rule, code, parties)
    with node.database.read() as tx:
        known = [each for each in list_standings(tx) if each.row.list_id == list_id]
    edition = len(known[0].editions) + 1 if known else 1
    digest = compute_list_digest(catalogue, code)
    entry = EditionEntry(int(rule), code, parties, edition, digest, effective_from_s)
    data = node.contracts.encode_propose_edition(entry, paper)
    return _submit(node, data, f"propose/{code}/{edition}")


def vote_edition(node: ChainNode, vote_id: int, support: bool) -> OutboxRow:
    """Vote on an edition; a later vote replaces an earlier one.

    Raises:
        EditionVoteUnknownError: Not on the followed chain.
        ContractRevertError, LedgerHaltedError, UnavailableError: Not now, or the chain refuses.
    """
    _demand_vote(node, vote_id)
    return _submit(node, node.contracts.encode_vote_edition(vote_id, support), f"vote/{vote_id}")


def publish_edition(node: ChainNode, vote_id: int) -> OutboxRow:
    """Publish an edition that has its votes; raises as `vote_edition`."""
    _demand_vote(node, vote_id)
    return _submit(node, node.contracts.encode_publish_edition(vote_id), f"publish/{vote_id}")


def encode_standing(each: ListStanding, now_s: int) -> JsonObject:
    """As plain JSON, for machines."""
    counting = each.find_edition(now_s)
    return {
        "list": each.row.code,
        "rule": ListRule(each.row.rule).name.lower(),
        "parties": list(each.parties),
        "in_force": None if counting is None else counting.edition,
        "editions": [
            {
                "edition": one.edition,
                "digest": one.digest.hex(),
                "effective_from_s": one.effective_from_s,
            }
            for one in each.editions
        ],
        "votes": [
            {
                "id": one.row.vote_id,
                "edition": one.row.edition,
                "digest": one.row.digest.hex(),
                "effective_from_s": one.row.effective_from_s,
                "expires_at_s": one.row.expires_at_s,
                "votes": {str(city): support for city, support in sorted(one.votes.items())},
                "yes": one.count.yes,
                "needed": one.count.needed,
                "published": one.published,
            }
            for one in each.votes
        ],
    }


def _describe(rows: EditionRows, row: ListRow, standing: Mapping[CityId, bool]) -> ListStanding:
    parties = read_parties(row.parties) or ()
    editions = tuple(each for each in rows.editions if each.list_id == row.list_id)
    published = {each.vote_id for each in editions}
    votes = []
    for each in rows.votes:
        if each.list_id == row.list_id:
            cast = {
                one.city: bool(one.support) for one in rows.choices if one.vote_id == each.vote_id
            }
            count = count_votes(ListRule(row.rule), parties, standing, cast)
            votes.append(VoteStanding(each, cast, count, each.vote_id in published))
    return ListStanding(row, parties, editions, tuple(votes))


def _demand_vote(node: ChainNode, vote_id: int) -> None:
    with node.database.read() as tx:
        known = {one.row.vote_id for each in list_standings(tx) for one in each.votes}
    if vote_id not in known:
        raise EditionVoteUnknownError(vote_id)


def _submit(node: ChainNode, data: bytes, reference: str) -> OutboxRow:
    with node.database.read() as tx:
        contract = load_chain_view(tx).contract(ContractRole.CATALOGUE)
    return submit(node, ContractCall(KeyRole.GOVERN, contract, data, EDITION_KIND, reference))
