"""Slots for documents on their way to a material."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from api.schemas.common import EXAMPLE_HASH, EXAMPLE_UUID, Answer, Body, Hex32, MediaType, Uuid


class SlotRequest(Body):
    """What will be sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"media_type": "application/pdf"}]})
    media_type: MediaType = Field(examples=["application/pdf"])


class Slot(Answer):
    """A slot. The digest is given while the bytes pass and not kept in clear."""

    upload_id: Uuid = Field(examples=[EXAMPLE_UUID])
    state: Literal["open", "stored", "used"]
    media_type: str
    size_bytes: int
    sha256: Hex32 | None = Field(default=None, examples=[EXAMPLE_HASH])
    material_id: Uuid | None = None
    expires_at: datetime
