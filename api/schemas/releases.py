"""Releases to this city, decisions on them, and their receipts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from api.schemas.common import EXAMPLE_HASH, Answer, Body, CityCode, Hex32, Page

Position = Annotated[int, Field(ge=1, le=1000)]
Index = Annotated[int, Field(ge=0, le=1000)]


class WantedMaterial(Body):
    """Fields by position in the statement (from 1) and documents by index (from 0)."""

    commitment: Hex32
    fields: list[Position] = Field(default_factory=list, max_length=100)
    documents: list[Index] = Field(default_factory=list, max_length=100)


class ReleaseIn(Body):
    """A request under one grant."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "grant_id": EXAMPLE_HASH,
                    "materials": [{"commitment": EXAMPLE_HASH, "fields": [1, 3], "documents": [0]}],
                }
            ]
        }
    )
    grant_id: Hex32
    materials: Annotated[list[WantedMaterial], Field(min_length=1, max_length=50)]


class ReleaseLine(Answer):
    """A release; `problem_code` says why it ended without materials."""

    release_id: Hex32 = Field(examples=[EXAMPLE_HASH])
    city: CityCode
    grant_id: Hex32
    state: str
    problem_code: str | None = None
    created_at: datetime
    updated_at: datetime


class ReleaseStarted(Answer):
    """The request is stored and on its way."""

    release_id: Hex32
    state: str


class ReleasePage(Page):
    """Newest first."""

    items: list[ReleaseLine]


class ReleasedDocumentOut(Answer):
    """A document that came."""

    index: int
    sha256: Hex32
    media_type: str
    size_bytes: int | None


class ReleasedMaterialOut(Answer):
    """A material that came, with the fields that were disclosed."""

    commitment: Hex32
    type_code: str
    values: dict[str, Any]
    documents: list[ReleasedDocumentOut]


class ReleasedMaterials(Answer):
    """Everything of a release; the reading is written to the access trail."""

    release_id: Hex32
    items: list[ReleasedMaterialOut]


class DecisionIn(Body):
    """What is decided on a release, in which role."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"release_id": EXAMPLE_HASH, "role": "reviewer", "outcome": "loan-granted"}
            ]
        }
    )
    release_id: Hex32
    role: Literal["registrar", "reviewer", "supervisor"]
    outcome: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,199}$")]
    materials: Annotated[list[Hex32], Field(min_length=1, max_length=50)] | None = None


class DecisionOut(Answer):
    """The receipt that was filed."""

    receipt_id: Hex32


class ReceiptLine(Answer):
    """A reliance receipt this city filed."""

    receipt_id: Hex32
    release_id: Hex32
    commitment: Hex32
    created_at: datetime


class ReceiptPage(Page):
    """Newest first."""

    items: list[ReceiptLine]
