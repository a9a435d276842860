"""What the simulated system knows: one file of JSON lines, appended and flushed to disk.

A line counts once it is complete: a killed process leaves at most one broken last line, which is
cut off at the next start. An event is answered only after its line is on disk.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, Final

FIRST_QUEUE_NUMBER: Final = 41


class Journal:
    """Cases, events and queue numbers; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and read what it holds."""
        self.cases: dict[str, dict[str, Any]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.doubles = 0
        self.refused = 0
        self.queue = FIRST_QUEUE_NUMBER
        self._lock = threading.Lock()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+b")
        whole = self._file.read()
        kept = whole[: whole.rfind(b"\n") + 1]
        self._file.truncate(len(kept))
        self._file.seek(len(kept))
        for line in kept.splitlines():
            self._apply(json.loads(line))

    def next_queue_number(self) -> str:
        """The next queue number, A042 and so on."""
        with self._lock:
            self._append({"kind": "queue", "number": self.queue + 1})
            return f"A{self.queue:03d}"

    def keep_case(self, number: str, officer: str, state: str, draft: dict[str, Any]) -> None:
        """Keep a case as it stands now."""
        with self._lock:
            known = self.cases.get(number, {}).get("told")
            self._append(
                {
                    "kind": "case",
                    "number": number,
                    "officer": officer,
                    "state": state,
                    "draft": draft,
                    "told": known,
                }
            )

    def keep_told(self, number: str, told: dict[str, Any]) -> None:
        """Keep what the node answered."""
        with self._lock:
            self._append({**self.cases[number], "told": told})

    def keep_event(self, event: dict[str, Any]) -> bool:
        """Keep an event; False when its id was known."""
        with self._lock:
            if event["id"] in self.events:
                self.doubles += 1
                return False
            self._append({"kind": "event", "event": event})
            return True

    def list_events(self, number: str | None = None) -> list[dict[str, Any]]:
        """Events in order of arrival, of one case or of all."""
        events = list(self.events.values())
        return [each for each in events if number is None or each["case"] == number]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False) + "\n"
        self._file.write(line.encode())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._apply(record)

    def _apply(self, record: dict[str, Any]) -> None:
        if record["kind"] == "queue":
            self.queue = record["number"]
        elif record["kind"] == "case":
            self.cases[record["number"]] = record
        else:
            self.events[record["event"]["id"]] = record["event"]
