"""A town left running: five cities with staff and residents, and what stands around them.

`make serve` opens it for a person, the browser tests for themselves. Every process listens on
127.0.0.1, is bounded in time, and is ended by its own process id.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.types import Commitment
from ledger_node.demo.case_system import CITY, join_case_system, start_case_system
from ledger_node.demo.device_bridge import join_device_bridge, start_device_bridge
from ledger_node.demo.identity_provider import (
    join_identity_provider,
    pin_identity_provider,
    start_identity_provider,
)
from ledger_node.demo.papers import build_papers
from ledger_node.demo.people import RESIDENTS, build_earlier_papers, find_resident
from ledger_node.demo.staff import OFFICERS, Account, seed_accounts
from ledger_node.demo.stage import Stage
from ledger_node.demo.window import Window
from ledger_node.flows.enrolling import enrol_officer
from ledger_node.wiring import configure_logging, open_officer_keys

READY_S: Final = 60.0


@dataclass
class Town:
    """The running town.

    Attributes:
        stage: Its processes.
        accounts: Seeded accounts, with the passwords of the demonstration.
    """

    stage: Stage
    accounts: list[Account] = field(default_factory=list)

    def open(self, tell: Callable[[str], None]) -> dict[str, Any]:
        """Start everything, seed it, wait until the papers are recorded; returns the facts.

        Raises:
            StageError: A process did not start.
        """
        tell("建链，五城入盟 / founding the consortium")
        self.stage.start_chain()
        self.stage.found()
        beside = join_case_system(self.stage)
        bridge = join_device_bridge(self.stage)
        identity = join_identity_provider(self.stage)
        tell("启动五个节点 / starting five nodes")
        self.stage.start_nodes()
        tell("启动设备桥（模拟设备）/ starting the device bridge with simulated devices")
        start_device_bridge(self.stage, bridge)
        tell("登记经办人与账号 / officers and accounts")
        entries = self._enrol_officers()
        for slug in self.stage.plans:
            self.accounts += seed_accounts(self.stage.open(slug), slug)
        tell("启动综合窗口系统（模拟）/ starting the simulated case system")
        start_case_system(self.stage, beside, self._find_key(CITY))
        tell("启动实名认证平台（模拟）/ starting the simulated identity provider")
        start_identity_provider(self.stage, identity)
        entries += pin_identity_provider(self.stage)
        tell("居民先前交过的材料 / papers residents handed in before")
        entries += self._register_papers()
        for slug, commitments in _by_city(entries).items():
            self.stage.wait(
                lambda s=slug, c=commitments: Window(self.stage, s).is_anchored(c),  # type: ignore[misc]
                "anchors",
                READY_S,
            )
        self.stage.close_runtimes()
        return self.describe()

    def describe(self) -> dict[str, Any]:
        """Links, accounts and residents for people and programs."""
        return {
            "cities": {slug: plan.public_url for slug, plan in self.stage.plans.items()},
            "accounts": [account.as_json() for account in self.accounts],
            "residents": [
                {
                    "slug": each.slug,
                    "name": each.person.name,
                    "number": each.person.number,
                    "scheme": each.person.scheme,
                    "home": each.home,
                    "zh": each.zh,
                    "en": each.en,
                }
                for each in RESIDENTS
            ],
            "links": dict(self.stage.links),
            "rpc": self.stage.rpc,
        }

    def _find_key(self, slug: str) -> str:
        """Bearer key of a city's machine account."""
        return next(each.key for each in self.accounts if each.city == slug and each.key)

    def _enrol_officers(self) -> list[tuple[str, Commitment]]:
        entries = []
        for slug in self.stage.plans:
            node = self.stage.open(slug).node
            keys = open_officer_keys(self.stage.path / slug)
            for suffix, role in OFFICERS:
                officer = f"{slug}-{suffix}"
                public = keys.create(officer, node.entropy)
                row = enrol_officer(node, officer, OfficerRole(role), public)
                entries.append((slug, row.commitment))
        return entries

    def _register_papers(self) -> list[tuple[str, Commitment]]:
        borrower = find_resident("borrower")
        papers = [("wuhou", borrower, paper) for paper in build_papers(borrower.person)]
        return [
            (slug, Window(self.stage, slug).register(paper, resident.person).commitment)
            for slug, resident, paper in [*papers, *build_earlier_papers()]
        ]


def _by_city(entries: list[tuple[str, Commitment]]) -> dict[str, list[Commitment]]:
    grouped: dict[str, list[Commitment]] = {}
    for slug, commitment in entries:
        grouped.setdefault(slug, []).append(commitment)
    return grouped


def serve_town(keep: Path | None, minutes: float, *, as_json: bool) -> int:
    """Run a town until SIGTERM, SIGINT or the end of its time; exit code 0.

    Args:
        keep: Directory for its data; a temporary one is removed at the end.
        as_json: One line of facts on standard output instead of a page for people.

    Raises:
        StageError: A process did not start, or ended by itself.
    """
    configure_logging(json_lines=True)
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        asked.append(number)

    def tell(text: str) -> None:
        stream = sys.stderr if as_json else sys.stdout
        stream.write(f"{text}\n")
        stream.flush()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    with _directory(keep) as path:
        stage = Stage(path)
        try:
            facts = Town(stage).open(tell)
            told = json.dumps(facts, ensure_ascii=False) if as_json else tell_links(facts)
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()
            ends_s = stage.clock.monotonic_s() + minutes * 60
            stage.wait(lambda: asked or stage.clock.monotonic_s() > ends_s, "", float("inf"))
        finally:
            stage.close()
            for number, handler in previous.items():
                signal.signal(number, handler)
    return 0


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="tongban-town-") as made:
            yield Path(made)
        return
    keep.mkdir(parents=True, exist_ok=True, mode=0o700)
    yield keep


def tell_links(facts: dict[str, Any]) -> str:
    """The facts for a person: where to go, with which account."""
    lines = ["", "五座城市 / five cities"]
    lines += [f"  {slug:<9} {url}" for slug, url in facts["cities"].items()]
    lines += [f"  {name:<9} {url}" for name, url in facts["links"].items()]
    lines += ["", "账号（仅供演示）/ accounts, for this demonstration only"]
    for each in facts["accounts"]:
        totp = f"  TOTP {each['totp']}" if each.get("totp") else ""
        lines.append(
            f"  {each['city']:<9} {each['role']:<15} {each['login']:<24} {each['password']}{totp}"
        )
    lines += ["", "居民 / residents"]
    lines += [f"  {each['name']}  {each['number']}  {each['zh']}" for each in facts["residents"]]
    lines += ["", "按 Ctrl-C 结束 / Ctrl-C ends everything"]
    return "\n".join(lines)
