"""`ports.case_systems.CaseSystems` over HTTP: one signed POST per event; a file in its watched
folder for a system without an interface.

Invariants:
    * Only the origin of the settings is called; no redirects, nothing from the environment.
    * What a system answers is not read beyond its status.
Profile of the signature: `core/message.py`; the event's number travels in the signed body.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2

from ledger_node.core.message import sign_request
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_parts import NONCE_BYTES, MessageStamp
from ledger_node.core.types import CityId
from ledger_node.edges.case_systems.folder import EVENTS, write_whole
from ledger_node.edges.http import open_client
from ledger_node.ports.case_systems import CaseSystem, CaseSystemUnavailableError
from ledger_node.ports.clock import Clock, Entropy
from ledger_node.ports.keys import CityKeys, KeyRole

TIMEOUT_S = 10.0


class HttpCaseSystems:
    """Client of every configured case system; safe to share between threads."""

    def __init__(
        self,
        city: CityId,
        systems: Sequence[CaseSystem],
        keys: CityKeys,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._city = city
        self._systems = {each.system: each for each in systems}
        self._keys = keys
        self._clock = clock
        self._entropy = entropy
        self._client = open_client(TIMEOUT_S)

    @property
    def systems(self) -> Mapping[str, CaseSystem]:
        """See the port."""
        return self._systems

    def deliver(self, system: str, event_id: int, body: bytes) -> None:
        """See the port."""
        to = self._systems.get(system)
        if to is not None and to.folder is not None:
            self._leave(to.system, to.folder / EVENTS, event_id, body)
            return
        if to is None or not to.callback_origin:
            raise CaseSystemUnavailableError(system, "no callback")
        headers = sign_request("POST", to.callback_origin, to.callback_path, body, self._stamp())
        headers["content-type"] = "application/json"
        try:
            with self._client.stream(
                "POST", to.callback_origin + to.callback_path, content=body, headers=headers
            ) as response:
                status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise CaseSystemUnavailableError(system, type(error).__name__) from error
        if not 200 <= status < 300:
            raise CaseSystemUnavailableError(system, f"HTTP {status}")

    def _leave(self, system: str, directory: Path, event_id: int, body: bytes) -> None:
        """Into the watched folder; the same event again replaces itself."""
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(directory / f"{event_id:012d}.json", body, self._entropy)
        except OSError as error:
            raise CaseSystemUnavailableError(system, type(error).__name__) from error

    def close(self) -> None:
        """Close kept-alive connections."""
        self._client.close()

    def _stamp(self) -> MessageStamp:
        def sign(message: bytes) -> bytes:
            return self._keys.sign(KeyRole.MESSAGE, message)

        key_id = MessageKeyId(self._city, self._keys.public_key(KeyRole.MESSAGE))
        now_s = int(self._clock.now().timestamp())
        return MessageStamp(key_id, now_s, self._entropy(NONCE_BYTES), sign)
