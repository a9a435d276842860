"""Build the engines that `make test-engines` runs against, from pinned Go modules.

    python scripts/build_engines.py [name …]

Each engine has its own `tests/engines/<name>/go.mod` and `go.sum`; programs go to `build/engines/`
and are never committed. What is there and newer than its pins is left alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "tests" / "engines"
TARGET = ROOT / "build" / "engines"
LIMIT_S = 1800


@dataclass(frozen=True, slots=True)
class Engine:
    """One program: the folder of its pins, its package and what the linker needs."""

    name: str
    package: str
    ldflags: str = ""


ENGINES = (
    Engine("versitygw", "github.com/versity/versitygw/cmd/versitygw"),
    Engine("kubo", "github.com/ipfs/kubo/cmd/ipfs"),
    Engine("geth", "github.com/ethereum/go-ethereum/cmd/geth", "-checklinkname=0"),
)


def build_engine(engine: Engine) -> bool:
    """Build one engine unless it is fresh; returns whether it was built.

    Raises:
        subprocess.CalledProcessError: Go refused.
        FileNotFoundError: There is no Go.
    """
    program = TARGET / engine.package.rsplit("/", 1)[1]
    pins = PINS / engine.name
    pinned_at = max((pins / name).stat().st_mtime for name in ("go.mod", "go.sum"))
    if program.exists() and program.stat().st_mtime >= pinned_at:
        return False
    go = shutil.which("go")
    if go is None:
        raise FileNotFoundError("go")
    command = [go, "build", "-mod=readonly", f"-ldflags={engine.ldflags}", "-o", str(program)]
    subprocess.run([*command, engine.package], cwd=pins, check=True, timeout=LIMIT_S)
    return True


def main() -> int:
    """Exit code 0; 1 when an engine could not be built."""
    wanted = sys.argv[1:] or [engine.name for engine in ENGINES]
    TARGET.mkdir(parents=True, exist_ok=True)
    for engine in ENGINES:
        if engine.name in wanted:
            try:
                built = build_engine(engine)
            except (FileNotFoundError, subprocess.SubprocessError) as error:
                print(f"{engine.name}: {error}", file=sys.stderr)
                return 1
            print(f"{engine.name}: {'built' if built else 'fresh'}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
