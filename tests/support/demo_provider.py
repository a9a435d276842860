"""The demonstration's identity provider as a process, and residents who confirm there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from starlette.testclient import TestClient

from api.app import build_app
from ledger_node.core.types import CityId
from ledger_node.demo.provider.tokens import open_key
from ledger_node.edges.identity import HttpIdentityProviders
from ledger_node.ports.identity import Audience, Provider
from ledger_node.wiring import Runtime
from tests.support.ports import find_free_port

NAME = "rongcheng"
HOME = CityId("510107")


@dataclass(frozen=True)
class DemoProvider:
    """A running provider.

    Attributes:
        key_file: Its private key: tests sign what it would never sign.
    """

    issuer: str
    key_file: Path

    def seen_by(self, client_id: str) -> Provider:
        """The provider as a city's settings name it."""
        return Provider(
            NAME, "蓉城实名认证", "Rongcheng", self.issuer, client_id, "", HOME, Audience.CITIZEN
        )

    def visit(self, location: str, person: str) -> str:
        """Go where a node sent the browser and be that person there; the callback's path and query.
        Nobody: the empty text."""
        page = httpx2.get(location)
        assert page.status_code == 200, page.text
        form = {**dict(parse_qsl(urlsplit(location).query)), "person": person}
        answer = httpx2.post(f"{self.issuer}/authorize", data=form, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    def sign(self, claims: dict[str, Any]) -> str:
        """A token under the provider's own key."""
        from joserfc import jwt

        key = open_key(self.key_file)
        return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)


@contextmanager
def running_demo_provider(path: Path, slugs: Sequence[str]) -> Iterator[DemoProvider]:
    """Start the provider for cities at `origin_of(slug)`; ended by its own process id."""
    port, key_file = find_free_port(), path / "provider.jwk"
    command = [sys.executable, "-m", "ledger_node.demo.provider", "--port", str(port)]
    command += ["--key-file", str(key_file)]
    for slug in slugs:
        command += ["--client", f"{slug}|{origin_of(slug)}/login/callback|{slug}"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the provider did not start: exit {process.wait(10)}"
        yield DemoProvider(str(json.loads(line)["issuer"]), key_file)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close() if process.stdout else None


def origin_of(slug: str) -> str:
    """Where a city's pages are in these tests."""
    return f"https://{slug}.localhost"


def with_provider(runtime: Runtime, slug: str, provider: DemoProvider) -> Runtime:
    """The city with the provider in its settings, and pages at `origin_of(slug)`."""
    settings = runtime.settings.model_copy(update={"public_url": origin_of(slug)})
    identity = HttpIdentityProviders([provider.seen_by(slug)], runtime.clock)
    return replace(runtime, settings=settings, identity=identity)


def open_browser(runtime: Runtime) -> TestClient:
    """A browser at a city's pages, not signed in."""
    origin = runtime.settings.origin
    return TestClient(
        build_app(runtime),
        base_url=origin,
        follow_redirects=False,
        headers={"origin": origin, "accept": "text/html"},
    )
