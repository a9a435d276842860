"""Is the node up, how far has it followed the chain, does a halt stand. No secrets, no persons."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from api.access import public
from api.deps import get_runtime
from ledger_node.flows.witnessing import encode_standing, load_standings
from ledger_node.wiring import Runtime

router = APIRouter(tags=["health"], dependencies=[public()])


@router.get("/healthz")
def read_health(runtime: Annotated[Runtime, Depends(get_runtime)]) -> dict[str, Any]:
    """City, log size, followed block and its age, halts, who witnessed which log."""
    node = runtime.node
    with node.database.read() as tx:
        head = tx.log.load_head()
        tip = tx.chain.load_tip()
        anchored = tx.chain.find_latest_head(node.city)
        halts = tx.log.list_halts()
    standings = [] if tip is None else load_standings(node)
    now_s = int(node.clock.now().timestamp())
    return {
        "city": node.city,
        "log": {"generation": head.generation, "size": head.size},
        "anchored_size": anchored.tree_head.size if anchored else 0,
        "block": None
        if tip is None
        else {"number": tip.number, "age_s": now_s - tip.block_timestamp_s},
        "halts": [halt.reason for halt in halts],
        "logs": [encode_standing(each) for each in standings],
    }
