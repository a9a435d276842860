"""What a bridge is started with: a TOML file, or the options of the command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

DEFAULT_PORT: Final = 8707
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


class BridgeSettingsError(Exception):
    """A setting is wrong; the message names it."""

    code = "settings_wrong"


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """How one bridge runs.

    Attributes:
        origins: Pages that may use it, exactly (`https://host` or `http://host:port`).
        port: On 127.0.0.1; 0 picks a free one.
        driver: `simulator`, or `package.module:function` of a maker's driver.
        samples: Folder of the simulator's cards and pages; made if it is not there.
        font: A font with Chinese characters for the simulator's pages; optional.
        hot_folder: Folder that a scanner drops files into; optional.
        settle_s: How long a file there must stand still.
        delay_s: How long the simulator's devices take.
    """

    origins: tuple[str, ...]
    port: int = DEFAULT_PORT
    driver: str = "simulator"
    samples: Path | None = None
    font: Path | None = None
    hot_folder: Path | None = None
    settle_s: float = 2.0
    delay_s: float = 0.6


@dataclass(frozen=True, slots=True)
class _Kinds:
    paths: frozenset[str] = frozenset({"samples", "font", "hot_folder"})
    numbers: frozenset[str] = frozenset({"settle_s", "delay_s"})
    known: frozenset[str] = field(
        default_factory=lambda: frozenset(each.name for each in fields(BridgeSettings))
    )


_KINDS = _Kinds()


def load_settings(path: Path) -> BridgeSettings:
    """Settings of a TOML file.

    Raises:
        BridgeSettingsError: No such file, no TOML, or a setting is wrong.
    """
    try:
        return build_settings(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BridgeSettingsError(f"{path.name} cannot be read as TOML") from error


def build_settings(raw: Mapping[str, Any]) -> BridgeSettings:
    """Checked settings.

    Raises:
        BridgeSettingsError: Names the one that is wrong.
    """
    unknown = sorted(set(raw) - _KINDS.known)
    if unknown:
        raise BridgeSettingsError(f"unknown setting {unknown[0]}")
    given: dict[str, Any] = {key: value for key, value in raw.items() if value is not None}
    origins = given.get("origins", ())
    if not isinstance(origins, list | tuple) or not origins:
        raise BridgeSettingsError("origins must list at least one page origin")
    for each in origins:
        if not isinstance(each, str) or not _ORIGIN.fullmatch(each):
            raise BridgeSettingsError(
                "origins must be like https://host or http://host:port, no path"
            )
    port = given.get("port", DEFAULT_PORT)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65_535:
        raise BridgeSettingsError("port must be 0 to 65535")
    for key in _KINDS.numbers & set(given):
        if not isinstance(given[key], int | float) or not 0 <= given[key] <= 3600:
            raise BridgeSettingsError(f"{key} must be 0 to 3600")
    for key in _KINDS.paths & set(given):
        given[key] = Path(given[key])
    return BridgeSettings(**{**given, "origins": tuple(origins), "port": port})
