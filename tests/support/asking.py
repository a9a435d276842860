"""Raw JSON-RPC to a chain on this machine, without our client."""

from __future__ import annotations

import ssl
from typing import Any, Final

import httpx2

# Loading the trust store takes longer than the whole question, and plain HTTP needs none.
TRUSTS_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TIMEOUT_S: Final = 10


def ask_chain(url: str, method: str, *params: Any) -> Any:
    """The `result` of one call.

    Raises:
        AssertionError: The chain answered with an error.
        httpx2.HTTPError: It did not answer.
    """
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    response = httpx2.post(url, json=question, timeout=TIMEOUT_S, verify=TRUSTS_NOBODY)
    answer = response.json()
    assert "error" not in answer, answer
    return answer["result"]
