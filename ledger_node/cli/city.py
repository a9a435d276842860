"""A city's directory opened by a command, beside the running node or without it.

Commands run flows in their own process; what waits for the chain is done by `tongban node run`
over the same database, and a command that waits looks there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ledger_node.cli.output import waiting

if TYPE_CHECKING:
    from ledger_node.wiring import Runtime

POLL_S = 0.2

NodeOption = Annotated[
    Path,
    typer.Option("--node", envvar="TONGBAN_NODE", help="城市数据目录 / the city's directory"),
]
WaitOption = Annotated[
    float,
    typer.Option("--wait", min=0.0, max=86_400.0, help="最多等待秒数 / wait at most, seconds"),
]

T = TypeVar("T")


@contextmanager
def open_city(path: Path) -> Iterator[Runtime]:
    """Open a city's directory for one command.

    Raises:
        SettingsError: There is no city, or its settings are wrong.
    """
    from ledger_node.wiring import open_runtime

    log_warnings_only()
    runtime = open_runtime(path)
    try:
        yield runtime
    finally:
        runtime.close()


def log_warnings_only() -> None:
    """Flows log to standard error here, and only what a person has to know."""
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(30),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def wait_for(
    runtime: Runtime, look: Callable[[], T | None], limit_s: float, zh: str, en: str
) -> T | None:
    """Look again and again until there is something; None when the time is over.

    `look` is called at least once, and once more when the time is over.
    """
    found = look()
    if found is not None or limit_s <= 0:
        return found
    ends_s = runtime.clock.monotonic_s() + limit_s
    with waiting(zh, en):
        while found is None and runtime.clock.monotonic_s() < ends_s:
            runtime.clock.sleep(POLL_S)
            found = look()
    return found
