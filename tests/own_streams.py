"""What a test told the log to write to is forgotten with the test: its stream is closed by then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _forget_log_stream() -> Iterator[None]:
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
