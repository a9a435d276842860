"""Signed requests to a running node with any part of them changed, sent byte for byte."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from ledger_node.core import message
from ledger_node.core.event_types import KeyRole
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_parts import HttpRequest, MessageStamp
from ledger_node.core.types import CityId
from ledger_node.flows.node import Node


@dataclass(frozen=True)
class Answer:
    """An answer as received."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document; every member the profile wants is there."""
        assert self.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = json.loads(self.body)
        members = {"type", "title", "status", "code", "detail", "detail_zh"}
        assert problem.keys() - {"field", "request_id"} == members
        assert problem["status"] == self.status
        return problem

    @property
    def code(self) -> str:
        """Stable code of a refusal."""
        return str(self.problem["code"])


@dataclass(frozen=True)
class Request:
    """A request to be sent, signed by `signed`."""

    url: str
    path: str
    body: bytes
    headers: Mapping[str, str]

    def send(self, *, host: str = "", method: str = "POST", body: bytes | None = None) -> Answer:
        """Send it; `host` replaces the Host header, `body` what was signed."""
        address = urlsplit(self.url)
        assert address.hostname
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        content = self.body if body is None else body
        try:
            connection.putrequest(method, self.path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host or address.netloc)
            connection.putheader("Content-Length", str(len(content)))
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(content)
            got = connection.getresponse()
            found = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, found, got.read())
        finally:
            connection.close()

    def verified_by(self, answer: Answer, node: Node, city: CityId) -> bool:
        """Whether the answer is signed by the city's current message key for this request."""
        if "signature" not in answer.headers:
            return False
        asked = HttpRequest("POST", self.url, self.path, tuple(self.headers.items()))
        head = message.HttpAnswer(answer.status, tuple(answer.headers.items()))
        now_s = int(node.clock.now().timestamp())
        verified = message.verify_answer(head, asked, city, lambda key: True, now_s)
        message.verify_body(verified, answer.body)
        return True


def signed(
    node: Node,
    url: str,
    path: str,
    body: bytes,
    *,
    signed_url: str = "",
    signed_path: str = "",
    later_s: int = 0,
    city: CityId | None = None,
    components: Sequence[str] = message.REQUEST_COMPONENTS,
    nonce: bytes = b"",
) -> Request:
    """A request signed with `node`'s message key; the arguments change one thing each."""
    key_id = MessageKeyId(city or node.city, node.keys.public_key(KeyRole.MESSAGE))
    stamp = MessageStamp(
        key_id,
        int(node.clock.now().timestamp()) + later_s,
        nonce or os.urandom(16),
        lambda data: node.keys.sign(KeyRole.MESSAGE, data),
    )
    covered = message.REQUEST_COMPONENTS
    try:
        message.REQUEST_COMPONENTS = tuple(components)
        headers = message.sign_request("POST", signed_url or url, signed_path or path, body, stamp)
    finally:
        message.REQUEST_COMPONENTS = covered
    return Request(url, path, body, headers)


def unsigned(request: Request, *names: str) -> Request:
    """Without some of its headers, or all."""
    kept = {n: v for n, v in request.headers.items() if names and n not in names}
    return replace(request, headers=kept)
