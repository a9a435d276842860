"""Port: a page of a document as a picture, for looking at it in place.

Whoever renders reads what strangers handed in, so it happens in a process of its own with little
memory and little time, and what comes back is pixels and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ledger_node.core.errors import MalformedInputError, UnavailableError


class PageNotRenderableError(MalformedInputError):
    """The document is not of a kind that can be shown, is damaged, or has no such page."""

    code = "page_not_renderable"

    def __init__(self) -> None:
        super().__init__(
            "这份文件不能在页面里显示，请下载后用本机软件查看。",
            "This file cannot be shown in the page; download it and open it with another program.",
        )


class RenderingTooCostlyError(UnavailableError):
    """Rendering took more time or memory than one page may."""

    code = "rendering_too_costly"

    def __init__(self) -> None:
        super().__init__(
            "这一页太大，没有在限定时间内显示出来。可以下载后查看。",
            "The page took too long to draw; download the file instead.",
        )


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page as PNG, and how many the document has."""

    png: bytes
    pages: int


class Renderer(Protocol):
    """Promises: reads only the file it is given; never more than its limits of time and memory."""

    def render_page(self, path: Path, media_type: str, page: int, watermark: str) -> RenderedPage:
        """Draw a page (0-based) with a watermark over it.

        Raises:
            PageNotRenderableError: Not a PDF or picture, damaged, or no such page.
            RenderingTooCostlyError: It took too much.
        """
        ...
