"""How many requests of the API one account, one address without account, and the whole city get.

Counted in memory, per process: these limits protect the process, and a row written for each read
would cost more than most reads. What must hold across processes and restarts for a day (finds,
releases) is counted from its own rows in the flows. Decision 0010.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from ledger_node.core.errors import UnavailableError

ACCOUNT: Final = "account"
ADDRESS: Final = "address"
CITY: Final = "city"


class RateLimitedError(UnavailableError):
    """The account, the address or the city asked too often; `Retry-After` says how long to wait."""

    code = "rate_limited"

    def __init__(self, who: str, retry_after_s: int) -> None:
        super().__init__(
            "请求过于频繁，请稍后再试。",
            f"Too many requests of this {who}; wait {retry_after_s} s.",
            retry_after_s=retry_after_s,
        )


@dataclass(frozen=True, slots=True)
class PerMinute:
    """Requests a minute."""

    account: int
    address: int
    city: int


class RateLimits:
    """Counters of one process."""

    def __init__(self, allowed: PerMinute) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._items = {
            ACCOUNT: RateLimitItemPerMinute(allowed.account),
            ADDRESS: RateLimitItemPerMinute(allowed.address),
            CITY: RateLimitItemPerMinute(allowed.city),
        }

    def count(self, account_id: str | None, address: str) -> None:
        """Count one request.

        Raises:
            RateLimitedError: It is one too many.
        """
        kind, key = (ADDRESS, address) if account_id is None else (ACCOUNT, account_id)
        self._hit(kind, key)
        self._hit(CITY, "")

    def _hit(self, kind: str, key: str) -> None:
        item = self._items[kind]
        if not self._limiter.hit(item, kind, key):
            reset_s = self._limiter.get_window_stats(item, kind, key).reset_time
            raise RateLimitedError(kind, max(1, round(reset_s - _now_s())))


def _now_s() -> float:
    """The clock the counters run on; the machine's, whatever clock the node follows."""
    return time.time()  # noqa: TID251 (the library's own clock)
