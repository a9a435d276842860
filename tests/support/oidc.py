"""A real identity provider (npm `oidc-provider`) as a process, and browsers that sign in there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from starlette.testclient import TestClient

from tests.support.hall import ORIGIN

SCRIPT = Path(__file__).with_name("oidc_provider.mjs")
SECRET = "secret of the tests' client, long enough for HMAC"
LIFE_S = 120
PEOPLE: dict[str, dict[str, Any]] = {
    "he-yuqing": {
        "name": "何雨晴",
        "id_scheme": "cn-resident-id",
        "id_number": "510107199003070049",
    },
    "liu-min": {"name": "刘敏"},
    "sun-lihua": {"name": "孙丽华", "amr": ["pwd", "mfa"]},
    "stranger": {"name": "无关人员"},
}


@dataclass(frozen=True)
class RunningProvider:
    """Address of the provider's process."""

    issuer: str

    def counted(self) -> dict[str, int]:
        """How often its endpoints were asked."""
        return dict(httpx2.get(f"{self.issuer}/test/counted").json())

    def leave(self, person: str) -> None:
        """The person does not work there any more."""
        assert httpx2.post(f"{self.issuer}/test/leave/{person}").status_code == 200

    def settings(self, name: str, audience: str, issuer: str = "") -> str:
        """Lines of `node.toml` that name it."""
        return f"""
[[identity_providers]]
name = "{name}"
title_zh = "测试平台"
title_en = "Test provider"
issuer = "{issuer or self.issuer}"
client_id = "node"
client_secret_file = "provider.secret"
city = "510107"
audience = "{audience}"
"""

    def visit(self, url: str, person: str) -> str:
        """Go where a node sent the browser, sign in there as the person; returns the address the
        provider sends the browser back to."""
        with httpx2.Client(headers={"test-person": person}, follow_redirects=False) as browser:
            for _ in range(12):
                answer = browser.get(url)
                assert answer.status_code in (302, 303), answer.text[:300]
                url = str(answer.url.join(answer.headers["location"]))
                if url.startswith(ORIGIN):
                    return url
        raise AssertionError("the provider does not send the browser back")


def sign_in_at(provider: RunningProvider, client: TestClient, name: str, person: str) -> Any:
    """The node's answer when the person comes back from the provider."""
    begun = client.get(f"/login/provider/{name}", params={"next": "/"})
    assert begun.status_code == 303, begun.text[:500]
    back = urlsplit(provider.visit(begun.headers["location"], person))
    return client.get(f"{back.path}?{back.query}")


@contextmanager
def running_provider(canary: str = "http://127.0.0.1:9/") -> Iterator[RunningProvider]:
    """Start the provider; it ends with the test, with its time, or with this process.

    Args:
        canary: Address that a discovery document of it names although it is not its own.
    """
    node = shutil.which("node")
    assert node is not None, "node is missing"
    facts = {
        "redirect_uri": f"{ORIGIN}/login/callback",
        "people": PEOPLE,
        "secret": SECRET,
        "life_s": LIFE_S,
        "canary": canary,
    }
    process = subprocess.Popen(
        [node, str(SCRIPT), json.dumps(facts)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=SCRIPT.parents[2],
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the provider did not start: exit {process.wait(10)}"
        yield RunningProvider(str(json.loads(line)["issuer"]))
    finally:
        process.terminate()
        process.wait(10)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
