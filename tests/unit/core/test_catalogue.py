"""The seed catalogue loads; every rule of the format has a catalogue that breaks it."""

import copy
import json
from pathlib import Path

import pytest

import ledger_node
from ledger_node.core.canonical import UnexpectedShapeError
from ledger_node.core.catalogue import UnknownItemError, list_open_needs, parse_catalogue
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.statement import get_statement_type
from tests.fuzz.cases_exchange import CATALOGUE

SEED = Path(ledger_node.__file__).parent / "catalogue.json"


def load_seed():
    return parse_catalogue(json.loads(SEED.read_text(encoding="utf-8")))


def test_parse_catalogue_seed_is_complete():
    catalogue = load_seed()
    assert (len(catalogue.types), len(catalogue.items)) == (104, 95)
    assert sum(len(item.needs) for item in catalogue.items.values()) == 340
    assert "resident-id" in catalogue.sensitive_types
    assert "marriage-cert" in catalogue.types
    for code in catalogue.types:
        get_statement_type(code)


def bend(path, value):
    """The small catalogue with one place changed; `value` None deletes it."""
    made = copy.deepcopy(CATALOGUE)
    place = made
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


NEED = ("items", 0, "requirements", 0)
BENT = {
    "not-an-object": [],
    "other-schema": bend(("meta", "schema"), "x"),
    "no-items": bend(("items",), None),
    "type-twice": bend(("material_types", 1, "code"), "a"),
    "condition-twice": bend(("conditions",), CATALOGUE["conditions"] * 2),
    "list-twice": bend(("lists",), CATALOGUE["lists"] * 2),
    "item-twice": bend(("items",), CATALOGUE["items"] * 2),
    "unknown-type": bend((*NEED, "any_of"), ["c"]),
    "unknown-condition": bend((*NEED, "when"), "moon"),
    "unknown-list": bend(("items", 0, "list"), "second"),
    "unknown-other-list": bend(("items", 0, "also_lists"), ["second"]),
    "need-of-nothing": bend((*NEED, "any_of"), []),
    "unknown-necessity": bend((*NEED, "necessity"), "perhaps"),
    "sensitive-one": bend(("material_types", 0, "sensitive"), 1),
    "no-name": bend(("material_types", 0, "zh"), None),
}


@pytest.mark.parametrize("name", BENT)
def test_parse_catalogue_bent_raises(name):
    with pytest.raises(UnexpectedShapeError):
        parse_catalogue(BENT[name])


def test_list_open_needs_asks_only_what_applies_and_is_not_held():
    item = parse_catalogue(CATALOGUE).get_item("loan")
    assert list_open_needs(item, {"agent"}, set()) == item.needs
    assert list_open_needs(item, set(), set()) == ()
    assert list_open_needs(item, {"agent"}, {"b"}) == ()
    assert list_open_needs(item, {"agent"}, {"c"}) == item.needs
    always = parse_catalogue(bend((*NEED, "when"), None)).get_item("loan")
    assert list_open_needs(always, set(), set()) == always.needs
    optional = parse_catalogue(bend((*NEED, "necessity"), "optional")).get_item("loan")
    assert list_open_needs(optional, {"agent"}, set()) == ()
    later = parse_catalogue(bend((*NEED, "necessity"), "defer")).get_item("loan")
    assert list_open_needs(later, {"agent"}, set()) == later.needs


def test_get_item_unknown_raises():
    with pytest.raises(UnknownItemError):
        load_seed().get_item("moon-landing")


def test_parse_catalogue_number_as_text_raises():
    with pytest.raises(MalformedInputError):
        parse_catalogue(bend((*NEED, "freshness_days"), "30"))
