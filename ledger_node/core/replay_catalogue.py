"""Replay rules of `Catalogue`: lists, votes on their editions, what was published.

Step 11 of the data flow, promise P7. Used by replay.py, which has checked that the event comes
from the right contract. Spec: docs/spec/replay.md.

Invariants:
    * The rules are the contract's own, checked again from events alone; each breach is noted and
      the event is applied all the same, except where there is nothing to apply it to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ledger_node.core.catalogue_events import (
    EditionProposed,
    EditionPublished,
    EditionVoteCast,
    ListOpened,
    ListRule,
)
from ledger_node.core.event_types import Event
from ledger_node.core.replay_governance import check_member, check_number
from ledger_node.core.replay_state import (
    DiscrepancyCode,
    EditionVote,
    PublishedEdition,
    ReplayedList,
    ReplayState,
    where,
)
from ledger_node.core.types import CityId

_PARTY_BYTES = 4


@dataclass(frozen=True, slots=True)
class VoteCount:
    """How many of those concerned support a vote, and how many have to."""

    yes: int
    needed: int


def read_parties(parties: bytes) -> tuple[CityId, ...] | None:
    """Cities of `ListOpened`; None unless ascending six-digit codes of four bytes each."""
    if len(parties) % _PARTY_BYTES:
        return None
    codes = [
        int.from_bytes(parties[start : start + _PARTY_BYTES], "big")
        for start in range(0, len(parties), _PARTY_BYTES)
    ]
    if codes != sorted(set(codes)) or any(code > 999_999 for code in codes):
        return None
    return tuple(CityId(f"{code:06d}") for code in codes)


def count_votes(
    rule: ListRule,
    parties: tuple[CityId, ...],
    standing: Mapping[CityId, bool],
    votes: Mapping[CityId, bool],
) -> VoteCount:
    """Votes as the contract counts them.

    Args:
        parties: Cities concerned; empty: every member.
        standing: Every member, and whether it is in good standing.
        votes: Last vote of each city.
    """
    concerned = parties or tuple(standing)
    good = [city for city in concerned if standing.get(city)]
    needed = -(-2 * len(good) // 3) if rule is ListRule.CONSORTIUM else len(concerned)
    return VoteCount(sum(1 for city in good if votes.get(city)), max(needed, 1))


def apply_list_opened(state: ReplayState, event: Event) -> None:
    """Keep a list; it is named once and its parties are members."""
    assert isinstance(event, ListOpened)
    key = (event.position.address, event.list_id)
    parties = read_parties(event.parties)
    if key in state.lists or parties is None:
        state.note(
            DiscrepancyCode.LIST_CONTRADICTED,
            where(event.position),
            f"list {event.list_id.hex()} is named again, or by parties that are none",
        )
    if key in state.lists:
        return
    for city in parties or ():
        check_member(state, city, event, good_standing=False)
    state.lists[key] = ReplayedList(event.kind, event.code, parties or (), ())


def apply_edition_proposed(state: ReplayState, event: Event) -> None:
    """Keep a vote that was opened: the next edition, not of the past, by a city concerned."""
    assert isinstance(event, EditionProposed)
    address = event.position.address
    last = max((number for at, number in state.edition_votes if at == address), default=0)
    check_number(state, event, event.vote_id, last)
    listed = _find_list(state, event, event.list_id)
    if listed is not None:
        _check_concerned(state, event, event.city, listed)
        _check_next(state, event, listed)
    state.edition_votes[address, event.vote_id] = EditionVote(
        event.list_id,
        event.city,
        event.edition,
        event.digest,
        event.effective_from_s,
        event.paper,
        event.expires_at_s,
        {},
    )


def apply_edition_vote(state: ReplayState, event: Event) -> None:
    """Keep a vote; it replaces the city's earlier one."""
    assert isinstance(event, EditionVoteCast)
    vote = _open_vote(state, event)
    if vote is None:
        return
    listed = _find_list(state, event, vote.list_id)
    if listed is not None:
        _check_concerned(state, event, event.city, listed)
    if vote.votes.get(event.city) == event.support:
        state.note(
            DiscrepancyCode.VOTE_REPEATED,
            where(event.position),
            f"{event.city} voted the same on edition vote {event.vote_id} before",
        )
    votes = {**vote.votes, event.city: event.support}
    state.edition_votes[event.position.address, event.vote_id] = replace(vote, votes=votes)


def apply_edition_published(state: ReplayState, event: Event) -> None:
    """Check the votes of those concerned now, and add the edition to its list."""
    assert isinstance(event, EditionPublished)
    vote = _open_vote(state, event)
    listed = _find_list(state, event, event.list_id)
    if listed is None:
        return
    _check_next(state, event, listed)
    if vote is not None:
        _check_count(state, event, listed, vote)
        if (vote.list_id, vote.edition, vote.digest, vote.effective_from_s) != (
            event.list_id,
            event.edition,
            event.digest,
            event.effective_from_s,
        ):
            state.note(
                DiscrepancyCode.EDITION_WRONG,
                where(event.position),
                f"what was published is not what vote {event.vote_id} was about",
            )
        key = (event.position.address, event.vote_id)
        state.edition_votes[key] = replace(vote, published=True)
    edition = PublishedEdition(
        event.edition, event.digest, event.effective_from_s, event.vote_id, event.position
    )
    state.lists[event.position.address, event.list_id] = replace(
        listed, editions=(*listed.editions, edition)
    )


def _check_count(
    state: ReplayState, event: EditionPublished, listed: ReplayedList, vote: EditionVote
) -> None:
    standing = {city: state.consortium.in_good_standing(city) for city in state.consortium.members}
    count = count_votes(listed.rule, listed.parties, standing, vote.votes)
    if count.yes < count.needed:
        state.note(
            DiscrepancyCode.QUORUM_MISSING,
            where(event.position),
            f"edition vote {event.vote_id} had {count.yes} of {count.needed} votes",
        )


def _find_list(state: ReplayState, event: Event, list_id: bytes) -> ReplayedList | None:
    listed = state.lists.get((event.position.address, list_id))
    if listed is None:
        state.note(
            DiscrepancyCode.LIST_UNKNOWN,
            where(event.position),
            f"{type(event).__name__} of list {list_id.hex()}, never named",
        )
    return listed


def _check_concerned(state: ReplayState, event: Event, city: CityId, listed: ReplayedList) -> None:
    check_member(state, city, event)
    if listed.parties and city not in listed.parties:
        state.note(
            DiscrepancyCode.NOT_CONCERNED,
            where(event.position),
            f"{type(event).__name__} of {city}, which list {listed.code} does not concern",
        )


def _check_next(
    state: ReplayState, event: EditionProposed | EditionPublished, listed: ReplayedList
) -> None:
    held = listed.editions[-1] if listed.editions else None
    if event.edition != (held.edition if held else 0) + 1:
        state.note(
            DiscrepancyCode.EDITION_WRONG,
            where(event.position),
            f"edition {event.edition} of {listed.code} does not follow the last one",
        )
    earliest = max(event.position.block_timestamp_s, held.effective_from_s if held else 0)
    if event.effective_from_s <= earliest:
        state.note(
            DiscrepancyCode.EDITION_TOO_EARLY,
            where(event.position),
            f"edition {event.edition} of {listed.code} would count in the past",
        )


def _open_vote(state: ReplayState, event: EditionVoteCast | EditionPublished) -> EditionVote | None:
    vote = state.edition_votes.get((event.position.address, event.vote_id))
    name = f"{type(event).__name__} of edition vote {event.vote_id}"
    if vote is None:
        state.note(DiscrepancyCode.PROPOSAL_UNKNOWN, where(event.position), f"{name}, never opened")
    elif vote.published or event.position.block_timestamp_s >= vote.expires_at_s:
        state.note(
            DiscrepancyCode.PROPOSAL_OVER,
            where(event.position),
            f"{name}, which was published or had expired",
        )
    return vote
