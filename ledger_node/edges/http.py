"""How this node calls others over HTTP: nowhere but where it was told to.

Invariants:
    * No redirects, no proxy or credentials from the environment.
    * Certificates are checked against one trust store, loaded once per process (loading takes
      longer than opening the node's database).
"""

from __future__ import annotations

import ssl
from functools import cache

import httpx2


def open_client(timeout_s: float = 10.0) -> httpx2.Client:
    """A client that is safe to share between threads; the caller closes it.

    Args:
        timeout_s: Longest wait for a connection, and for each piece of an answer.
    """
    return httpx2.Client(
        verify=_load_trust_store(), trust_env=False, follow_redirects=False, timeout=timeout_s
    )


@cache
def _load_trust_store() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=False)
