"""Names the pages use: officers, items, states of this system, and what came back."""

from __future__ import annotations

from typing import Any, Final

OFFICERS: Final = {"registrar": "刘敏", "reviewer": "赵启明", "supervisor": "孙丽华"}
ITEMS: Final = {
    "hpf-loan-remote": "住房公积金异地个人住房贷款",
    "hpf-withdraw-purchase": "购房提取住房公积金",
    "ssc-reissue": "社会保障卡补领、换领",
    "household-transfer": "跨省户口迁移",
    "disability-migrate": "残疾人证迁移、换领",
    "school-enrol": "随迁子女义务教育入学",
}
TAKEN_IN: Final = "已收件"
STATES: Final = {
    "已取号": "received",
    TAKEN_IN: "received",
    "待补正": "completion_asked",
    "已受理": "accepted",
    "审核中": "under_review",
    "已办结": "granted",
    "已撤件": "withdrawn",
}
STAGES: Final = {
    "received": "收件",
    "completion_asked": "补正",
    "accepted": "受理",
    "not_accepted": "不予受理",
    "under_review": "审查",
    "suspended": "挂起",
    "granted": "办结，准予",
    "refused": "办结，不予",
    "withdrawn": "撤回",
    "delivered": "送达",
}
EVENTS: Final = {
    "ask_completion": "一次性告知，请申请人补正",
    "complete": "材料已补正",
    "accept": "予以受理",
    "turn_away": "不予受理",
    "review": "进入审查",
    "recall": "窗口取回，未经审查",
    "suspend": "挂起",
    "resume": "恢复审查",
    "grant": "准予",
    "refuse": "不予",
    "withdraw": "申请人撤回",
    "deliver": "已送达",
    "receipt_filed": "核验回执已归档",
}


def build_state_map(system: str) -> dict[str, Any]:
    """State map of this system for the node's settings."""
    return {"v": "tongban/state-map/v1", "system": system, "states": dict(STATES)}
