"""What a citizen's pages show: papers, consents and events in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from api.pages.cities import name_city
from api.pages.consent_view import name_type
from ledger_node.core.sealed import Subject
from ledger_node.core.status import Standing
from ledger_node.flows.citizen import (
    OwnGrant,
    TimelineEvent,
    list_found_elsewhere,
    list_own_grants,
)
from ledger_node.flows.holdings import HeldPaper, list_held_papers
from ledger_node.flows.node import Node
from ledger_node.flows.passkeys import list_passkeys
from ledger_node.seed import load_catalogue

STANDING_WORDS: Final = {
    Standing.ACTIVE.value: ("有效", "valid", "good"),
    Standing.SUPERSEDED.value: ("已换新", "replaced", "plain"),
    Standing.WITHDRAWN.value: ("已撤销", "withdrawn", "bad"),
    Standing.SPENT.value: ("已使用（一次性）", "used (single use)", "plain"),
    Standing.ERASED.value: ("已删除", "erased", "plain"),
    Standing.DISPUTED.value: ("有异议，核实中", "disputed", "wait"),
}
GRANT_WORDS: Final = {
    "usable": ("可使用", "may be used", "good"),
    "used": ("已用完", "used up", "plain"),
    "ended": ("已到期", "ended", "plain"),
    "revoking": ("撤回办理中", "being withdrawn", "wait"),
    "revoked": ("已撤回", "withdrawn", "bad"),
}
EVENT_WORDS: Final = {
    "consent": ("授权", "Consent"),
    "find_made": ("本市向对方查询", "This city asked"),
    "find_answered": ("对方向本市查询", "Asked this city"),
    "release_in": ("本市调取材料", "Papers fetched by this city"),
    "release_out": ("本市提供材料", "Papers handed over by this city"),
    "revocation": ("凭撤回码撤回", "Withdrawal by code"),
}
OUTCOME_WORDS: Final = {
    "drafted": ("未出示", "not shown", "plain"),
    "shown": ("未确认", "not confirmed", "plain"),
    "signed": ("待工作人员确认", "waits for the officer", "wait"),
    "confirmed": ("已同意", "agreed", "good"),
    "declined": ("未同意", "declined", "plain"),
    "expired": ("超时未确认", "out of time", "plain"),
    "struck": ("窗口取消", "taken back", "plain"),
    "asked": ("已发出", "sent", "wait"),
    "answered": ("已答复有无，未提供内容", "answered; no content", "good"),
    "silent": ("没有回应", "no answer", "wait"),
    "acknowledged": ("已送达并核对", "delivered and checked", "good"),
    "sent": ("已提供", "handed over", "good"),
    "revoked": ("已撤回", "withdrawn", "good"),
    "refused": ("已拒绝", "refused", "bad"),
}


def build_overview(node: Node, person: Subject, language: str) -> dict[str, Any]:
    """What is held here, and what other cities last answered."""
    elsewhere = [
        {
            "city": name_city(city, language),
            "at": at,
            "papers": [
                {
                    "title": name_type(each.type_code, language),
                    "badge": _word(STANDING_WORDS, str(each.standing.value), language),
                    "until": each.valid_until,
                }
                for each in found
            ],
        }
        for city, at, found in list_found_elsewhere(node, person)
    ]
    papers = [describe_own_paper(each, language) for each in list_held_papers(node, person)]
    keys = list_passkeys(node, person)
    usable = sum(each.state == "usable" for each in list_own_grants(node, person))
    return {
        "papers": papers,
        "elsewhere": elsewhere,
        "has_passkey": any(ready for _, _, ready in keys),
        "passkey_waits": bool(keys),
        "usable_grants": usable,
        "city": name_city(node.city, language),
    }


def describe_own_paper(paper: HeldPaper, language: str) -> dict[str, Any]:
    """One paper held here; its number and values are not repeated."""
    row = paper.material.row
    return {
        "title": name_type(row.type_code, language),
        "badge": _word(STANDING_WORDS, str(paper.standing.value), language),
        "recorded": paper.recorded,
        "at": row.registered_at,
        "grade": row.grade,
    }


def describe_grants(grants: Sequence[OwnGrant], language: str) -> list[dict[str, Any]]:
    """Consents in words; what stands after a withdrawal is said by the template."""
    return [
        {
            "id": each.grant_id.hex(),
            "from": name_city(each.terms.releasing, language),
            "to": name_city(each.terms.receiving, language),
            "types": _name_types([granted.code for granted in each.terms.types], language),
            "given_at": each.given_at,
            "until": each.terms.not_after_s,
            "state": each.state,
            "badge": _word(GRANT_WORDS, each.state, language),
        }
        for each in grants
    ]


def describe_timeline(events: Sequence[TimelineEvent], language: str) -> list[dict[str, Any]]:
    """Events in words."""
    which = 0 if language == "zh" else 1
    return [
        {
            "at": each.at,
            "title": EVENT_WORDS[each.kind][which],
            "cities": ("、" if language == "zh" else ", ").join(
                name_city(city, language) for city in each.cities
            ),
            "types": _name_types(each.types, language),
            "badge": _word(OUTCOME_WORDS, each.outcome, language),
        }
        for each in events
    ]


def list_services(language: str) -> list[tuple[str, str]]:
    """(code, name) of the services of the catalogue."""
    items = load_catalogue().items.values()
    return sorted((each.code, each.zh if language == "zh" else each.en) for each in items)


def _name_types(codes: Sequence[str], language: str) -> str:
    if len(codes) > 6:
        return f"全部 {len(codes)} 类" if language == "zh" else f"all {len(codes)} kinds"
    return ("、" if language == "zh" else ", ").join(name_type(each, language) for each in codes)


def _word(words: dict[str, tuple[str, str, str]], value: str, language: str) -> tuple[str, str]:
    """(text, kind of badge); a code without words of its own is a refusal."""
    zh, en, kind = words.get(value, ("未提供", "not provided", "bad"))
    return (zh if language == "zh" else en, kind)
