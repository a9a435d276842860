"""The seed catalogue as people keep it, and how its rows become ours.

Step 6 of the data flow. The seed says neither who only receives, nor whose paper is meant, nor
which article a need stands on; the rules below fill that in. Spec: docs/spec/catalogue.md,
"Seed".

Invariants:
    * The result is a catalogue of the format and goes through the same reader as any other.
    * Members of the seed the program does not know may stand; members it needs may not be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from ledger_node.core.canonical import JsonObject, JsonValue
from ledger_node.core.catalogue import Catalogue
from ledger_node.core.catalogue_findings import CatalogueRefusedError
from ledger_node.core.catalogue_format import CATALOGUE_VERSION, read_catalogue
from ledger_node.core.catalogue_rows import ALL, wrong
from ledger_node.core.shapes import refuse_shape

SEED_SCHEMA: Final = "tongban-catalogue-seed/1"
SEED_EFFECTIVE: Final = "2026-01-01"
"""Effect date of every list and item of the seed: a demonstration value."""
_PERSON_CALENDAR: Final = frozenset(
    {
        "hpf-loan-remote",
        "hpf-withdraw-purchase",
        "hpf-withdraw-retire",
        "hpf-withdraw-heir",
        "id-reissue",
        "passport-issue",
        "residence-permit",
    }
)
"""Items whose law says days, not working days."""
_BOTH_PRESENT: Final = frozenset({"marriage-appointment", "marriage-reissue"})
_SINGLE_USE: Final = frozenset({"medical-invoice", "archive-call-letter", "move-permit"})
_WHOSE: Final[Mapping[str, str]] = {
    "married": "each_spouse",
    "minor": "guardian",
    "needs-guardian": "guardian",
    "bereaved": "deceased",
}
_BASES: Final[list[JsonValue]] = [
    {
        "code": "consent",
        "kind": "consent",
        "instrument_zh": "个人信息保护法",
        "article_zh": "第十三条第一款第一项、第二十三条",
        "text_zh": "经您同意，向持有该材料的城市调取。",
        "text_en": "With your consent it is fetched from the city that holds it.",
        "in_force_from": "2021-11-01",
        "in_force_until": None,
        "second_officer": False,
    },
    {
        "code": "function",
        "kind": "function",
        "instrument_zh": "国务院关于在线政务服务的若干规定（国务院令第716号）",
        "article_zh": "第七条",
        "text_zh": "能够通过共享获取的，依职责调取，不要求您提交。",
        "text_en": "What can be had by sharing is fetched by function and not asked of you.",
        "in_force_from": "2019-04-26",
        "in_force_until": None,
        "second_officer": False,
    },
]
_ROWS: Final = ("material_types", "conditions", "lists", "items", "bundles", "equivalences")


def parse_seed(value: JsonValue, version: int = 1) -> Catalogue:
    """Read the seed and make a catalogue of it; findings name the tables of the result.

    Raises:
        UnexpectedShapeError: It is no seed.
        CatalogueRefusedError: A row cannot be read.
    """
    if not isinstance(value, dict) or not isinstance(value.get("meta"), dict):
        raise refuse_shape("catalogue", "不是种子目录", "no seed catalogue")
    meta = cast("dict[str, Any]", value["meta"])
    if meta.get("schema") != SEED_SCHEMA or not isinstance(meta.get("divisions"), dict):
        raise refuse_shape("catalogue", "不认识的目录格式", "an unknown catalogue schema")
    return read_catalogue(_convert(value, meta, version))


def _convert(value: JsonObject, meta: Mapping[str, Any], version: int) -> JsonObject:
    rows = {name: _objects(value, name) for name in _ROWS}
    members = {str(each.get("code")): each.get("members") for each in rows["lists"]}
    return {
        "v": CATALOGUE_VERSION,
        "version": version,
        "cities": [{"code": code, "zh": zh} for code, zh in sorted(meta["divisions"].items())],
        "types": [_convert_type(each) for each in rows["material_types"]],
        "conditions": [
            {
                "code": each.get("code"),
                "question_zh": each.get("question_zh"),
                "question_en": each.get("question_en", each.get("question_zh")),
            }
            for each in rows["conditions"]
        ],
        "bases": _BASES,
        "lists": [_convert_list(each) for each in rows["lists"]],
        "items": [_convert_item(each, members) for each in rows["items"]],
        "bundles": [_pick(each, "code", "zh", "en", "items") for each in rows["bundles"]],
        "equivalences": [
            {
                "wanted": each.get("a"),
                "substitute": each.get("b"),
                "item": None if each.get("scope") == ALL else each.get("scope"),
                "note": each.get("note", ""),
            }
            for each in rows["equivalences"]
        ],
    }


def _objects(value: JsonObject, name: str) -> list[dict[str, Any]]:
    rows = value.get(name)
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise CatalogueRefusedError([wrong(name, "应为对象的数组。", "rows are expected.")])
    return cast("list[dict[str, Any]]", rows)


def _pick(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _sorted(cities: Any) -> Any:
    return sorted(cities) if _is_texts(cities) else cities


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _text(row: Mapping[str, Any], name: str) -> str:
    """A member to look something up by; what is no text finds nothing."""
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _convert_type(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("code", "zh", "en", "issuer_zh", "subject", "sensitive", "validity_months")
    return {
        **_pick(row, *names, "retention_years"),
        "version": 1,
        "single_use": _text(row, "code") in _SINGLE_USE,
        "supersedes": None,
        "note": row.get("note", ""),
    }


def _convert_list(row: Mapping[str, Any]) -> dict[str, Any]:
    """Sides of a bilateral list are its members by province, the first two digits."""
    members = _sorted(row.get("members"))
    receiving: Any = []
    deciding: Any = []
    if row.get("kind") == "directed":
        direction = row.get("direction")
        if isinstance(direction, dict):
            receiving, deciding = direction.get("accept", []), direction.get("decide", [])
    elif row.get("kind") == "bilateral" and _is_texts(members) and members:
        first = row["members"][0]
        receiving = [each for each in members if each[:2] == first[:2]]
        deciding = [each for each in members if each[:2] != first[:2]]
    return {
        **_pick(row, "code", "zh", "en", "kind", "batch"),
        "members": members,
        "receiving": _sorted(receiving),
        "deciding": _sorted(deciding),
        "effective_from": SEED_EFFECTIVE,
        "note": row.get("note", ""),
    }


def _convert_item(row: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    names = ("code", "zh", "en", "subject", "field_zh", "mode", "home_by", "instant")
    also = row.get("also_lists", [])
    lists = [row.get("list"), *(also if isinstance(also, list) else [also])]
    decide, accept = row.get("decide"), _sorted(row.get("accept"))
    code = _text(row, "code")
    needs = row.get("requirements")
    presence = "none" if row.get("presence") == "none" else "applicant"
    return {
        **_pick(row, *names, "statutory_days", "promised_days", "result"),
        "scheme": "demo",
        "lists": lists,
        "receive": _convert_receive(row, accept, [members.get(str(each)) for each in lists]),
        "accept": accept,
        "decides": "named" if isinstance(decide, list) else decide,
        "decide_cities": _sorted(decide) if isinstance(decide, list) else [],
        "presence": "both" if code in _BOTH_PRESENT else presence,
        "statutory_unit": "calendar" if code in _PERSON_CALENDAR else "working",
        "surrender": row.get("surrender", []),
        "effective_from": SEED_EFFECTIVE,
        "effective_until": None,
        "note": row.get("note", ""),
        "needs": [_convert_need(each) for each in needs] if isinstance(needs, list) else needs,
    }


def _convert_receive(row: Mapping[str, Any], accept: Any, members: list[Any]) -> Any:
    """Who takes papers: who accepts, and where papers are collected every city of the lists."""
    if row.get("mode") != "collect" or not _is_texts(accept):
        return accept
    if ALL in members:
        return ALL
    return sorted({*accept, *(city for each in members if _is_texts(each) for city in each)})


def _convert_need(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    by_function = row.get("statutory_basis")
    if not isinstance(by_function, bool):
        return {}
    return {
        **_pick(row, "any_of", "freshness_days", "necessity", "event_date"),
        "zh": row.get("need_zh"),
        "en": row.get("need_en"),
        "basis": "function" if by_function else "consent",
        "condition": row.get("when"),
        "whose": _WHOSE.get(_text(row, "when"), "applicant"),
        "wanted": "fields" if by_function else "document",
    }
