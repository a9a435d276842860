"""A ceremony as its pages show it: in words, never in codes."""

from __future__ import annotations

from typing import Any, Final

from api.pages.cities import name_city
from ledger_node.core.ceremony import CeremonyState, ConsentOption
from ledger_node.core.statement import get_statement_type
from ledger_node.flows.consenting import Ceremony, find_reason_for_second
from ledger_node.flows.node import Node
from ledger_node.seed import load_catalogue

SECOND_REASONS: Final = {
    "unread_card": ("证件未经读卡器核验", "the card was not read by a device"),
    "sensitive_type": ("含敏感材料", "sensitive papers are among them"),
    "agent": ("由代办人办理", "an agent acts for the person"),
    "adult_guardianship": ("成年人由监护人代为办理", "a guardian acts for an adult"),
}
FIELD_WORDS: Final = {
    "subjects": ("持有人", "holder"),
    "issuer": ("发证机关", "issuer"),
    "number": ("证号", "number"),
    "issued_on": ("发证日期", "date of issue"),
    "valid_from": ("有效期起", "valid from"),
    "valid_until": ("有效期止", "valid until"),
    "grade": ("材料等级", "grade"),
    "original_check": ("原件核验情况", "whether the original was seen"),
}
STATE_WORDS: Final = {
    CeremonyState.DRAFTED: ("待出示", "not shown yet"),
    CeremonyState.SHOWN: ("市民正在看", "the person is reading"),
    CeremonyState.SIGNED: ("市民已签名", "the person signed"),
    CeremonyState.CONFIRMED: ("已生效", "in force"),
    CeremonyState.DECLINED: ("市民不同意", "declined by the person"),
    CeremonyState.EXPIRED: ("已超时", "out of time"),
    CeremonyState.STRUCK: ("窗口已取消", "taken back by the window"),
}


def build_ceremony_view(node: Node, ceremony: Ceremony, language: str) -> dict[str, Any]:
    """What templates of a ceremony use."""
    body = ceremony.body
    item = load_catalogue().items.get(body.item)
    which = 0 if language == "zh" else 1
    reason = find_reason_for_second(node, ceremony)
    return {
        "ceremony": ceremony,
        "state": ceremony.state.value,
        "state_word": STATE_WORDS[ceremony.state][which],
        "person": body.subject.name,
        "item": body.item if item is None else (item.zh, item.en)[which],
        "receiving": name_city(body.receiving, language),
        "releasing": [name_city(each, language) for each in body.releasing],
        "options": [describe_option(each, language) for each in body.options],
        "same_fields": len({each.grant.fields for each in body.options}) == 1,
        "ticked": set(body.ticked),
        "until": ceremony.row.created_at.timestamp() + body.window_s,
        "minutes": body.window_s // 60,
        "second": None if reason is None else SECOND_REASONS[reason][which],
    }


def describe_option(option: ConsentOption, language: str) -> dict[str, Any]:
    """One box in words."""
    which = 0 if language == "zh" else 1
    return {
        "key": option.key,
        "title": name_type(option.grant.code, language),
        "city": None if option.city is None else name_city(option.city, language),
        "fields": [FIELD_WORDS.get(each, (each, each))[which] for each in option.grant.fields],
        "documents": option.grant.documents,
        "sensitive": option.grant.code in load_catalogue().sensitive_types,
    }


def name_type(code: str, language: str) -> str:
    """Name of a material type."""
    known = load_catalogue().types.get(code)
    if known is None:
        return get_statement_type(code).code
    return known.zh if language == "zh" else known.en
