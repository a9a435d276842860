"""A small catalogue in plain values, in the seed's form and in ours."""

import copy


def material_type(code, **changes):
    return {
        "code": code,
        "version": 1,
        "zh": f"{code} 证",
        "en": f"paper {code}",
        "issuer_zh": "民政局",
        "subject": "person",
        "sensitive": code == "b",
        "single_use": False,
        "validity_months": None,
        "retention_years": None,
        "supersedes": None,
        "note": "",
        **changes,
    }


def need(*any_of, **changes):
    return {
        "zh": "证明",
        "en": "proof",
        "any_of": list(any_of),
        "freshness_days": None,
        "necessity": "required",
        "basis": "consent",
        "event_date": False,
        "condition": None,
        "whose": "applicant",
        "wanted": "document",
        **changes,
    }


def item(code, *needs, **changes):
    return {
        "code": code,
        "scheme": "demo",
        "zh": f"事项 {code}",
        "en": f"item {code}",
        "subject": "person",
        "field_zh": "民政",
        "lists": ["all-1"],
        "mode": "online",
        "receive": "all",
        "accept": "all",
        "decides": "home",
        "decide_cities": [],
        "home_by": "household",
        "presence": "none",
        "instant": False,
        "statutory_days": 20,
        "statutory_unit": "working",
        "promised_days": 5,
        "result": "d",
        "surrender": [],
        "effective_from": "2026-01-01",
        "effective_until": None,
        "note": "",
        "needs": list(needs),
        **changes,
    }


def basis(code, kind, **changes):
    return {
        "code": code,
        "kind": kind,
        "instrument_zh": "某法",
        "article_zh": "第一条",
        "text_zh": "依本条调取。",
        "text_en": "Fetched under this article.",
        "in_force_from": "2021-11-01",
        "in_force_until": None,
        "second_officer": False,
        **changes,
    }


def service_list(code, kind, members, receiving=(), deciding=()):
    return {
        "code": code,
        "zh": f"清单 {code}",
        "en": f"list {code}",
        "kind": kind,
        "members": members,
        "receiving": list(receiving),
        "deciding": list(deciding),
        "batch": 1,
        "effective_from": "2026-01-01",
        "note": "",
    }


def catalogue():
    """Everything the format has, once or twice."""
    return copy.deepcopy(
        {
            "v": "tongban/catalogue/v1",
            "version": 3,
            "cities": [
                {"code": "500103", "zh": "渝中区"},
                {"code": "510107", "zh": "武侯区"},
                {"code": "510700", "zh": "绵阳市"},
            ],
            "types": [
                material_type("a"),
                material_type("b"),
                material_type("c", supersedes="a"),
                material_type("d", validity_months=12, single_use=True),
            ],
            "conditions": [
                {
                    "code": "agent",
                    "question_zh": "是否由他人代办？",
                    "question_en": "Is somebody acting for the applicant?",
                }
            ],
            "bases": [basis("consent", "consent"), basis("function", "function")],
            "lists": [
                service_list("all-1", "consortium", "all"),
                service_list("pair-1", "bilateral", ["510107", "510700"], ["510107"], ["510700"]),
                service_list("one-way-1", "directed", ["500103", "510107"], ["510107"], ["500103"]),
            ],
            "items": [
                item(
                    "loan",
                    need("a", "c"),
                    need("b", basis="function", wanted="fields", freshness_days=30),
                    need("c", condition="agent", necessity="defer"),
                ),
                item(
                    "move",
                    need("a"),
                    need("d"),
                    lists=["pair-1"],
                    receive=["510107", "510700"],
                    accept=["510107", "510700"],
                    decides="accepting",
                    home_by=None,
                    result=None,
                    surrender=["a"],
                ),
                item(
                    "card",
                    need("b"),
                    lists=["one-way-1"],
                    receive=["510107"],
                    accept=["510107"],
                    decides="named",
                    decide_cities=["500103"],
                    home_by=None,
                    promised_days=0,
                    instant=True,
                    result=None,
                ),
            ],
            "bundles": [{"code": "both", "zh": "两件", "en": "both", "items": ["loan", "move"]}],
            "equivalences": [{"wanted": "a", "substitute": "b", "item": "move", "note": ""}],
        }
    )


SEED = {
    "meta": {"schema": "tongban-catalogue-seed/1", "divisions": {"510107": "武侯区"}},
    "material_types": [
        {
            "code": code,
            "zh": "证",
            "en": "paper",
            "issuer_zh": "民政局",
            "subject": "person",
            "sensitive": code == "b",
            "validity_months": None,
            "retention_years": None,
        }
        for code in ("a", "b")
    ],
    "conditions": [{"code": "agent", "question_zh": "是否由他人代办？"}],
    "lists": [
        {"code": "first", "zh": "清单", "en": "list", "kind": "consortium", "members": "all"}
        | {"batch": 1}
    ],
    "items": [
        {
            "code": "loan",
            "zh": "贷款",
            "en": "loan",
            "subject": "person",
            "field_zh": "住房公积金",
            "accept": "all",
            "decide": "accepting",
            "instant": False,
            "statutory_days": None,
            "promised_days": 3,
            "list": "first",
            "mode": "online",
            "presence": "one-city",
            "result": None,
            "home_by": None,
            "requirements": [
                {
                    "need_zh": "证",
                    "need_en": "paper",
                    "any_of": ["a", "b"],
                    "freshness_days": 30,
                    "necessity": "required",
                    "statutory_basis": False,
                    "event_date": False,
                    "when": "agent",
                }
            ],
        }
    ],
    "bundles": [],
    "equivalences": [],
}
