"""The slip of a registered paper, for who handed it in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from api.pages.case_papers import FONTS
from api.pages.cities import name_city
from api.pages.consent_view import name_type
from ledger_node.flows.holdings import HeldPaper
from ledger_node.papers import (
    Office,
    PaperSize,
    Party,
    RegistrationSlip,
    mask_number,
    render_registration_slip,
)
from ledger_node.wiring import Runtime


def build_registration_slip(
    runtime: Runtime, paper: HeldPaper, values: Mapping[str, Any], size: PaperSize
) -> bytes:
    """The slip as PDF.

    Args:
        values: Of its statement, as registered.

    Raises:
        GlyphMissingError: The font lacks a character.
    """
    row = paper.material.row
    city = runtime.settings.city_name or name_city(runtime.node.city, "zh")
    check = values.get("original_check") or {}
    subjects = [each for each in values.get("subjects", []) if isinstance(each, dict)]
    return render_registration_slip(
        RegistrationSlip(
            office=Office(f"{city}政务服务"),
            number=row.material_id,
            material=name_type(row.type_code, "zh"),
            subjects=tuple(
                Party(str(each.get("name", "")), mask_number(str(each.get("number", ""))))
                for each in subjects
            ),
            issuer=str((values.get("issuer") or {}).get("name", "")),
            parts=(),
            grade=row.grade,
            recorded=paper.recorded,
            registered_at=row.registered_at,
            made_at=runtime.node.clock.now(),
            document_number=mask_number(str(values.get("number") or "")),
            issued_on=_read_day(values.get("issued_on")),
            valid_until=_read_day(values.get("valid_until")),
            # The place of the check names the reader after a blank, where one read the card.
            typed_by_hand=" " not in str(check.get("device", "")) if check else None,
            officer=str(check.get("officer", "")),
            verify_url=f"{runtime.settings.origin}/verify",
        ),
        size,
        FONTS,
    )


def _read_day(value: object) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else None
