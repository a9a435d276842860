"""Rows of what the contract `Catalogue` said, as followed; read together through `ChainGroup`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger_node.core.types import Address, CityId


@dataclass(frozen=True, slots=True)
class ListRow:
    """A list; `parties` four bytes each, empty: every member."""

    contract: Address
    list_id: bytes
    rule: int
    code: str
    parties: bytes


@dataclass(frozen=True, slots=True)
class EditionVoteRow:
    """A vote on an edition."""

    contract: Address
    vote_id: int
    list_id: bytes
    city: CityId
    edition: int
    digest: bytes
    effective_from_s: int
    paper: bytes
    expires_at_s: int


@dataclass(frozen=True, slots=True)
class EditionChoiceRow:
    """A city's vote; a later one replaces it."""

    contract: Address
    vote_id: int
    city: CityId
    support: int


@dataclass(frozen=True, slots=True)
class EditionRow:
    """A published edition."""

    contract: Address
    vote_id: int
    list_id: bytes
    edition: int
    digest: bytes
    effective_from_s: int


@dataclass(frozen=True, slots=True)
class EditionRows:
    """Everything of one contract version, each in chain order."""

    lists: Sequence[ListRow]
    votes: Sequence[EditionVoteRow]
    choices: Sequence[EditionChoiceRow]
    editions: Sequence[EditionRow]
