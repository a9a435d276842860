"""Finds: what other cities say they have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.common import EXAMPLE_HASH, Answer, Body, CityCode, Code, Hex32, Page


class FindIn(Body):
    """Grants to stand on, usually those of one ceremony; fewer types than they name if wished."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"grant_ids": [EXAMPLE_HASH], "types": []}]}
    )
    grant_ids: Annotated[list[Hex32], Field(min_length=1, max_length=20)]
    types: list[Code] = Field(default_factory=list, max_length=100)


class CandidateOut(Answer):
    """A material that exists elsewhere; no content."""

    commitment: Hex32
    type_code: str
    type_version: int
    grade: str
    standing: str
    valid_from: str | None
    valid_until: str | None
    leaf_index: int | None
    documents: int


class FindOut(Answer):
    """What one city was asked and said; `silent` when it said nothing in time."""

    find_id: Hex32 = Field(examples=[EXAMPLE_HASH])
    city: CityCode
    grant_id: Hex32 | None
    outcome: str
    candidates: list[CandidateOut] = Field(default_factory=list)
    created_at: datetime


class FindsMade(Answer):
    """One answer per asked city, in the order of the grants."""

    items: list[FindOut]


class FindPage(Page):
    """Newest first."""

    items: list[FindOut]
