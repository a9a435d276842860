"""`ports.identity.IdentityProviders` over HTTP.

Invariants:
    * Only issuers of the settings are contacted, and only at their own origin: an endpoint that a
      discovery document puts elsewhere is refused, so that no document can send the node anywhere.
    * No redirects, no proxy or credentials from the environment, bounded answers.
    * Secrets and tokens never reach an error or a log line.
Spec: OpenID Connect Discovery 1.0 section 4, RFC 6749 section 4.1.3, RFC 7636.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from ledger_node.edges.http import open_client
from ledger_node.ports.clock import Clock
from ledger_node.ports.identity import (
    IdentityProviderUnavailableError,
    Provider,
    Tokens,
)

MAX_ANSWER_BYTES = 256 * 1024
TIMEOUT_S = 5.0
KEPT_S = 600.0
FRESH_AFTER_S = 10.0  # a stranger's token with an unknown key id makes no flood of requests
DISCOVERY = "/.well-known/openid-configuration"


class HttpIdentityProviders:
    """Client of every configured provider; safe to share between threads."""

    def __init__(self, providers: Sequence[Provider], clock: Clock) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._clock = clock
        self._client = open_client(TIMEOUT_S)
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    @property
    def providers(self) -> Mapping[str, Provider]:
        return self._providers

    def fetch_authorization_endpoint(self, provider: Provider) -> str:
        """See the port."""
        return self._endpoint(provider, "authorization_endpoint")

    def fetch_keys(self, provider: Provider, *, fresh: bool = False) -> Mapping[str, Any]:
        """See the port."""
        url = self._endpoint(provider, "jwks_uri")
        keys = self._get(provider, url, FRESH_AFTER_S if fresh else KEPT_S)
        if not isinstance(keys.get("keys"), list):
            raise IdentityProviderUnavailableError(provider.name, "keys")
        return keys

    def redeem(self, provider: Provider, form: Mapping[str, str]) -> Tokens:
        """See the port."""
        url = self._endpoint(provider, "token_endpoint")
        data, auth = dict(form), None
        if provider.client_secret:
            auth = (quote(provider.client_id, safe=""), quote(provider.client_secret, safe=""))
        else:
            data["client_id"] = provider.client_id
        status, answer = self._ask(provider, "POST", url, data, auth)
        if status in (400, 401, 403):
            return Tokens(refused=str(answer.get("error") or status)[:64])
        if status != 200 or not isinstance(answer.get("id_token", ""), str):
            raise IdentityProviderUnavailableError(provider.name, f"token endpoint {status}")
        refresh = answer.get("refresh_token")
        return Tokens(answer.get("id_token", ""), refresh if isinstance(refresh, str) else "")

    def close(self) -> None:
        """Close kept-alive connections."""
        self._client.close()

    def _endpoint(self, provider: Provider, name: str) -> str:
        document = self._get(provider, provider.issuer.rstrip("/") + DISCOVERY, KEPT_S)
        if document.get("issuer") != provider.issuer:
            raise IdentityProviderUnavailableError(provider.name, "issuer")
        url = document.get(name)
        if not isinstance(url, str) or not is_same_origin(url, provider.issuer):
            raise IdentityProviderUnavailableError(provider.name, name)
        return url

    def _get(self, provider: Provider, url: str, kept_s: float) -> dict[str, Any]:
        now_s = self._clock.monotonic_s()
        with self._lock:
            kept = self._kept.get(url)
        if kept is not None and now_s - kept[0] < kept_s:
            return kept[1]
        status, answer = self._ask(provider, "GET", url, None, None)
        if status != 200:
            raise IdentityProviderUnavailableError(provider.name, f"status {status}")
        with self._lock:
            self._kept[url] = (now_s, answer)
        return answer

    def _ask(
        self,
        provider: Provider,
        method: str,
        url: str,
        data: dict[str, str] | None,
        auth: tuple[str, str] | None,
    ) -> tuple[int, dict[str, Any]]:
        headers = {"accept": "application/json"}
        try:
            with self._client.stream(
                method, url, data=data, auth=auth, headers=headers
            ) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise IdentityProviderUnavailableError(provider.name, "too long")
                answer = json.loads(bytes(content))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError) as error:
            reason = type(error).__name__
            raise IdentityProviderUnavailableError(provider.name, reason) from error
        if not isinstance(answer, dict):
            raise IdentityProviderUnavailableError(provider.name, "not an object")
        return response.status_code, answer


def is_same_origin(url: str, issuer: str) -> bool:
    """Whether an address is at the issuer's own scheme, name and port, without credentials."""
    try:
        one, other = urlsplit(url), urlsplit(issuer)
        ports = (one.port, other.port)
    except ValueError:
        return False
    plain = one.username is None and one.password is None
    return plain and (one.scheme, one.hostname, ports[0]) == (
        other.scheme,
        other.hostname,
        ports[1],
    )
