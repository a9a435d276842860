"""Types that all resources share. Digests and ids of 32 bytes are lower-case hex."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Hex32 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Uuid = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
    ),
]
CityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
MediaType = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}$"),
]
EXAMPLE_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
EXAMPLE_UUID = "7d9f3f4e-52a1-4f0c-9a53-0c7a2f7f2c11"


class Body(BaseModel):
    """A request body: what nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Answer(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Answer):
    """A refusal (RFC 9457). `code` is stable, the sentences are for people."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:tongban:problem:material_not_found",
                    "title": "material_not_found",
                    "status": 404,
                    "code": "material_not_found",
                    "detail": "No material is registered under that id; check it.",
                    "detail_zh": "没有找到该材料。请核对编号。",
                    "request_id": "5f1c0b7e9a3d4c2211aa00ff",
                }
            ]
        },
    )
    type: str
    title: str
    status: int
    code: str
    detail: str
    detail_zh: str
    request_id: str | None = None
    field: str | None = None


class Page(Answer):
    """What every list has: `next` goes into `cursor` of the next request; null at the end."""

    next: str | None = Field(default=None, examples=[None])


class Block(Answer):
    """Where something stands on the chain."""

    number: int
    hash: Hex32
    time: datetime
    transaction: Hex32
