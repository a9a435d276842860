"""Breaking text into lines: between Chinese characters anywhere, inside Latin words nowhere.

A line neither starts with a closing mark nor ends with an opening one (GB/T 15834). A word wider
than the line (a digest, an address) is cut where it must.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NEVER_FIRST = frozenset("，。、；：？！,.;:?!）)】》〉」』”’〕%％·…—号")
_NEVER_LAST = frozenset("（(【《〈「『“‘〔￥")
_PIECE = re.compile(r" +|[\x21-\x7e\u00a1-\u02af]+|.", re.DOTALL)

Measure = Callable[[str], float]


def break_lines(text: str, width: float, measure: Measure, first_indent: float = 0.0) -> list[str]:
    """Lines of `text`, none wider than `width` (the first less `first_indent`), at least one."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        indent = first_indent if not lines else 0.0
        lines.extend(_break_paragraph(paragraph, width, measure, indent))
    return lines


def _break_paragraph(text: str, width: float, measure: Measure, indent: float) -> list[str]:
    lines: list[str] = []
    line = ""
    room = width - indent
    for piece in _split(text, width, measure):
        if line and measure((line + piece).rstrip()) > room:
            line, carried = _carry(line, piece)
            lines.append(line.rstrip())
            line, room = (carried + piece).lstrip(), width
        else:
            line += piece
    return [*lines, line.rstrip()]


def _split(text: str, width: float, measure: Measure) -> list[str]:
    """Unbreakable pieces; a piece wider than a line becomes its characters."""
    pieces: list[str] = []
    for piece in _PIECE.findall(text):
        pieces.extend([piece] if measure(piece) <= width else list(piece))
    return pieces


def _carry(line: str, piece: str) -> tuple[str, str]:
    """Characters that must move to the next line together with `piece`."""
    carried = ""
    first = piece[0]
    while len(line) > 1 and (first in _NEVER_FIRST or line[-1] in _NEVER_LAST):
        first = line[-1]
        line, carried = line[:-1], first + carried
    return line, carried
