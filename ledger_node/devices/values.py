"""What devices give and take, free of HTTP and of any maker's software."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Device(StrEnum):
    """Devices of a window; each runs one command at a time."""

    READER = "reader"
    CAMERA = "camera"
    SCANNER = "scanner"
    PAD = "pad"
    PRINTER = "printer"


@dataclass(frozen=True, slots=True)
class CardReading:
    """What stands on an identity card; the address is never taken.

    Attributes:
        scheme: Of the number, e.g. `cn-resident-id`.
        number, name: As stored on the card.
        birth: Date of birth.
    """

    scheme: str
    number: str
    name: str
    birth: date


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes of one picture (`image/jpeg` or `image/png`)."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """One file as the scanner made it: PDF, TIFF, JPEG or PNG, told by its first bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Point:
    """Where the pen was: pixels of the picture, milliseconds since the pad asked."""

    x_px: int
    y_px: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature: the pad's PNG, and when each stroke was written."""

    png: bytes
    strokes: tuple[tuple[Point, ...], ...]
