"""Materials: handed in as metadata that names uploads, read back, proven."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from api.schemas.common import (
    EXAMPLE_HASH,
    EXAMPLE_UUID,
    Answer,
    Block,
    Body,
    Code,
    Day,
    Hex32,
    MediaType,
    Page,
    Text,
    Uuid,
)

EXAMPLE: JsonDict = {
    "type_code": "marriage-cert",
    "grade": "A",
    "subjects": [
        {
            "role": "holder",
            "scheme": "cn-resident-id",
            "number": "510107199003070049",
            "name": "何雨晴",
        }
    ],
    "issuer": {"code": "11510107MB1A00000X", "name": "武侯区民政局"},
    "number": "J510107-2020-000001",
    "issued_on": "2020-05-20",
    "documents": [{"upload_id": EXAMPLE_UUID, "pages": 1}],
}


class SubjectIn(Body):
    """Whom a material is about."""

    role: Code
    scheme: Code
    number: Text
    name: Text


class IssuerIn(Body):
    """The issuing department: 18-character credit code and name."""

    code: Text
    name: Text


class DocumentIn(Body):
    """A document by its upload slot, or only its digest where the bytes stay elsewhere."""

    upload_id: Uuid | None = None
    sha256: Hex32 | None = None
    media_type: MediaType | None = None
    size_bytes: int | None = Field(default=None, ge=1, le=2**53 - 1)
    pages: int | None = Field(default=None, ge=1, le=100_000)
    extent: Literal["complete", "extract"] = "complete"
    concerns: list[int] = Field(default_factory=list, max_length=50)


class MaterialIn(Body):
    """One material as it is handed in."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    type_code: Code
    grade: Literal["A", "B", "C", "D"]
    subjects: Annotated[list[SubjectIn], Field(min_length=1, max_length=50)]
    documents: Annotated[list[DocumentIn], Field(min_length=1, max_length=100)]
    issuer: IssuerIn | None = None
    number: Text | None = None
    issued_on: Day | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None
    original_check: dict[str, Any] | None = None
    retention: Text | None = None
    attributes: dict[Annotated[str, StringConstraints(max_length=64)], Any] = Field(
        default_factory=dict
    )
    predecessor: Uuid | None = None


class MaterialRegistered(Answer):
    """A registered material: durable, and on its way into the log."""

    material_id: Uuid = Field(examples=[EXAMPLE_UUID])
    type_code: str
    commitment: Hex32 = Field(examples=[EXAMPLE_HASH])
    registered_at: datetime
    predecessor: Uuid | None = None


class MaterialLine(Answer):
    """A material as lists show it: nothing of its content."""

    material_id: Uuid
    type_code: str
    type_version: int
    grade: str
    state: str
    commitment: Hex32
    registered_at: datetime
    leaf_index: int | None = None
    predecessor: Uuid | None = None
    successor: Uuid | None = None


class MaterialPage(Page):
    """Newest first."""

    items: list[MaterialLine]


class DocumentOut(Answer):
    """A document of a material."""

    position: int
    sha256: Hex32
    media_type: str
    size_bytes: int | None
    pages: int | None
    extent: str
    concerns: list[int]
    held: bool


class MaterialOut(MaterialLine):
    """A material with its content; the reading is written to the access trail."""

    values: dict[str, Any]
    documents: list[DocumentOut]


class ProofOut(Answer):
    """Where the entry stands; `pending` until a final anchor covers it."""

    state: Literal["pending", "anchored"]
    commitment: Hex32
    leaf_hash: Hex32
    generation: int | None = None
    leaf_index: int | None = None
    tree_size: int | None = None
    root: Hex32 | None = None
    inclusion_proof: list[Hex32] = Field(default_factory=list)
    anchor: Block | None = None
