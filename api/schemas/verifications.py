"""A receipt that somebody brings, judged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from api.schemas.common import EXAMPLE_HASH, Answer, Body, Hex32

Base64 = Annotated[str, StringConstraints(max_length=1_000_000)]


class VerificationIn(Body):
    """The receipt's exact bytes in base64; with it the digest of the file, if there is one.

    `necessity` of the item's need says how old the last known state may be.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"receipt": "e30=", "sha256": EXAMPLE_HASH}]}
    )
    receipt: Base64
    sha256: Hex32 | None = None
    trust: Base64 | None = None
    necessity: Literal["required", "defer", "optional"] = "required"


class LineOut(Answer):
    """One of the four questions."""

    question: str
    state: str
    code: str | None
    sentence_zh: str
    sentence_en: str
    rests_on: list[str]


class AsOf(Answer):
    """The block the facts reach to."""

    block: int
    time: int


class LaterOut(Answer):
    """What is known now against a material of the receipt."""

    city: str
    commitment: Hex32
    standing: str


class WitnessedLogOut(Answer):
    """What is known of a log the receipt rests on: witnessed by n of m, what stands against it."""

    city: str
    witnessed: int
    witnesses: int
    findings: list[str]


class VerificationOut(Answer):
    """The verdict and its age."""

    state: str
    kind: str
    receipt: str
    city: str
    city_name: str
    codes: list[str]
    lines: list[LineOut]
    as_of: AsOf | None
    age_s: int | None
    source: str | None
    document_checked: bool
    light: str
    from_mirror: bool
    logs: list[WitnessedLogOut]
    later: list[LaterOut]


class FileSearchIn(Body):
    """A file alone, for an officer with an open case."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"case_id": "case-1", "sha256": EXAMPLE_HASH}]}
    )
    case_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    sha256: Hex32


class FoundMaterial(Answer):
    """A material with such a document."""

    material_id: str
    type_code: str
    state: str
    commitment: Hex32


class FileSearchOut(Answer):
    """What this city registered with exactly this file."""

    items: list[FoundMaterial]
