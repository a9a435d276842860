"""How the drawing process ends, for both sides of it."""

from typing import Final

NOT_RENDERABLE: Final = 1
TOO_COSTLY: Final = 3  # 2 is an interpreter that did not start
