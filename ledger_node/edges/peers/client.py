"""`ports.peers.Peers` over HTTP: sign, send, verify the answer, keep both as evidence.

Steps 6, 8 and 10. Profile of the signatures: `core/message.py`, docs/spec/messages.md.

Invariants:
    * Only addresses of the directory (the contract `Membership`) are contacted; no redirects, no
      proxy or credentials from the environment.
    * An answer counts only when the asked city signed it for exactly this request; an unsigned
      refusal is treated like silence.
    * No more bytes are read than the caller allows.
Not here: what messages mean (flows), replay of nonces (api).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from ledger_node.core.errors import VerificationError
from ledger_node.core.message import (
    SIGNATURE_HEADERS,
    sign_request,
    verify_answer,
    verify_body,
)
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_parts import (
    NONCE_BYTES,
    HeaderLines,
    HttpAnswer,
    HttpRequest,
    MessageStamp,
)
from ledger_node.core.signed_head import SignedAnswerHead, SignedHead
from ledger_node.core.types import CityId
from ledger_node.edges.http import open_client
from ledger_node.edges.peers.log_files import fetch_log_file, read_capped
from ledger_node.ports.clock import Clock, Entropy
from ledger_node.ports.keys import CityKeys, KeyRole
from ledger_node.ports.peers import (
    Directory,
    Journal,
    PeerAnswer,
    PeerRefusedError,
    PeerUnavailableError,
)

MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_PROBLEM_BYTES = 64 * 1024


class HttpPeers:
    """Client of one city; safe to share between threads."""

    def __init__(
        self,
        city: CityId,
        directory: Directory,
        keys: CityKeys,
        clock: Clock,
        entropy: Entropy,
        journal: Journal,
    ) -> None:
        self._city = city
        self._directory = directory
        self._keys = keys
        self._clock = clock
        self._entropy = entropy
        self._journal = journal
        self._client = open_client()

    def close(self) -> None:
        """Close kept-alive connections."""
        self._client.close()

    def send(self, city: CityId, path: str, body: bytes, *, timeout_s: float = 10.0) -> PeerAnswer:
        """See `ports.peers.Peers.send`."""
        with self._post(city, path, body, timeout_s) as (request, response):
            content = b"".join(read_capped(city, response, MAX_ANSWER_BYTES))
            self._verify(city, request, response, content)
            _raise_problem(city, response.status_code, content)
        sent = SignedHead(request.registered_url, request.path, _covered(request.headers))
        headers = _covered(tuple(response.headers.multi_items()))
        return PeerAnswer(content, SignedAnswerHead(sent, response.status_code, headers))

    def fetch_blob(
        self, city: CityId, path: str, body: bytes, *, max_bytes: int
    ) -> Iterator[bytes]:
        """See `ports.peers.Peers.fetch_blob`: the signed digest is in the answer's head, and the
        caller checks the bytes against the digest it already knows."""
        with self._post(city, path, body, 60.0) as (request, response):
            if response.status_code != 200:
                content = b"".join(read_capped(city, response, MAX_PROBLEM_BYTES))
                self._verify(city, request, response, content)
                _raise_problem(city, response.status_code, content)
            self._verify(city, request, response, None)
            yield from read_capped(city, response, max_bytes)

    def fetch_log_file(self, city: CityId, path: str, *, max_bytes: int = 1 << 20) -> bytes:
        """See `ports.peers.Peers.fetch_log_file`."""
        return fetch_log_file(self._client, self._directory.url_of(city), city, path, max_bytes)

    @contextmanager
    def _post(
        self, city: CityId, path: str, body: bytes, timeout_s: float
    ) -> Iterator[tuple[HttpRequest, httpx2.Response]]:
        url = self._directory.url_of(city)
        headers = sign_request("POST", url, path, body, self._stamp())
        headers["content-type"] = "application/json"
        request = HttpRequest("POST", url, path, tuple(headers.items()))
        self._journal(city, path.rsplit("/", 1)[-1], hashlib.sha256(body).digest())
        try:
            with self._client.stream(
                "POST", url + path, content=body, headers=headers, timeout=timeout_s
            ) as response:
                yield request, response
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise PeerUnavailableError(city, type(error).__name__) from error

    def _stamp(self) -> MessageStamp:
        def sign(message: bytes) -> bytes:
            return self._keys.sign(KeyRole.MESSAGE, message)

        key_id = MessageKeyId(self._city, self._keys.public_key(KeyRole.MESSAGE))
        now_s = int(self._clock.now().timestamp())
        return MessageStamp(key_id, now_s, self._entropy(NONCE_BYTES), sign)

    def _verify(
        self, city: CityId, request: HttpRequest, response: httpx2.Response, body: bytes | None
    ) -> None:
        answer = HttpAnswer(response.status_code, tuple(response.headers.multi_items()))

        def is_message_key(key_id: MessageKeyId) -> bool:
            return self._directory.is_message_key(key_id.city, key_id.key)

        now_s = int(self._clock.now().timestamp())
        try:
            verified = verify_answer(answer, request, city, is_message_key, now_s)
            if body is not None:
                verify_body(verified, body)
        except VerificationError as error:
            raise PeerUnavailableError(
                city, f"HTTP {response.status_code}, {error.code}"
            ) from error


def _covered(headers: HeaderLines) -> dict[str, str]:
    return {name.lower(): value for name, value in headers if name.lower() in SIGNATURE_HEADERS}


def _raise_problem(city: CityId, status: int, content: bytes) -> None:
    """Turn a signed problem answer into a typed error; 2xx passes."""
    if 200 <= status < 300:
        return
    try:
        problem = json.loads(content)
        code, zh, en = (str(problem[name])[:500] for name in ("code", "detail_zh", "detail"))
    except (ValueError, KeyError, TypeError) as error:
        raise PeerUnavailableError(city, f"HTTP {status}") from error
    if status >= 500:
        raise PeerUnavailableError(city, code)
    raise PeerRefusedError(city, status, code, zh, en)
