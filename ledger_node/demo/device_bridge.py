"""The device bridge beside the cities' windows: its address in each city's settings, its process.

One bridge with simulated devices serves the windows of all five cities, as one machine would that
stands at all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger_node.config import CONFIG_NAME
from ledger_node.demo.papers import FONT
from ledger_node.demo.stage import Stage, find_free_port

NAME: Final = "devices"


@dataclass(frozen=True, slots=True)
class DeviceBridgePlan:
    """Where the bridge listens."""

    port: int

    @property
    def url(self) -> str:
        """As the windows' pages call it; its own page there shows the pairing code."""
        return f"http://127.0.0.1:{self.port}"


def join_device_bridge(stage: Stage) -> DeviceBridgePlan:
    """Write the bridge into the settings of every city, before the nodes start."""
    plan = DeviceBridgePlan(find_free_port())
    for slug in stage.plans:
        path = stage.path / slug / CONFIG_NAME
        # a key of the top table stands before every other table
        path.write_text(
            f'device_bridge_url = "{plan.url}"\n{path.read_text(encoding="utf-8")}',
            encoding="utf-8",
        )
    return plan


def start_device_bridge(stage: Stage, plan: DeviceBridgePlan, font: Path = FONT) -> None:
    """Start the process; the pages of every city may use it once they are paired."""
    arguments = ["-m", "ledger_node.devices", "--port", str(plan.port)]
    arguments += ["--samples", str(stage.path / NAME)]
    if font.is_file():
        arguments += ["--font", str(font.resolve())]
    for city in stage.plans.values():
        arguments += ["--origin", city.public_url]
    stage.start(NAME, arguments)
    stage.links[NAME] = plan.url
