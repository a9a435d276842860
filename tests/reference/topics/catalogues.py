"""Vectors of the catalogue's format: one that holds, and one damage for every finding."""

import base64
import copy
import hashlib
import json

from tests.reference import catalogues as c
from tests.reference.vector_files import vector


def bend(*changes):
    """The small catalogue with places changed: (path…, value); a value of `...` removes."""
    made = c.catalogue()
    for *path, last, value in changes:
        place = made
        for step in path:
            place = place[step]
        if value is ...:
            del place[last]
        elif last == "+":
            place.append(copy.deepcopy(value))
        else:
            place[last] = value
    return made


LOAN, NEED = ("items", 0), ("items", 0, "needs", 0)
# name -> (changed catalogue, [(code, path)] of all errors)
DAMAGES = {
    "member-missing": (bend(("types", 1, "zh", ...)), [("member_missing", "types[1].zh")]),
    "member-unknown": (
        bend(("types", 1, "colour", "red")),
        [("member_unknown", "types[1].colour")],
    ),
    "table-unknown": (bend(("fees", [])), [("value_wrong", "fees")]),
    "table-missing": (bend(("bundles", ...)), [("value_wrong", "bundles")]),
    "value-wrong": (
        bend((*LOAN, "promised_days", -1)),
        [("value_wrong", "items[0].promised_days")],
    ),
    "version-zero": (bend(("version", 0)), [("value_wrong", "version")]),
    "choice-unknown": (bend((*NEED, "whose", "cat")), [("value_wrong", "items[0].needs[0].whose")]),
    "need-of-nothing": (bend((*NEED, "any_of", [])), [("value_wrong", "items[0].needs[0].any_of")]),
    "cities-unsorted": (
        bend((*LOAN, "accept", ["510107", "500103"])),
        [("value_wrong", "items[0].accept")],
    ),
    "two-at-once": (
        bend(("types", 0, "en", ""), ("lists", 0, "batch", 0)),
        [("value_wrong", "types[0].en"), ("value_wrong", "lists[0].batch")],
    ),
    "date-impossible": (
        bend((*LOAN, "effective_from", "2026-02-30")),
        [("date_impossible", "items[0].effective_from")],
    ),
    "date-otherwise": (
        bend((*LOAN, "effective_from", "20260201")),
        [("date_impossible", "items[0].effective_from")],
    ),
    "dates-reversed": (
        bend((*LOAN, "effective_until", "2026-01-01")),
        [("dates_reversed", "items[0].effective_until")],
    ),
    "basis-dates-reversed": (
        bend(("bases", "+", c.basis("old", "consent", in_force_until="2021-11-01"))),
        [("dates_reversed", "bases[2].in_force_until")],
    ),
    "code-duplicate": (bend(("types", 2, "code", "a")), [("code_duplicate", "types[2].code")]),
    "type-unknown": (
        bend((*NEED, "any_of", ["a", "z"])),
        [("type_unknown", "items[0].needs[0].any_of")],
    ),
    "result-unknown": (bend((*LOAN, "result", "z")), [("type_unknown", "items[0].result")]),
    "surrender-unknown": (
        bend((*LOAN, "surrender", ["z"])),
        [("type_unknown", "items[0].surrender")],
    ),
    "predecessor-unknown": (
        bend(("types", 2, "supersedes", "z")),
        [("type_unknown", "types[2].supersedes")],
    ),
    "substitute-unknown": (
        bend(("equivalences", 0, "substitute", "z")),
        [("type_unknown", "equivalences[0].substitute")],
    ),
    "condition-unknown": (
        bend((*NEED, "condition", "moon")),
        [("condition_unknown", "items[0].needs[0].condition")],
    ),
    "list-unknown": (bend((*LOAN, "lists", ["z"])), [("list_unknown", "items[0].lists")]),
    "basis-unknown": (bend((*NEED, "basis", "z")), [("basis_unknown", "items[0].needs[0].basis")]),
    "bundle-item-unknown": (
        bend(("bundles", 0, "items", ["loan", "z"])),
        [("item_unknown", "bundles[0].items")],
    ),
    "equivalence-item-unknown": (
        bend(("equivalences", 0, "item", "z")),
        [("item_unknown", "equivalences[0].item")],
    ),
    "city-unknown": (
        bend(("items", 1, "receive", ["510107", "510700", "999999"])),
        [("city_unknown", "items[1].receive")],
    ),
    "list-city-unknown": (
        bend(("lists", 1, "members", ["510107", "999999"]), ("lists", 1, "deciding", ["999999"])),
        [
            ("city_unknown", "lists[1].members"),
            ("city_unknown", "lists[1].deciding"),
            ("outside_list", "items[1].accept"),
        ],
    ),
    "equivalence-cycle": (
        bend(("equivalences", "+", {"wanted": "b", "substitute": "a", "item": None, "note": ""})),
        [("equivalence_cycle", "equivalences[0]"), ("equivalence_cycle", "equivalences[1]")],
    ),
    "equivalence-of-itself": (
        bend(("equivalences", 0, "substitute", "a")),
        [("equivalence_cycle", "equivalences[0]")],
    ),
    "supersession-cycle": (
        bend(("types", 0, "supersedes", "c")),
        [
            ("supersession_cycle", "types[0].supersedes"),
            ("supersession_cycle", "types[2].supersedes"),
        ],
    ),
    "basis-not-yet-in-force": (
        bend(("bases", 1, "in_force_from", "2026-01-02")),
        [("basis_not_in_force", "items[0].needs[1].basis")],
    ),
    "basis-ends-first": (
        bend(("bases", 1, "in_force_until", "2030-01-01")),
        [("basis_not_in_force", "items[0].needs[1].basis")],
    ),
    "nobody-accepts": (bend((*LOAN, "accept", [])), [("nobody_accepts", "items[0].accept")]),
    "nobody-decides": (
        bend(("items", 2, "decide_cities", [])),
        [("nobody_decides", "items[2].decide_cities")],
    ),
    "decider-not-named": (
        bend((*LOAN, "decide_cities", ["510107"])),
        [("decider_not_named", "items[0].decide_cities")],
    ),
    "home-unknown": (bend((*LOAN, "home_by", None)), [("home_unknown", "items[0].home_by")]),
    "accepts-outside-list": (
        bend(("items", 1, "accept", "all"), ("items", 1, "receive", "all")),
        [("outside_list", "items[1].accept")],
    ),
    "decides-against-direction": (
        bend(("items", 2, "decide_cities", ["510107"])),
        [("outside_list", "items[2].decide_cities")],
    ),
    "sides-missing": (bend(("lists", 1, "receiving", [])), [("sides_wrong", "lists[1].members")]),
    "sides-of-consortium": (
        bend(("lists", 0, "receiving", ["510107"])),
        [("sides_wrong", "lists[0].members")],
    ),
    "side-on-both": (
        bend(("lists", 1, "receiving", ["510107", "510700"])),
        [("sides_wrong", "lists[1].members")],
    ),
    "promise-beyond-statute": (
        bend((*LOAN, "promised_days", 21)),
        [("promise_beyond_statute", "items[0].promised_days")],
    ),
    "need-repeated": (
        bend((*LOAN, "needs", "+", c.need("a", "c"))),
        [("need_repeated", "items[0].needs[3]")],
    ),
    "accepts-but-takes-no-papers": (
        bend(("items", 1, "receive", ["510107"])),
        [("receives_not_accepts", "items[1].receive")],
    ),
}


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def build_vectors():
    data = canonical(c.catalogue())
    digest = hashlib.sha256(data).digest()
    text = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    yield vector(
        "catalogue/v1",
        "happy",
        "everything the format has",
        value=c.catalogue(),
        digest=digest,
        pin=f"3/sha-256/{text}",
        errors=[],
    )
    for name, (value, errors) in DAMAGES.items():
        yield vector(
            "catalogue/v1",
            name,
            name.replace("-", " "),
            "CatalogueRefusedError",
            value=value,
            errors=errors,
        )
    yield vector(
        "catalogue/v1",
        "other-version",
        "another format",
        "UnknownVersionError",
        value=c.catalogue() | {"v": "tongban/catalogue/v2"},
        errors=[],
    )
