"""People at a city's HTTP API: signed-in clients over the real application of a runtime."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import build_app
from ledger_node.wiring import Runtime
from tests.support.hall import begin_headers, make_account

RAW = {"content-type": "application/octet-stream"}
LIMITS = {
    "api_requests_per_account_per_minute": 10**6,
    "api_requests_per_address_per_minute": 10**6,
    "api_requests_per_minute": 10**6,
}
_keys = itertools.count(1)


def build_unlimited(runtime: Runtime, **changes: Any) -> FastAPI:
    """The city's application with limits that a test does not reach."""
    settings = runtime.settings.model_copy(update={**LIMITS, **changes})
    return build_app(replace(runtime, settings=settings))


def sign_in_headers(runtime: Runtime, role: str, officer: str | None = None) -> dict[str, str]:
    """Headers of a session of a new account."""
    changes = {} if officer is None else {"officer": officer}
    headers = begin_headers(
        runtime.node, role, lambda name: make_account(runtime.node, name, **changes)
    )
    return {"origin": runtime.settings.origin, **headers}


def open_desk(app: FastAPI, runtime: Runtime, role: str, officer: str | None = None) -> TestClient:
    """A client that is signed in."""
    return TestClient(
        app, base_url=runtime.settings.origin, headers=sign_in_headers(runtime, role, officer)
    )


def new_key() -> dict[str, str]:
    """A key nobody used."""
    return {"Idempotency-Key": f"test-key-{next(_keys):06}"}


def post(client: TestClient, path: str, body: Any, status: int) -> Any:
    """A change with a key of its own; its answer."""
    answer = client.post(path, json=body, headers=new_key())
    assert answer.status_code == status, answer.text
    return answer.json()


def get(client: TestClient, path: str) -> Any:
    """A reading; its answer."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def upload(client: TestClient, data: bytes, media_type: str = "application/pdf") -> str:
    """A filled slot."""
    slot = post(client, "/api/v1/uploads", {"media_type": media_type}, 201)
    sent = client.put(f"/api/v1/uploads/{slot['upload_id']}", content=data, headers=RAW)
    assert sent.status_code == 200, sent.text
    return str(slot["upload_id"])
