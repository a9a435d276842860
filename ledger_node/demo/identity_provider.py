"""The simulated identity provider beside the cities: settings of each, process, pinned keys.

One member city answers for it; residents it knows are accepted by all members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger_node.config import CONFIG_NAME
from ledger_node.core.types import Commitment
from ledger_node.demo.stage import Stage, find_free_port
from ledger_node.flows.providers import pin_provider
from ledger_node.founding import CityPlan

HOME: Final = "wuhou"
NAME: Final = "rongcheng"
TITLE: Final = ("蓉城实名认证（模拟）", "Rongcheng verified identity (simulated)")
CALLBACK: Final = "/login/callback"


@dataclass(frozen=True, slots=True)
class ProviderPlan:
    """Where the simulated provider listens."""

    port: int

    @property
    def issuer(self) -> str:
        """As tokens name it; browsers and nodes reach it there."""
        return f"http://127.0.0.1:{self.port}"


def join_identity_provider(stage: Stage) -> ProviderPlan:
    """Write the provider into the settings of every city, before the nodes start."""
    plan = ProviderPlan(find_free_port())
    home = stage.plans[HOME].city
    for slug in stage.plans:
        with (stage.path / slug / CONFIG_NAME).open("a", encoding="utf-8") as file:
            file.write(f"""
[[identity_providers]]
name = "{NAME}"
title_zh = "{TITLE[0]}"
title_en = "{TITLE[1]}"
issuer = "{plan.issuer}"
client_id = "{slug}"
city = "{home}"
audience = "citizen"
""")
    return plan


def start_identity_provider(stage: Stage, plan: ProviderPlan) -> None:
    """Start the process; its key is made at the first start."""
    arguments = ["-m", "ledger_node.demo.provider", "--port", str(plan.port)]
    arguments += ["--issuer", plan.issuer, "--title", TITLE[0].removesuffix("（模拟）")]
    arguments += ["--key-file", str(stage.path / "identity-provider.jwk")]
    for slug, city in stage.plans.items():
        arguments += ["--client", describe_client(slug, city)]
    stage.start("identity", arguments)
    stage.links["identity"] = plan.issuer


def pin_identity_provider(stage: Stage) -> list[tuple[str, Commitment]]:
    """Commit every city to the provider's keys; returns (city, commitment) of each entry."""
    pinned = []
    for slug in stage.plans:
        runtime = stage.open(slug)
        pinned.append((slug, pin_provider(runtime.node, runtime.identity, NAME).commitment))
    return pinned


def describe_client(slug: str, city: CityPlan) -> str:
    """A city's node as the provider's command line has it."""
    return f"{slug}|{city.public_url}{CALLBACK}|{city.name_zh}"
