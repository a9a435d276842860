"""Port: the case systems (综窗) of this city, as far as a node calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ledger_node.core.case import StateMap
from ledger_node.core.errors import UnavailableError


class CaseSystemUnavailableError(UnavailableError):
    """The case system did not take an event. Fields: system, reason."""

    code = "case_system_unavailable"

    def __init__(self, system: str, reason: str) -> None:
        super().__init__(
            f"对接系统 {system} 暂未收下通知（{reason}），稍后自动重发。",
            f"The case system {system} did not take the event ({reason}); it is sent again.",
            system=system,
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class CaseSystem:
    """A case system of the settings.

    Attributes:
        system: Its id.
        name: As people call it.
        states: How its states map to ours.
        callback_origin: Where events are sent; empty: it pulls, or a folder is used.
        callback_path: Path of the callback.
        page_origin: Page that may show the panel; empty: none.
        folder: Watched folder of a system without an interface.
    """

    system: str
    name: str
    states: StateMap
    callback_origin: str
    callback_path: str
    page_origin: str
    folder: Path | None


class CaseSystems(Protocol):
    """Promises: only configured systems are called, each at its configured address; the event is
    signed under the city's message key; no redirect is followed."""

    @property
    def systems(self) -> Mapping[str, CaseSystem]:
        """By id."""
        ...

    def deliver(self, system: str, event_id: int, body: bytes) -> None:
        """Send one event.

        Raises:
            CaseSystemUnavailableError: It was not taken; send it again later.
        """
        ...

    def close(self) -> None: ...
