"""How deep JSON text nests, found without recursion.

The parser itself cannot be asked: libraries of this process raise the interpreter's recursion limit
so far that it would overflow the stack and end the process.
"""

from __future__ import annotations

import re

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def is_nested_deeper(data: bytes, limit: int) -> bool:
    """Whether arrays and objects of JSON text nest more than `limit` levels.

    Text that is no JSON may be judged either way; the parser refuses it before it gets deeper.
    """
    if data.count(b"[") + data.count(b"{") <= limit:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", data).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > limit:
            return True
    return False
