"""Pairing: six digits shown on this machine, typed once in the console, give a token of one origin.

Only who sees the machine's own screen can pair a page. Wrong codes are counted over all origins:
five, and the code changes and nothing is accepted for a while that doubles. Comparisons take
constant time. Tokens live in memory only, as digests.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger_node.devices.errors import NotPairedError, PairingCodeError, PairingLockedError

MAX_ATTEMPTS: Final = 5
FIRST_LOCK_S: Final = 30.0
LONGEST_LOCK_S: Final = 900.0
CODE_LIFE_S: Final = 600.0
TOKEN_LIFE_S: Final = 12 * 3600.0
MAX_TOKENS: Final = 32


@dataclass(frozen=True, slots=True)
class _Token:
    digest: bytes
    origin: str
    ends_s: float


class Pairing:
    """Codes and tokens of one running bridge.

    Args:
        now_s: Monotonic seconds.
        show: Called with every new code; it belongs on this machine's screen and nowhere else.
    """

    def __init__(self, now_s: Callable[[], float], show: Callable[[str], None]) -> None:
        self._now_s, self._show = now_s, show
        self._lock = threading.Lock()
        self._tokens: list[_Token] = []
        self._wrong = 0
        self._locks = 0
        self._locked_until_s = 0.0
        self._code = ""
        self._made_s = 0.0
        self._renew()

    def read_code(self) -> str:
        """The code that is valid now."""
        with self._lock:
            self._renew_if_old()
            return self._code

    def pair(self, origin: str, code: str) -> str:
        """A token for the origin.

        Raises:
            PairingCodeError: Not the code.
            PairingLockedError: Too many wrong ones; says when to try again.
        """
        with self._lock:
            self._demand_unlocked()
            self._renew_if_old()
            if not hmac.compare_digest(self._code.encode(), code.encode("utf-8", "replace")):
                self._count_wrong()
                raise PairingCodeError
            self._wrong = self._locks = 0
            self._renew()
            token = secrets.token_urlsafe(32)
            made = _Token(_digest(token), origin, self._now_s() + TOKEN_LIFE_S)
            self._tokens = [*self._tokens, made][-MAX_TOKENS:]
            return token

    def demand(self, origin: str, token: str) -> None:
        """Check a token.

        Raises:
            NotPairedError: Unknown, over, or another origin's.
        """
        if not self.holds(origin, token):
            raise NotPairedError

    def holds(self, origin: str, token: str) -> bool:
        """Whether the token is one of this origin's."""
        given, now_s, found = _digest(token), self._now_s(), False
        for each in self._tokens:
            same = hmac.compare_digest(each.digest, given)
            found |= same and each.origin == origin and each.ends_s > now_s
        return found

    def forget(self, token: str) -> None:
        """End a token."""
        given = _digest(token)
        with self._lock:
            self._tokens = [e for e in self._tokens if not hmac.compare_digest(e.digest, given)]

    def _demand_unlocked(self) -> None:
        left_s = self._locked_until_s - self._now_s()
        if left_s > 0:
            raise PairingLockedError(int(left_s) + 1)

    def _count_wrong(self) -> None:
        self._wrong += 1
        if self._wrong < MAX_ATTEMPTS:
            return
        lock_s = min(FIRST_LOCK_S * 2**self._locks, LONGEST_LOCK_S)
        self._wrong, self._locks = 0, min(self._locks + 1, 10)
        self._locked_until_s = self._now_s() + lock_s
        self._renew()
        raise PairingLockedError(int(lock_s))

    def _renew_if_old(self) -> None:
        if self._now_s() - self._made_s > CODE_LIFE_S:
            self._renew()

    def _renew(self) -> None:
        self._code = f"{secrets.randbelow(1_000_000):06d}"
        self._made_s = self._now_s()
        self._show(self._code)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
