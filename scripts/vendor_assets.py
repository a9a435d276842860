"""Copy what the pages need from pinned Node packages into the place they are served from.

    python scripts/vendor_assets.py

Nothing is fetched: `npm ci` verified the packages by their hashes. The copies are not committed.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "api" / "pages" / "static" / "vendor"
ASSETS = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf": "noto-sans-sc.ttf",
    "@expo-google-fonts/noto-sans-sc/LICENSE_FONT": "noto-sans-sc.LICENSE.txt",
}


def vendor_assets() -> int:
    """Copy every asset; returns how many were new or changed."""
    TARGET.mkdir(parents=True, exist_ok=True)
    changed = 0
    for source, name in ASSETS.items():
        content = (ROOT / "node_modules" / source).read_bytes()
        target = TARGET / name
        if not target.exists() or target.read_bytes() != content:
            shutil.copyfile(ROOT / "node_modules" / source, target)
            changed += 1
    return changed


def main() -> int:
    """Exit code 0; 1 when a package is missing."""
    try:
        print(f"{len(ASSETS)} assets in place, {vendor_assets()} new or changed")
    except FileNotFoundError as error:
        print(f"missing: {error.filename}; run make setup", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
