"""Starts the drawing process, bounds it, and reads one picture from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from ledger_node.edges.rendering.worker_codes import TOO_COSTLY
from ledger_node.ports.rendering import (
    PageNotRenderableError,
    RenderedPage,
    RenderingTooCostlyError,
)

TIME_S: Final = 20.0
MAX_PNG_BYTES: Final = 32 * 1024 * 1024
_PROGRAM: Final = "ledger_node.edges.rendering.worker"
_PNG: Final = b"\x89PNG\r\n\x1a\n"


class CappedRenderer:
    """`ports.rendering.Renderer` over a process per page.

    Who looks, when and at which case stands in the watermark: it goes in as standard input, because
    every user of the machine can read what a process was started with.
    """

    def __init__(self, font: Path) -> None:
        """Take the TrueType file of the watermark; it has Chinese glyphs."""
        self._font = font

    def render_page(self, path: Path, media_type: str, page: int, watermark: str) -> RenderedPage:
        """Draw one page; see the port."""
        command = [sys.executable, "-m", _PROGRAM, str(path), media_type, str(page)]
        try:
            done = subprocess.run(  # noqa: S603 (our own program)
                [*command, str(self._font)],
                input=watermark.encode(),
                capture_output=True,
                timeout=TIME_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RenderingTooCostlyError from error
        if done.returncode < 0 or done.returncode == TOO_COSTLY:  # ended by a limit
            raise RenderingTooCostlyError
        head, _, png = done.stdout.partition(b"\n")
        drawn = done.returncode == 0 and head.isdigit() and png.startswith(_PNG)
        if not drawn or len(png) > MAX_PNG_BYTES:
            raise PageNotRenderableError
        return RenderedPage(png, int(head))
