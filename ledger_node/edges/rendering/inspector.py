"""Starts the inspecting process, bounds it, and reads one line from it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from typing import Any, BinaryIO, Final

from ledger_node.ports.inspecting import Finding, Inspected, InspectionUnavailableError

TIME_S: Final = 30.0
AT_ONCE: Final = 2
_PROGRAM: Final = "ledger_node.edges.rendering.inspect_worker"
_MAX_LINE_BYTES: Final = 1000


class CappedInspector:
    """`ports.inspecting.DocumentInspector` over a process per file, at most `AT_ONCE` of them.

    The file goes in as the process's standard input, so that it needs no name and no path.
    """

    def __init__(self) -> None:
        self._turn = threading.BoundedSemaphore(AT_ONCE)

    def inspect(self, source: BinaryIO) -> Inspected | Finding:
        """Look at a file; see the port."""
        if not self._turn.acquire(timeout=TIME_S):
            raise InspectionUnavailableError
        try:
            done = subprocess.run(  # noqa: S603 (our own program)
                [sys.executable, "-m", _PROGRAM],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=TIME_S,
                check=False,
                **_feed(source),
            )
        except subprocess.TimeoutExpired as error:
            raise InspectionUnavailableError from error
        finally:
            self._turn.release()
        if done.returncode < 0:  # ended by its own limits
            return Finding.INFLATES
        return _read_line(done.stdout) if done.returncode == 0 else Finding.DAMAGED


def _feed(source: BinaryIO) -> dict[str, Any]:
    """The open file itself, or its bytes where it is none."""
    try:
        descriptor = source.fileno()  # a spooled form file goes to disk here
        source.flush()
        return {"stdin": descriptor}
    except (io.UnsupportedOperation, AttributeError):
        source.seek(0)
        return {"input": source.read()}


def _read_line(line: bytes) -> Inspected | Finding:
    """What the process says is a stranger's too: exactly one of two forms counts."""
    try:
        said = json.loads(line[:_MAX_LINE_BYTES])
        if set(said) == {"refused"}:
            return Finding(said["refused"])
        kind, pages = str(said["kind"]), int(said["pages"])
    except (ValueError, KeyError, TypeError):
        return Finding.DAMAGED
    return Inspected(kind, pages) if pages > 0 else Finding.DAMAGED
