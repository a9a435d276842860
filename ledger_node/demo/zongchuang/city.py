"""How the simulated system reaches the city's node: by its interface, or by a watched folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx2

TIMEOUT_S: Final = 10.0
FILE_VERSION: Final = "tongban/case-file/v1"
MAX_ANSWER_BYTES: Final = 64 * 1024


class CityError(Exception):
    """The node refused or was not reached; the text is for the page."""


class CityLine(Protocol):
    """Both ways to the node."""

    def hand_in(self, number: str, draft: dict[str, Any]) -> dict[str, Any]:
        """Hand a case in; returns what the node said so far.

        Raises:
            CityError: It was refused, or the node is away.
        """
        ...

    def open_panel(self, number: str) -> str | None:
        """One-time address of the panel; None where there is none.

        Raises:
            CityError: It was refused, or the node is away.
        """
        ...

    def collect(self, number: str) -> dict[str, Any] | None:
        """An answer that came meanwhile."""
        ...

    def list_events(self) -> list[dict[str, Any]]:
        """Events that were left for us, where nobody calls us."""
        ...


@dataclass
class HttpLine:
    """The node's interface, with the bearer key of our machine account."""

    url: str
    system: str
    key: str

    def hand_in(self, number: str, draft: dict[str, Any]) -> dict[str, Any]:
        """See `CityLine`."""
        return self._ask("PUT", f"/cases/{number}", draft)

    def open_panel(self, number: str) -> str | None:
        """See `CityLine`."""
        return str(self._ask("POST", f"/cases/{number}/panel", None)["url"])

    def collect(self, number: str) -> dict[str, Any] | None:
        """See `CityLine`: the answer came at once."""
        del number
        return None

    def list_events(self) -> list[dict[str, Any]]:
        """See `CityLine`: the node calls us."""
        return []

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        address = f"{self.url}/systems/v1/{self.system}{path}"
        headers = {"authorization": f"Bearer {self.key}"}
        try:
            answer = httpx2.request(
                method, address, json=body, headers=headers, timeout=TIMEOUT_S, trust_env=False
            )
            told = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise CityError("通办节点暂时连不上，请稍后重试。") from error
        if answer.status_code >= 400:
            raise CityError(str(told.get("detail_zh", "通办节点拒绝了请求。"))[:300])
        return dict(told)


@dataclass
class FolderLine:
    """A watched folder: files go in by atomic rename, results and events are read beside."""

    folder: Path

    def hand_in(self, number: str, draft: dict[str, Any]) -> dict[str, Any]:
        """See `CityLine`."""
        content = {"v": FILE_VERSION, "number": number, "case": draft}
        inbox = self.folder / "in"
        inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = inbox / f".{number}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(json.dumps(content, ensure_ascii=False).encode())
            file.flush()
            os.fsync(file.fileno())
        (self.folder / "out" / f"{number}.json").unlink(missing_ok=True)
        part.rename(inbox / f"{number}.json")
        return {"outcome": "waiting"}

    def open_panel(self, number: str) -> str | None:
        """See `CityLine`: no panel without an interface."""
        del number
        return None

    def collect(self, number: str) -> dict[str, Any] | None:
        """See `CityLine`."""
        return _read_json(self.folder / "out" / f"{number}.json")

    def list_events(self) -> list[dict[str, Any]]:
        """See `CityLine`."""
        paths = sorted((self.folder / "events").glob("*.json"))
        return [event for path in paths if (event := _read_json(path)) is not None]


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes()[:MAX_ANSWER_BYTES])
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
