"""A bridge as a real process on a free port, spoken to over real HTTP."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ORIGIN = "http://wuhou.localhost:9101"
OTHER = "http://mianyang.localhost:9102"
END_S = 10


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


@dataclass
class Bridge:
    """A running bridge."""

    process: subprocess.Popen[str]
    port: int
    code: str
    tokens: dict[str, str] = field(default_factory=dict)

    def send(
        self, method: str, path: str, body: object = None, *, origin: str | None = ORIGIN,
        host: str | None = None, token: str | None = None, **more: str,
    ) -> Answer:  # fmt: skip
        """One request, with exactly these headers."""
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if origin is not None:
            headers["Origin"] = origin
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers["Host"] = host or f"127.0.0.1:{self.port}"
        try:
            connection.request(method, path, data, headers)
            got = connection.getresponse()
            found = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, found, got.read())
        finally:
            connection.close()

    def pair(self, origin: str = ORIGIN) -> str:
        """A token of the origin; the code is read off the bridge's own page, as a person would."""
        if origin not in self.tokens:
            page = self.send("GET", "/", origin=None).body.decode()
            code = page.split('class="code">')[1][:6]
            self.tokens[origin] = self.send("POST", "/v1/pair", {"code": code}, origin=origin).json[
                "token"
            ]
        return self.tokens[origin]

    def command(self, path: str, body: object = None, origin: str = ORIGIN) -> Answer:
        """A command of a paired page."""
        return self.send("POST", path, body or {}, origin=origin, token=self.pair(origin))

    def set_hand(self, trouble: str = "", card: str = "borrower") -> None:
        """What the simulator meets next."""
        answer = self.send(
            "POST", "/simulator", f"card={card}&trouble={trouble}".encode(), origin=None,
            Content_Type="application/x-www-form-urlencoded",
        )  # fmt: skip
        assert answer.status == 303


@contextmanager
def run_bridge(path: Path, *options: str) -> Iterator[Bridge]:
    """Start one; its standard error must stay empty of what it handled."""
    command = [sys.executable, "-m", "ledger_node.devices", "--port", "0"]
    command += ["--origin", ORIGIN, "--origin", OTHER, "--delay-s", "0.05", *options]
    with (path / "bridge.err").open("w") as err:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True)
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        assert ready["event"] == "ready"
        yield Bridge(process, int(ready["url"].rsplit(":", 1)[1]), ready["pairing_code"])
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        finally:
            process.kill()
            process.wait(END_S)
            process.stdout.close()
