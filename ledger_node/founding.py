"""Making cities and a consortium: keys, settings files, contracts on chain.

For one machine `found_consortium` makes all five; in the field every city runs `init_city` itself
and hands its founder entry to whoever deploys. Private keys never leave their city's directory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger_node.config import CONFIG_NAME
from ledger_node.core.errors import ConflictError
from ledger_node.core.event_types import KeyRole
from ledger_node.core.types import CityId
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.chain.contracts import ContractCalls
from ledger_node.edges.clock import SystemClock, system_entropy
from ledger_node.edges.keys.city_keys import CityKeysFile, generate_city_keys
from ledger_node.flows.deploying import (
    KEY_CHANGE_DELAY_S,
    Deployment,
    FoundingCity,
    deploy_consortium,
)
from ledger_node.ports.contracts import FounderEntry
from ledger_node.ports.keys import ACCOUNT_ROLES
from ledger_node.wiring import keys_path

GOVERN_DIRECTORY = "govern-offline"


class CityExistsError(ConflictError):
    """The directory holds a city already; nothing of it is replaced."""

    code = "city_exists"


@dataclass(frozen=True, slots=True)
class CityPlan:
    """A city to be made: code, names, and the address its node will have.

    Attributes:
        public_url: Origin of the pages as browsers see it; empty: the node's own address.
    """

    city: CityId
    name_zh: str
    name_en: str
    slug: str
    url: str
    public_url: str = ""


FIVE_CITIES = (
    ("510107", "成都市武侯区", "Wuhou", "wuhou"),
    ("510700", "绵阳市", "Mianyang", "mianyang"),
    ("133100", "雄安新区", "Xiong'an", "xiongan"),
    ("500103", "重庆市渝中区", "Yuzhong", "yuzhong"),
    ("610113", "西安市雁塔区", "Yanta", "yanta"),
)


def plan_five_cities(ports: Sequence[int]) -> tuple[CityPlan, ...]:
    """The demonstration's five cities on this machine, one port each.

    Pages stand at `<slug>.localhost`: passkeys refuse bare addresses, and cookies ignore ports.
    """
    return tuple(
        CityPlan(
            CityId(code),
            zh,
            en,
            slug,
            f"http://127.0.0.1:{port}",
            f"http://{slug}.localhost:{port}",
        )
        for (code, zh, en, slug), port in zip(FIVE_CITIES, ports, strict=True)
    )


def govern_path(data_dir: Path) -> Path:
    """Where the govern account's key is made; to be moved offline."""
    return data_dir / GOVERN_DIRECTORY


def init_city(data_dir: Path, plan: CityPlan) -> FoundingCity:
    """Make a city's keys; returns its public founder entry with the keys to sign votes.

    Raises:
        CityExistsError: Keys or settings are there already.
    """
    if (data_dir / CONFIG_NAME).exists() or keys_path(data_dir).exists():
        raise CityExistsError(
            f"目录 {data_dir.name} 中已有城市，不会覆盖。请换一个目录。",
            f"{data_dir.name} holds a city already; choose another directory.",
        )
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    generate_city_keys(keys_path(data_dir), govern_path(data_dir), system_entropy)
    keys = CityKeysFile(keys_path(data_dir), govern_path(data_dir))
    entry = FounderEntry(plan.city, plan.url, tuple(_public_part(keys, role) for role in KeyRole))
    return FoundingCity(entry, keys)


def found_consortium(
    base_dir: Path,
    rpc_url: str,
    domain: str,
    plans: Sequence[CityPlan],
    *,
    key_change_delay_s: int = KEY_CHANGE_DELAY_S,
    follow_chain_clock: bool = False,
) -> Deployment:
    """Make the cities under `base_dir/<slug>`, deploy the contracts, write the settings.

    Raises:
        CityExistsError: One of the directories is taken.
        DeploymentFailedError, ChainUnavailableError: The chain did not take it; the cities' keys
            stay, remove the directory and start again.
    """
    cities = [init_city(base_dir / plan.slug, plan) for plan in plans]
    chain = EvmChain(rpc_url)
    try:
        deployment = deploy_consortium(
            chain,
            ContractCalls(chain),
            SystemClock(),
            cities,
            key_change_delay_s=key_change_delay_s,
        )
    finally:
        chain.close()
    for plan in plans:
        write_settings(base_dir / plan.slug, plan, domain, rpc_url, deployment, follow_chain_clock)
    return deployment


def write_settings(
    data_dir: Path,
    plan: CityPlan,
    domain: str,
    rpc_url: str,
    deployment: Deployment,
    follow_chain_clock: bool = False,
) -> None:
    """Write `node.toml`; never over an existing one."""
    port = plan.url.rsplit(":", 1)[-1]
    text = f"""\
# 通办节点设置 / settings of a Tongban node. Every field: docs/settings.md
city = "{plan.city}"
city_name = "{plan.name_zh}"
consortium = "{domain}"
url = "{plan.url}"
public_url = "{plan.public_url or plan.url}"
listen_port = {port}

[chain]
rpc_url = "{rpc_url}"
chain_id = {deployment.chain_id}
genesis_hash = "{deployment.genesis_hash.hex()}"
membership = "{deployment.membership.hex()}"
first_block = {deployment.first_block}
follow_chain_clock = {str(follow_chain_clock).lower()}
"""
    descriptor = os.open(data_dir / CONFIG_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _public_part(keys: CityKeysFile, role: KeyRole) -> bytes:
    if role in ACCOUNT_ROLES:
        return keys.account(role).rjust(32, b"\0")
    return keys.public_key(role)
