"""Words of the auditor's pages, in pairs, and how times of buckets and hashes are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from babel.dates import format_datetime

from api.pages.language import CHINA, Speech
from ledger_node.core.buckets import DAY_S, Range
from ledger_node.core.entry import EntryKind
from ledger_node.core.event_types import Basis, ContractRole, KeyRole, StatusFlag
from ledger_node.core.status import Standing
from ledger_node.core.witness import FindingKind
from ledger_node.ports.database_exploring import EventKind, ReplayState

Pair = tuple[str, str]

KINDS: Final[Mapping[EventKind, Pair]] = {
    EventKind.ANCHOR: ("锚定", "Anchors"),
    EventKind.GRANT: ("授权登记", "Grants recorded"),
    EventKind.CONSUMPTION: ("授权使用", "Grants consumed"),
    EventKind.REVOCATION: ("授权撤回", "Grants revoked"),
    EventKind.STATUS: ("材料状态", "Statuses"),
    EventKind.OBJECTION: ("异议", "Objections"),
}
RANGES: Final[Mapping[Range, Pair]] = {
    Range.DAY: ("24 小时", "24 hours"),
    Range.WEEK: ("7 天", "7 days"),
    Range.MONTH: ("30 天", "30 days"),
    Range.QUARTER: ("90 天", "90 days"),
    Range.ALL: ("全部", "All"),
}
ENTRY_KINDS: Final[Mapping[EntryKind, Pair]] = {
    EntryKind.MATERIAL: ("材料", "Material"),
    EntryKind.CREDENTIAL: ("凭据", "Credential"),
    EntryKind.ACCESS: ("查找记录", "Find"),
    EntryKind.RELIANCE: ("采信凭证", "Reliance receipt"),
    EntryKind.GENERATION: ("上一代日志", "Earlier generation"),
}
STANDINGS: Final[Mapping[Standing, tuple[str, str, str]]] = {
    Standing.ACTIVE: ("有效", "Active", "good"),
    Standing.DISPUTED: ("有异议", "Disputed", "wait"),
    Standing.SUPERSEDED: ("已被替代", "Superseded", "wait"),
    Standing.SPENT: ("已使用（一次性）", "Spent", "wait"),
    Standing.WITHDRAWN: ("已撤回", "Withdrawn", "bad"),
    Standing.ERASED: ("已删除", "Erased", "bad"),
}
FINDINGS: Final[Mapping[FindingKind, tuple[str, str, str]]] = {
    FindingKind.FORKED: ("出示了两份历史", "Two histories", "bad"),
    FindingKind.SHRUNK: ("日志变短", "Shrunk", "bad"),
    FindingKind.WITHHELD: ("已锚定而不提供", "Withheld", "bad"),
    FindingKind.LATE: ("锚定逾期", "Anchored late", "wait"),
    FindingKind.SILENT: ("无应答", "No answer", "wait"),
}
FLAGS: Final[Mapping[int, Pair]] = {
    StatusFlag.WITHDRAWN: ("撤回", "Withdrawn"),
    StatusFlag.SUPERSEDED: ("替代", "Superseded"),
    StatusFlag.SPENT: ("使用（一次性）", "Spent"),
    StatusFlag.ERASED: ("删除", "Erased"),
}
OUTCOMES: Final[Mapping[int, Pair]] = {
    0: ("处理中", "Open"),
    1: ("成立", "Upheld"),
    2: ("不成立", "Rejected"),
    3: ("已更正", "Corrected"),
    4: ("已撤销", "Withdrawn"),
}
BASES: Final[Mapping[int, Pair]] = {
    Basis.PASSKEY: ("本人通行密钥", "Passkey"),
    Basis.COUNTER: ("窗口签字", "At a counter"),
    Basis.ASSERTION: ("统一身份认证", "Identity provider"),
    Basis.STATUTORY: ("依法履职", "Statutory duty"),
}
KEY_ROLES: Final[Mapping[KeyRole, Pair]] = {
    KeyRole.ANCHOR: ("锚定账户", "Anchor account"),
    KeyRole.GATE: ("授权账户", "Gate account"),
    KeyRole.GOVERN: ("治理账户", "Govern account"),
    KeyRole.CHECKPOINT: ("树头签名", "Checkpoint"),
    KeyRole.COSIGNER: ("共同签名", "Cosigner"),
    KeyRole.MESSAGE: ("消息签名", "Messages"),
    KeyRole.ENCRYPTION: ("加密", "Encryption"),
}
CONTRACTS: Final[Mapping[ContractRole, Pair]] = {
    ContractRole.CITY_LOG: ("城市日志", "City log"),
    ContractRole.MATERIAL_STATUS: ("材料状态", "Material status"),
    ContractRole.GRANTS: ("授权", "Grants"),
    ContractRole.CATALOGUE: ("事项目录", "Catalogue"),
    ContractRole.MEMBERSHIP: ("成员", "Membership"),
}
REPLAY_STATES: Final[Mapping[ReplayState, tuple[str, str, str]]] = {
    ReplayState.WAITING: ("等待中", "Waiting", "wait"),
    ReplayState.RUNNING: ("进行中", "Running", "wait"),
    ReplayState.DONE: ("已完成", "Done", "good"),
    ReplayState.CANCELLED: ("已取消", "Cancelled", "plain"),
    ReplayState.FAILED: ("未完成", "Not finished", "bad"),
    ReplayState.BROKEN: ("中断", "Broken", "bad"),
}
RELEASE_STATES: Final[Mapping[str, Pair]] = {
    "answered": ("已备答复", "Answered"),
    "consume_signed": ("等待上链", "Waiting for the chain"),
    "submitted": ("等待上链", "Waiting for the chain"),
    "confirmed": ("已准许，未取走", "Permitted, not fetched"),
    "sent": ("已取走，未回执", "Fetched, not acknowledged"),
    "acknowledged": ("已回执", "Acknowledged"),
    "refused": ("已拒绝", "Refused"),
    "failed": ("链上未准许", "Not permitted by the chain"),
    "withheld": ("已准许，未取走，不再提供", "Permitted, never fetched, no longer given"),
    "closed": ("已取走，未回执，不再提供", "Fetched, never acknowledged, no longer given"),
    "prepared": ("已备请求", "Prepared"),
    "requested": ("已请求", "Requested"),
    "verified": ("已核对", "Verified"),
    "complete": ("已收齐", "Complete"),
    "rejected": ("内容不符，已拒收", "Rejected"),
    "destroyed": ("已销毁", "Destroyed"),
}
STAGES: Final[Mapping[str, Pair]] = {
    "chain": ("读取区块", "Reading blocks"),
    "storage": ("核对合约状态", "Comparing the contracts' state"),
    "database": ("核对本节点数据", "Comparing this node's rows"),
}

_BUCKET_PATTERNS: Final[Mapping[str, tuple[str, str]]] = {  # axis, table
    "zh hours": ("d日H时", "M月d日 HH:mm"),
    "en hours": ("d MMM HH:mm", "d MMM y, HH:mm"),
    "zh days": ("M月d日", "y年M月d日"),
    "en days": ("d MMM", "d MMM y"),
}


def label_bucket(speech: Speech, start_s: int, width_s: int) -> tuple[str, str]:
    """How a bucket is called on an axis and in a table."""
    unit = "days" if width_s >= DAY_S else "hours"
    local = datetime.fromtimestamp(start_s, UTC).astimezone(CHINA)
    locale = "zh_CN" if speech.language == "zh" else "en_GB"
    short, long = (
        format_datetime(local, pattern, locale=locale)
        for pattern in _BUCKET_PATTERNS[f"{speech.language} {unit}"]
    )
    return short, long


def name_stage(speech: Speech, stage: str) -> str:
    """What a replay is doing, for people."""
    if stage.startswith("log "):
        return speech.t(f"重算日志 {stage[4:]}", f"Recomputing log {stage[4:]}")
    return speech.t(*STAGES.get(stage, ("准备", "Getting ready")))


def shorten(value: bytes) -> str:
    """First digits of a hash."""
    return value.hex()[:12] + "…"
