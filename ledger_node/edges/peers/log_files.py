"""Public files of cities' logs, fetched as anybody may: no key, no signature, no redirects."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2

from ledger_node.core.checkpoint import build_origin
from ledger_node.core.cosignature import hash_origin
from ledger_node.core.types import CityId
from ledger_node.edges.http import open_client
from ledger_node.ports.peers import LogFileRefusedError, PeerUnavailableError

CHUNK_BYTES = 1024 * 1024
TIMEOUT_S = 10.0
MAX_FILE_BYTES = 1024 * 1024
_BUSY = (408, 425, 429)


class HttpLogFiles:
    """Reader of the members' logs; `url_of` names the registered addresses."""

    def __init__(self, url_of: Callable[[CityId], str]) -> None:
        """Contact nobody but the addresses that `url_of` returns."""
        self._url_of = url_of
        self._client = open_client()

    def close(self) -> None:
        """Close kept-alive connections."""
        self._client.close()

    def fetch_log_file(self, city: CityId, path: str, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
        """See `ports.peers.Peers.fetch_log_file`."""
        return fetch_log_file(self._client, self._url_of(city), city, path, max_bytes)


class MirrorLogFiles:
    """Reader of all logs from one mirror: `<url>/<hash of the origin>/<tile path>`."""

    def __init__(self, url: str, domain: str) -> None:
        """Contact nobody but `url`; `domain` is the consortium's, for the origins."""
        self._url = url.rstrip("/")
        self._domain = domain
        self._client = open_client()

    def close(self) -> None:
        """Close kept-alive connections."""
        self._client.close()

    def fetch_log_file(self, city: CityId, path: str) -> bytes:
        """File `/log/<generation>/<tile path>` of a city; raises as `fetch_log_file`."""
        generation, _, tile = path.removeprefix("/log/").partition("/")
        origin = build_origin(self._domain, city, int(generation))
        url = f"{self._url}/{hash_origin(origin)}/"
        return fetch_log_file(self._client, url, city, tile, MAX_FILE_BYTES)


def fetch_log_file(
    client: httpx2.Client, url: str, city: CityId, path: str, max_bytes: int
) -> bytes:
    """One public file of the log at `url`.

    Raises:
        LogFileRefusedError: The node answers and does not serve it.
        PeerUnavailableError: It cannot be had.
    """
    try:
        with client.stream("GET", url + path, timeout=TIMEOUT_S) as response:
            status = response.status_code
            if status >= 500 or status in _BUSY:
                raise PeerUnavailableError(city, f"HTTP {status}")
            if status != 200:
                raise LogFileRefusedError(city, f"HTTP {status}")
            return b"".join(read_capped(city, response, max_bytes))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise PeerUnavailableError(city, type(error).__name__) from error


def read_capped(city: CityId, response: httpx2.Response, limit_bytes: int) -> Iterator[bytes]:
    """Body of an answer in pieces.

    Raises:
        PeerUnavailableError: It is longer than `limit_bytes`.
    """
    read = 0
    for chunk in response.iter_bytes(CHUNK_BYTES):
        read += len(chunk)
        if read > limit_bytes:
            raise PeerUnavailableError(city, f"more than {limit_bytes} bytes")
        yield chunk
