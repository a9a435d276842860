"""QR codes of pages, as the path of an inline SVG: the content policy allows no pictures made by
scripts, and a secret never stands in an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import segno

QUIET_MODULES: Final = 4


@dataclass(frozen=True, slots=True)
class QrPath:
    """Side of the square view box in modules, and the path of the dark ones."""

    side: int
    path: str


def draw_qr(text: str) -> QrPath:
    """A code with its quiet zone."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    parts = [
        f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    ]
    return QrPath(len(rows) + 2 * QUIET_MODULES, "".join(parts))


def draw_totp(secret: str, login: str, issuer: str) -> QrPath:
    """The code an authenticator scans (key URI format: SHA-1, six digits, thirty seconds)."""
    label = f"{quote(issuer)}:{quote(login)}"
    return draw_qr(f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer)}")
