"""Grants as this city holds them, their recording, their revocation."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from api.schemas.common import EXAMPLE_HASH, Answer, Block, Body, CityCode, Hex32, Page


class GrantedType(Answer):
    """What may be shown of materials of one type."""

    code: str
    fields: list[str]
    documents: bool


class GrantLine(Answer):
    """A grant: between which cities, for how long, on what."""

    grant_id: Hex32 = Field(examples=[EXAMPLE_HASH])
    releasing: CityCode
    receiving: CityCode
    recording: CityCode
    basis: str
    types: list[GrantedType]
    not_before: datetime
    not_after: datetime
    uses: int
    created_at: datetime


class GrantPage(Page):
    """Newest first."""

    items: list[GrantLine]


class GrantOut(GrantLine):
    """A grant and what the chain says of it, as far as this city followed it."""

    state: Literal["held", "submitted", "recorded", "revoked"]
    uses_left: int | None = None
    recorded: Block | None = None
    revoked: Block | None = None


class EmptyBody(Body):
    """Nothing more is to be said."""


class Submitted(Answer):
    """A transaction is signed and stored; the chain decides."""

    grant_id: Hex32
    state: str
    transaction: Hex32


class RevocationIn(Body):
    """Which grant ends."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grant_id": EXAMPLE_HASH}]})
    grant_id: Hex32


class RevocationOut(Answer):
    """A revocation; it counts as soon as it is seen, and is final later."""

    grant_id: Hex32
    state: Literal["submitted", "seen", "final"]
    city: CityCode | None = None
    block: Block | None = None
