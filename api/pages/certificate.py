"""The certificate of what was brought to the verification page: a PDF, kept nowhere."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final

from api.brought import Brought
from api.pages.assets import STATIC
from api.pages.cities import name_city
from api.pages.consent_slip import FONT
from ledger_node.flows.verifying import Verification
from ledger_node.papers import (
    Fonts,
    Office,
    PaperSize,
    VerificationCertificate,
    render_verification_certificate,
)
from ledger_node.wiring import Runtime

NUMBERED: Final = "HY"


def build_certificate(
    runtime: Runtime, verification: Verification, brought: Brought, size: PaperSize
) -> bytes:
    """What the check found, and the digests by which anybody can tell what was checked.

    Raises:
        GlyphMissingError: The font lacks a character of a city's name.
    """
    verdict, as_of = verification.verdict, verification.as_of
    now = runtime.node.clock.now()
    city = runtime.settings.city_name or name_city(runtime.node.city, "zh")
    evidence = [("凭证文件摘要（SHA-256）", hashlib.sha256(brought.receipt).hexdigest())]
    if brought.document is not None:
        evidence.append(("材料文件摘要（SHA-256）", brought.document.hex()))
    if as_of is not None:
        evidence.append(("账本区块", f"0x{as_of.hash.hex()}"))
    return render_verification_certificate(
        VerificationCertificate(
            office=Office(f"{city}共享材料账本核验服务"),
            number=f"{NUMBERED}-{now:%Y%m%d%H%M%S}-{evidence[0][1][:8].upper()}",
            receipt_id=verdict.receipt_id,
            receipt_kind=verdict.kind,
            issuer=verification.city_name
            if verification.city_name != verdict.city
            else name_city(verdict.city, "zh"),
            lines=verdict.lines,
            as_of=None if as_of is None else datetime.fromtimestamp(as_of.block_timestamp_s, UTC),
            as_of_block=verdict.as_of_block,
            checked_at=now,
            file_checked=verification.document_checked,
            evidence=tuple(evidence),
            made_at=now,
            verify_url=f"{runtime.settings.origin}/verify",
        ),
        size,
        Fonts(STATIC / FONT),
    )
