"""The simulated case system beside one city: settings, key, process."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Final

from ledger_node.config import CONFIG_NAME
from ledger_node.core.message_key import MessageKeyId, encode_key_id
from ledger_node.demo.staff import SYSTEM
from ledger_node.demo.stage import Stage, find_free_port
from ledger_node.demo.zongchuang.app import CALLBACK
from ledger_node.demo.zongchuang.words import build_state_map
from ledger_node.ports.keys import KeyRole

CITY: Final = "mianyang"
STATES_FILE: Final = f"{SYSTEM}.states.json"


@dataclass(frozen=True, slots=True)
class CaseSystemPlan:
    """Where the simulated system listens."""

    port: int

    @property
    def origin(self) -> str:
        """Address of its pages in a browser."""
        return f"http://{SYSTEM}.localhost:{self.port}"


def join_case_system(stage: Stage) -> CaseSystemPlan:
    """Write the system into the settings of its city, before the node starts."""
    plan = CaseSystemPlan(find_free_port())
    city = stage.path / CITY
    states = json.dumps(build_state_map(SYSTEM), ensure_ascii=False)
    (city / STATES_FILE).write_text(states, encoding="utf-8")
    with (city / CONFIG_NAME).open("a", encoding="utf-8") as file:
        file.write(f"""
[[case_systems]]
id = "{SYSTEM}"
name = "绵阳市综合窗口系统（模拟）"
states_file = "{STATES_FILE}"
callback_origin = "http://127.0.0.1:{plan.port}"
callback_path = "{CALLBACK}"
page_origin = "{plan.origin}"
""")
    return plan


def start_case_system(stage: Stage, plan: CaseSystemPlan, key: str) -> None:
    """Start the process with the bearer key of its machine account."""
    node = stage.open(CITY).node
    key_file = stage.path / f"{SYSTEM}.key"
    target = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(target, "w", encoding="utf-8") as file:
        file.write(key)
    city_key = MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE))
    settings = stage.open(CITY).settings
    arguments = ["-m", "ledger_node.demo.zongchuang", "--port", str(plan.port)]
    arguments += ["--origin", plan.origin, "--journal", str(stage.path / f"{SYSTEM}.jsonl")]
    arguments += ["--system", SYSTEM, "--city-url", f"http://127.0.0.1:{settings.listen_port}"]
    arguments += ["--node-origin", settings.origin, "--key-file", str(key_file)]
    arguments += ["--city-key", encode_key_id(city_key), "--login-prefix", f"{CITY}."]
    stage.start(SYSTEM, arguments)
    stage.links[SYSTEM] = plan.origin
