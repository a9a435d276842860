"""Faults at named boundaries of a whole node, in wrappers around its ports.

A commit is named by the rows it moves (`outgoing:confirmed`, `outbox:consume:submitted`, …), any
other effect by port and method (`chain.send_transactions`, `peers.send /peer/v1/releases`). Which
fault fires, and that it fired, stands in files, because the node under test is another process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ledger_node.flows.node import Node
from ledger_node.ports.database import DatabaseUnavailableError
from ledger_node.wiring import Runtime
from tests.integration.processes import AFTER, BEFORE, DIED, FAILED_BUT_PERSISTED

PORTS = ("chain", "documents", "peers")
GROUPS = ("releases", "grants", "outbox", "reuse")


class Faults:
    """One fault at a time: armed from outside, fires once, leaves a mark when it fired."""

    def __init__(self, path: Path) -> None:
        self._armed, self._fired = path.with_suffix(".armed"), path.with_suffix(".fired")

    def arm(self, name: str, mode: str) -> None:
        """The next passage of `name` fires."""
        self._fired.unlink(missing_ok=True)
        draft = self._armed.with_suffix(".draft")
        draft.write_text(json.dumps([name, mode]))
        draft.rename(self._armed)

    def has_fired(self) -> bool:
        """Whether the armed fault fired."""
        return self._fired.exists()

    def disarm(self) -> None:
        """Nothing fires any more."""
        self._armed.unlink(missing_ok=True)

    def run(self, names: Callable[[], set[str]], effect: Callable[[], Any]) -> Any:
        """Do `effect`, and what is armed for one of its names; the mark is left by one process."""
        self.before(names())
        result = effect()
        self.after(names())
        return result

    def before(self, names: set[str]) -> None:
        """Passing a boundary whose effect comes now."""
        if self._takes(names, {BEFORE}):
            os._exit(DIED)

    def after(self, names: set[str]) -> None:
        """Passing a boundary whose effect is there."""
        if self._takes(names, {AFTER}):
            os._exit(DIED)
        if self._takes(names, {FAILED_BUT_PERSISTED}):
            raise DatabaseUnavailableError("fault injected: the effect is there")

    def _takes(self, names: set[str], modes: set[str]) -> bool:
        try:
            name, mode = json.loads(self._armed.read_text())
        except FileNotFoundError:
            return False
        if name not in names or mode not in modes:
            return False
        try:
            self._armed.rename(self._fired)  # one thread wins
        except FileNotFoundError:
            return False
        return True


class _Group:
    """A group of a transaction that notes which rows it moves."""

    def __init__(self, group: Any, names: set[str]) -> None:
        self._group, self._names = group, names

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._group, method)

        def call(*args: Any, **kwargs: Any) -> Any:
            name = _name_of(method, args)
            result = target(*args, **kwargs)
            if name is not None and result is not False:
                self._names.add(name)
            return result

        return call


def _name_of(method: str, args: tuple[Any, ...]) -> str | None:
    if method == "save_release":
        return f"{args[0].direction}:{args[0].state}"
    if method == "advance_release" and args[0].state != args[1].state:
        return f"{args[1].direction}:{args[1].state}"
    if method == "advance_step" and args[0].state != args[1].state:
        return f"step:{args[1].state}"
    if method == "advance_run" and args[0].state != args[1].state:
        return f"run:{args[1].state}"
    if method == "save_transaction":
        return f"outbox:{args[0].kind}:{args[0].state}"
    if method == "advance_transaction" and args[0].state != args[1].state:
        return f"outbox:{args[1].kind}:{args[1].state}"
    return {"save_grant": "grant:stored", "set_record_outbox": "grant:linked"}.get(method)


class _Transaction:
    def __init__(self, tx: Any, names: set[str]) -> None:
        self._tx, self._names = tx, names

    def __getattr__(self, group: str) -> Any:
        target = getattr(self._tx, group)
        return _Group(target, self._names) if group in GROUPS else target


class FaultyDatabase:
    """Fires just before a commit that moves a named row, or after it."""

    def __init__(self, database: Any, faults: Faults) -> None:
        self._database, self._faults = database, faults

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        names: set[str] = set()
        with self._database.transaction() as tx:
            yield _Transaction(tx, names)
            self._faults.before(names)
        self._faults.after(names)

    def read(self) -> Any:
        return self._database.read()

    def close(self) -> None:
        self._database.close()


class FaultyPort:
    """Fires before or after a method; messages to peers are named by their path."""

    def __init__(self, port: Any, name: str, faults: Faults) -> None:
        self._port, self._name, self._faults = port, name, faults

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._port, method)
        if not callable(target):
            return target

        def call(*args: Any, **kwargs: Any) -> Any:
            name = f"{self._name}.{method}" + (
                f" {args[1]}" if self._name == "peers" and args else ""
            )
            return self._faults.run(lambda: {name}, lambda: target(*args, **kwargs))

        return call


def with_faults(node: Node, faults: Faults) -> Node:
    """The node with its ports wrapped."""
    ports: dict[str, Any] = {name: FaultyPort(getattr(node, name), name, faults) for name in PORTS}
    return replace(node, database=FaultyDatabase(node.database, faults), **ports)


def wrap_runtime(runtime: Runtime, faults: Faults) -> Runtime:
    """The runtime around the wrapped node."""
    return replace(runtime, node=with_faults(runtime.node, faults))
