"""One city's application without a chain process, and people who sign in to it.

`open_hall(path)` makes keys, database and settings; `hall.sign_in("registrar")` makes an account of
the role and a client that carries its session, form token and origin, as its browser would. Tests
that need materials or a chain take the harnesses of `consortium` and `cities` instead and may still
use `make_account` and `begin_headers`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from api.access import COOKIE, CSRF_HEADER
from api.app import build_app
from ledger_node.core.access import SECOND_FACTOR, Role
from ledger_node.core.sealed import Subject
from ledger_node.edges.clock import SystemClock, system_entropy
from ledger_node.edges.keys.city_keys import generate_city_keys
from ledger_node.flows.accounts import MadeAccount, NewAccount, add_account
from ledger_node.flows.administering import OutletTakenError, add_outlet
from ledger_node.flows.node import Node
from ledger_node.flows.sequencing import open_log
from ledger_node.flows.sessions import begin_citizen_session, begin_session, derive_csrf_token
from ledger_node.ports.database_accounts import OutletRow
from ledger_node.wiring import Runtime, keys_path, open_runtime

ORIGIN = "https://wuhou.localhost"
OUTLET = "hall"
PASSWORD = "a sentence nobody guesses"
PERSON = Subject("cn-resident-id", "510107199003070049", "何雨晴")
_numbers = itertools.count(1)


class MovedClock(SystemClock):
    """The machine's clock, moved on by tests."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        super().__init__(stop)
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead.total_seconds()


@dataclass
class Hall:
    """A city's application, and its people."""

    runtime: Runtime
    app: FastAPI
    clock: MovedClock
    people: dict[str, MadeAccount] = field(default_factory=dict)

    def client(self, **headers: str) -> TestClient:
        """A browser that is not signed in, or with the given headers; at an address of its own,
        because attempts to sign in are counted by address."""
        number = next(_numbers)
        return TestClient(
            self.app,
            base_url=ORIGIN,
            follow_redirects=False,
            headers={"origin": ORIGIN, **headers},
            client=(f"10.0.{number // 250}.{number % 250}", 50_000),
        )

    def person(self, role: str) -> MadeAccount:
        """The account of a role, made at first use."""
        if role not in self.people:
            self.people[role] = make_account(self.runtime.node, role)
        return self.people[role]

    def account_id(self, role: str) -> str:
        """Account of whoever is signed in as the role; of `PERSON` for citizens."""
        if role == "citizen":
            tag = self.runtime.node.keys.compute_index_tag(PERSON.scheme, PERSON.number)
            return f"citizen/{tag.hex()}"
        return self.person(role).row.account_id

    def sign_in(self, role: str) -> TestClient:
        """A client signed in as the role; `citizen` is `PERSON`, `system` shows its key."""
        return self.client(**begin_headers(self.runtime.node, role, self.person))


def make_account(node: Node, role: str, **changes: Any) -> MadeAccount:
    """An account of a role; window roles get an officer of the same name and the outlet `OUTLET`,
    which is made with the first."""
    number = next(_numbers)
    machine = role == "system"
    at_window = role in {"registrar", "reviewer", "supervisor"}
    new = NewAccount(
        login=f"{role}-{number}",
        display_name=f"人员{number}",
        roles=frozenset({Role(role)}),
        password=None if machine else PASSWORD,
        officer=f"{role}-01" if at_window else None,
        outlet=OUTLET if at_window else None,
        system="zongchuang" if machine else None,
    )
    new = replace(new, **changes)
    if new.outlet == OUTLET:
        with suppress(OutletTakenError):
            add_outlet(node, OutletRow(OUTLET, "大厅", "Main hall"))
    return add_account(node, new)


def begin_headers(node: Node, role: str, person: Any) -> dict[str, str]:
    """Headers of a session (or key) of the role; `person(role)` gives its account."""
    if role == "citizen":
        return session_headers(begin_citizen_session(node, PERSON, None))
    made: MadeAccount = person(role)
    if role == "system":
        return {"authorization": f"Bearer {made.key}"}
    factor = Role(role) in SECOND_FACTOR
    return session_headers(begin_session(node, made.row, second_factor=factor))


def session_headers(token: str) -> dict[str, str]:
    """Cookie and form token of a session."""
    return {"cookie": f"{COOKIE}={token}", CSRF_HEADER: derive_csrf_token(token)}


@contextmanager
def open_hall(path: Path, settings: str = "", secret: str = "") -> Iterator[Hall]:
    """Open a city under `path`; `settings` are further lines of `node.toml`, `secret` that of the
    identity providers in them."""
    city = path / "city"
    city.mkdir(parents=True, exist_ok=True)
    govern = path / "govern"
    generate_city_keys(keys_path(city), govern, system_entropy)
    if secret:
        secret_file = keys_path(city) / "provider.secret"
        secret_file.touch(0o600)
        secret_file.write_text(secret)
    (city / "node.toml").write_text(
        f"""city = "510107"
city_name = "武侯"
consortium = "tongban.example"
url = "http://127.0.0.1:9"
public_url = "{ORIGIN}"
api_requests_per_account_per_minute = 100000
api_requests_per_address_per_minute = 100000
api_requests_per_minute = 100000
{settings}
[chain]
rpc_url = "http://127.0.0.1:9"
chain_id = 7107
genesis_hash = "{"11" * 32}"
membership = "{"22" * 20}"
"""
    )
    opened = open_runtime(city)
    clock = MovedClock()
    runtime = replace(opened, node=replace(opened.node, clock=clock), clock=clock)
    open_log(runtime.node)
    try:
        yield Hall(runtime, build_app(runtime), clock)
    finally:
        opened.close()
