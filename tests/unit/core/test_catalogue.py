"""The seed catalogue loads; every rule of the format has a catalogue that breaks it."""

import copy
import json
from collections import Counter
from datetime import date

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from ledger_node.core.canonical import encode_canonical
from ledger_node.core.catalogue_check import check_catalogue
from ledger_node.core.catalogue_events import ListRule
from ledger_node.core.catalogue_findings import (
    CatalogueRefusedError,
    FindingCode,
    Severity,
    UnknownItemError,
    UnknownListError,
)
from ledger_node.core.catalogue_format import (
    compute_catalogue_digest,
    compute_catalogue_pin,
    encode_catalogue,
    parse_catalogue,
    read_catalogue,
)
from ledger_node.core.catalogue_list import (
    compute_list_digest,
    compute_list_id,
    encode_list,
    list_parties,
)
from ledger_node.core.catalogue_seed import parse_seed
from ledger_node.core.catalogue_words import Decides, Presence
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.shapes import read_name
from ledger_node.core.statement import get_statement_type
from ledger_node.seed import load_catalogue
from tests.reference import catalogues
from tests.vector_runner import load_vectors, run_vector

VECTORS = load_vectors("catalogue")


def test_parse_seed_is_complete():
    catalogue = load_catalogue()
    assert (len(catalogue.types), len(catalogue.items)) == (104, 95)
    assert sum(len(item.needs) for item in catalogue.items.values()) == 340
    assert (len(catalogue.lists), len(catalogue.bundles), len(catalogue.equivalences)) == (10, 8, 3)
    assert "resident-id" in catalogue.sensitive_types
    for code in catalogue.types:
        get_statement_type(code)


def test_check_catalogue_seed_has_no_error_and_exactly_the_known_warnings():
    findings = check_catalogue(load_catalogue())
    assert not [each for each in findings if each.severity is Severity.ERROR]
    assert Counter(each.code for each in findings) == {
        FindingCode.INSTANT_WITH_DAYS: 14,
        FindingCode.SURRENDER_NOT_NEEDED: 1,
    }
    surrender = next(each for each in findings if each.code is FindingCode.SURRENDER_NOT_NEEDED)
    assert surrender.path == "items[12].surrender"  # ssc-cancel takes a card no need names


def test_parse_seed_fills_in_what_the_seed_does_not_say():
    catalogue = load_catalogue()
    card = catalogue.get_item("talent-settle-xiongan")
    assert (card.decides, card.decide_cities) == (Decides.NAMED, ("133100",))
    one_way = catalogue.get_list("wuhou-to-xiongan-1")
    assert (one_way.receiving, one_way.deciding) == (("510107",), ("133100",))
    pair = catalogue.get_list("chuanyu-1")
    assert (pair.receiving, pair.deciding) == (("510107", "510700"), ("500103",))
    assert catalogue.get_item("marriage-appointment").presence is Presence.BOTH
    assert catalogue.types["medical-invoice"].single_use
    kinds = Counter(
        catalogue.bases[need.basis].kind.value
        for item in catalogue.items.values()
        for need in item.needs
    )
    assert kinds == {"function": 218, "consent": 122}


@pytest.mark.parametrize("vector", VECTORS)
def test_parse_catalogue_vector_has_exactly_the_named_findings(vector):
    def action():
        catalogue = parse_catalogue(encode_canonical(vector["value"]))
        assert compute_catalogue_digest(catalogue).hex() == vector["digest"]
        assert compute_catalogue_pin(catalogue) == vector["pin"]

    run_vector(vector, action)
    if vector["want_error"] == "CatalogueRefusedError":
        with pytest.raises(CatalogueRefusedError) as caught:
            action()
        found = [[each.code.value, each.path] for each in caught.value.findings]
        assert found == vector["errors"]


def test_vectors_have_every_error_code():
    named = {code for vector in VECTORS for code, _ in vector.values[0]["errors"]}
    warnings = {
        FindingCode.INSTANT_WITH_DAYS,
        FindingCode.SURRENDER_NOT_NEEDED,
        FindingCode.TYPE_UNUSED,
        FindingCode.CONDITION_UNUSED,
        FindingCode.LIST_EMPTY,
        FindingCode.BUNDLE_MIXED,
        FindingCode.BUNDLE_ORDER,
    }
    assert named == set(FindingCode) - warnings


def test_encode_catalogue_seed_reads_back_the_same():
    catalogue = load_catalogue()
    data = encode_catalogue(catalogue)
    assert parse_catalogue(data) == catalogue
    assert encode_catalogue(parse_catalogue(data)) == data


def test_compute_catalogue_pin_is_a_name_a_receipt_takes():
    assert read_name(compute_catalogue_pin(load_catalogue()), what="catalogue")


WARNED = {
    FindingCode.TYPE_UNUSED: (("types", 3, "code", "e"), "types[3].code"),
    FindingCode.CONDITION_UNUSED: (
        ("items", 0, "needs", 2, "condition", None),
        "conditions[0].code",
    ),
    FindingCode.LIST_EMPTY: (("items", 1, "lists", ["all-1"]), "lists[1].code"),
    FindingCode.BUNDLE_MIXED: (("items", 1, "subject", "enterprise"), "bundles[0].items"),
    FindingCode.BUNDLE_ORDER: (("bundles", 0, "items", ["move", "loan"]), "bundles[0].items"),
    FindingCode.INSTANT_WITH_DAYS: (("items", 0, "instant", True), "items[0].promised_days"),
    FindingCode.SURRENDER_NOT_NEEDED: (("items", 0, "surrender", ["d"]), "items[0].surrender"),
}


@pytest.mark.parametrize("code", WARNED, ids=str)
def test_check_catalogue_doubtful_warns_at_its_place(code):
    (*path, last, value), place = WARNED[code]
    made = catalogues.catalogue()
    assert check_catalogue(read_catalogue(made)) == ()
    spot = made
    for step in path:
        spot = spot[step]
    spot[last] = value
    if code is FindingCode.TYPE_UNUSED:
        made["items"][0]["result"] = None
        made["items"][1]["needs"].pop()
    found = check_catalogue(read_catalogue(made))
    assert (code, Severity.WARNING, place) in {
        (each.code, each.severity, each.path) for each in found
    }


@pytest.mark.parametrize("code", ["items", "meta", "lists"])
def test_parse_seed_bent_raises(code):
    made = copy.deepcopy(catalogues.SEED)
    parse_seed(made)
    del made[code]
    with pytest.raises(MalformedInputError):
        parse_seed(made)


def test_get_item_unknown_raises():
    with pytest.raises(UnknownItemError):
        load_catalogue().get_item("moon-landing")
    with pytest.raises(UnknownListError):
        load_catalogue().get_list("moon-1")


def test_is_in_force_counts_the_first_day_and_not_the_end():
    basis = read_catalogue(catalogues.catalogue()).bases["consent"]
    assert basis.is_in_force(date(2021, 11, 1))
    assert not basis.is_in_force(date(2021, 10, 31))
    item = load_catalogue().get_item("hpf-proof")
    assert item.is_effective(date(2026, 1, 1))
    assert not item.is_effective(date(2025, 12, 31))


def test_encode_list_holds_what_its_items_name_and_nothing_else():
    catalogue = read_catalogue(catalogues.catalogue())
    document = json.loads(encode_list(catalogue, "pair-1"))
    assert document["v"] == "tongban/catalogue-list/v1"
    assert [each["code"] for each in document["items"]] == ["move"]
    assert [each["code"] for each in document["types"]] == ["a", "d"]
    assert (document["conditions"], len(document["bases"])) == ([], 1)
    assert list_parties(catalogue, "pair-1") == (ListRule.BILATERAL, ("510107", "510700"))
    assert list_parties(catalogue, "all-1") == (ListRule.CONSORTIUM, ())


def test_compute_list_digest_changes_with_its_own_list_only():
    before = catalogues.catalogue()
    after = catalogues.catalogue()
    after["items"][0]["promised_days"] = 4
    one, two = read_catalogue(before), read_catalogue(after)
    assert compute_list_digest(one, "pair-1") == compute_list_digest(two, "pair-1")
    assert compute_list_digest(one, "all-1") != compute_list_digest(two, "all-1")
    with pytest.raises(UnknownListError):
        compute_list_digest(one, "moon-1")


@pytest.mark.parametrize("code", ["a", "all-1", "x" * 32, "x" * 64])
@pytest.mark.parametrize("count", [0, 2, 8, 9])
def test_compute_list_id_is_that_of_the_contract(code, count):
    cities = [f"{510100 + n:06d}" for n in range(count)]
    packed = b"".join(int(city).to_bytes(4, "big") for city in cities)
    for rule in ListRule:
        expected = keccak(encode(["uint8", "string", "bytes"], [int(rule), code, packed]))
        assert compute_list_id(rule, code, cities) == expected
