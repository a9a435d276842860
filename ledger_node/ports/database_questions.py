"""Database group of an auditor's questions: what only a city's own records can answer.

Step 11. No column that names or describes a person is read: ids, cities, commitments, times, and
requests, which hold commitments and ciphertext only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ledger_node.core.types import CityId, Commitment, GrantId


@dataclass(frozen=True, slots=True)
class Reliance:
    """A receipt this city filed over what another city released to it.

    Attributes:
        answer: Of the release, sealed under its record key; names the materials by commitment.
    """

    receipt_id: str
    request_digest: bytes
    city: CityId
    grant_id: GrantId
    answer: bytes | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReleaseAsked:
    """A release with the request it stands on.

    Attributes:
        request, answer: As the city keeps them: sealed under the release's record key if
            `incoming`; no answer before there is one.
        handed_over: Materials linked to it, which only the releasing city does.
    """

    request_digest: bytes
    direction: str
    city: CityId
    grant_id: GrantId
    state: str
    request: bytes
    answer: bytes | None
    handed_over: tuple[Commitment, ...]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class OfficerFind:
    """A find by an officer's pseudonym, without what was asked for."""

    request_digest: bytes
    direction: str
    city: CityId
    grant_id: GrantId | None
    outcome: str
    leaf_index: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    """A stored document of a material that is not erased: where its ciphertext is."""

    material_id: str
    position: int
    address: bytes


class QuestionGroup(Protocol):
    """Promises: oldest first, by index or in one pass; at most `limit` rows."""

    def list_reliances(self, limit: int) -> list[Reliance]: ...

    def list_releases_asked(self, limit: int) -> list[ReleaseAsked]: ...

    def list_finds_of_officer(self, officer: str, limit: int) -> list[OfficerFind]: ...

    def count_documents(self) -> int:
        """Rows that `list_documents` gives in all."""
        ...

    def list_documents(self, after: tuple[str, int] | None, limit: int) -> list[DocumentPlace]:
        """A page in the order of material id and position, behind `after`."""
        ...

    def find_oldest_entry(self, generation: int, first: int, last: int) -> datetime | None:
        """When the oldest entry of leaves first..last (included) of the own log was committed."""
        ...
