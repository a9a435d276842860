"""One JSON line per event on standard error; nothing here is about a person."""

from __future__ import annotations

import json
import sys
import threading

_lock = threading.Lock()


def report(event: str, **fields: object) -> None:
    """Write one line."""
    line = json.dumps({"event": event, **fields}, ensure_ascii=False, default=str)
    with _lock:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
