"""Names of cities for people; a city nobody named shows its division code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger_node.core.types import CityId
from ledger_node.founding import FIVE_CITIES

_NAMES: Final[Mapping[str, tuple[str, str]]] = {code: (zh, en) for code, zh, en, _ in FIVE_CITIES}


def name_city(city: str, language: str) -> str:
    """Name of a city in a language (`zh` or `en`)."""
    zh, en = _NAMES.get(city, (city, city))
    return zh if language == "zh" else en


def list_city_names(language: str) -> dict[CityId, str]:
    """Names of all known cities."""
    return {CityId(code): name_city(code, language) for code in _NAMES}
