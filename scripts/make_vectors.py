"""Write the test vectors from the reference code, or check that they are fresh.

Every module in tests/reference/topics has `build_vectors()`, which yields (path below
tests/vectors, JSON object). Files that no topic yields any more are removed, inside the folders
the topics own. `--check` writes nothing and exits 1 if a file would change.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOPICS = ROOT / "tests" / "reference" / "topics"
VECTORS = ROOT / "tests" / "vectors"


def load_vectors() -> dict[str, str]:
    """Every vector file the topics yield: path below tests/vectors -> text."""
    sys.path.insert(0, str(ROOT))
    vectors: dict[str, str] = {}
    for module_path in sorted(TOPICS.glob("[a-z]*.py")):
        module = importlib.import_module(f"tests.reference.topics.{module_path.stem}")
        for path, content in module.build_vectors():
            if path in vectors:
                raise SystemExit(f"two topics yield {path}")
            text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
            vectors[path] = text + "\n"
    return vectors


def list_stale(vectors: dict[str, str]) -> list[str]:
    """Files in the folders of the topics that no topic yields."""
    folders = {path.partition("/")[0] for path in vectors}
    found = [path for folder in folders for path in (VECTORS / folder).rglob("*.json")]
    return sorted({path.relative_to(VECTORS).as_posix() for path in found} - vectors.keys())


def list_changed(vectors: dict[str, str]) -> list[str]:
    """Files that are missing or differ."""
    return [
        path
        for path, text in sorted(vectors.items())
        if not (VECTORS / path).is_file() or (VECTORS / path).read_text(encoding="utf-8") != text
    ]


def main() -> int:
    """Write or check; the exit code is 1 if `--check` finds a difference."""
    parser = argparse.ArgumentParser(description="Write the test vectors from the reference code.")
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    vectors = load_vectors()
    changed, stale = list_changed(vectors), list_stale(vectors)
    if check:
        for path in (*changed, *stale):
            print(f"not fresh: tests/vectors/{path}")
        return 1 if changed or stale or not vectors else 0
    for path in changed:
        target = VECTORS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(vectors[path], encoding="utf-8")
    for path in stale:
        (VECTORS / path).unlink()
    print(f"{len(vectors)} vectors, {len(changed)} written, {len(stale)} removed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
