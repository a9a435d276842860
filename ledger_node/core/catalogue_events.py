"""Events of the contract `Catalogue`: lists named, editions put to the vote and published.

Steps 6 and 11 and governance. Names and fields follow contracts/interfaces; compared with the
committed ABI like those of event_types.py. Spec: docs/spec/events.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger_node.core.event_types import Event
from ledger_node.core.types import CityId


class ListRule(IntEnum):
    """Whose votes an edition of a list takes, numbered as in `Catalogue`."""

    CONSORTIUM = 0
    BILATERAL = 1
    DIRECTED = 2


@dataclass(frozen=True, slots=True)
class ListOpened(Event):
    """`parties` are division codes, four bytes each; empty: every member."""

    list_id: bytes
    kind: ListRule
    code: str
    parties: bytes


@dataclass(frozen=True, slots=True)
class EditionProposed(Event):
    """`paper` is the SHA-256 of the paper that explains it, or all zero."""

    vote_id: int
    list_id: bytes
    city: CityId
    edition: int
    digest: bytes
    effective_from_s: int
    paper: bytes
    expires_at_s: int


@dataclass(frozen=True, slots=True)
class EditionVoteCast(Event):
    """A later vote of the same city replaces an earlier one."""

    vote_id: int
    city: CityId
    support: bool


@dataclass(frozen=True, slots=True)
class EditionPublished(Event):
    """From `effective_from_s` on (block time) the edition counts."""

    vote_id: int
    list_id: bytes
    edition: int
    digest: bytes
    effective_from_s: int
