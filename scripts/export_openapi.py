"""Write docs/openapi.json, the HTTP API as the application declares it; `--check` compares only."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from api.app import build_app  # noqa: E402

TARGET = ROOT / "docs" / "openapi.json"


def render() -> str:
    """The document; nothing in it depends on a city or a machine."""
    app = build_app(cast(Any, SimpleNamespace()))
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write, or compare with what is committed."""
    text = render()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(text, "utf-8")
        return 0
    if not TARGET.exists() or TARGET.read_text("utf-8") != text:
        print("docs/openapi.json is out of date: run `make openapi`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
