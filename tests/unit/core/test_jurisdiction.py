"""Who decides: every item of the seed, from every city, for every home."""

import itertools
from datetime import date, timedelta

import pytest

from ledger_node.core.catalogue_words import Decides
from ledger_node.core.errors import NotPermittedError
from ledger_node.core.jurisdiction import (
    CityDoesNotDecideError,
    HomeCityMissingError,
    HomeOutsideListsError,
    ItemNotEffectiveError,
    ItemNotTakenHereError,
    demand_decides,
    demand_received,
    list_deciding_cities,
)
from ledger_node.seed import load_catalogue

SEED = load_catalogue()
CITIES = tuple(SEED.cities)
WUHOU, MIANYANG, XIONGAN, YUZHONG, YANTA = "510107", "510700", "133100", "500103", "610113"
DAY = date(2026, 3, 2)


def decided(code, accepting, home=None, on=DAY):
    return list_deciding_cities(SEED, SEED.get_item(code), accepting, home, on)


@pytest.mark.parametrize("code", SEED.items)
def test_list_deciding_cities_every_pair_is_answered_or_typed(code):
    item = SEED.get_item(code)
    for accepting, home in itertools.product(CITIES, (None, *CITIES)):
        try:
            cities = decided(code, accepting, home)
        except NotPermittedError as error:
            with pytest.raises(type(error)):
                demand_decides(SEED, item, accepting, home, accepting, DAY)
            continue
        assert accepting in SEED.places(item.accept)
        if item.decides is Decides.HOME:
            assert cities == (home,)
        elif item.decides is Decides.ACCEPTING:
            assert cities == (accepting,)
        else:
            assert cities == item.decide_cities
        for city in CITIES:
            if city in cities:
                demand_decides(SEED, item, accepting, home, city, DAY)
            else:
                with pytest.raises(CityDoesNotDecideError):
                    demand_decides(SEED, item, accepting, home, city, DAY)


def test_list_deciding_cities_accept_here_decide_at_home():
    assert decided("hpf-proof", YANTA, WUHOU) == (WUHOU,)
    assert decided("dual-district-setup", WUHOU) == (YUZHONG, WUHOU)


def test_list_deciding_cities_directed_list_goes_one_way():
    assert decided("talent-settle-xiongan", WUHOU) == (XIONGAN,)
    with pytest.raises(ItemNotTakenHereError):
        decided("talent-settle-xiongan", MIANYANG)


def test_list_deciding_cities_home_unknown_or_outside_is_typed():
    with pytest.raises(HomeCityMissingError):
        decided("hpf-proof", YANTA)
    with pytest.raises(HomeOutsideListsError):
        decided("hpf-transfer", MIANYANG, XIONGAN)
    assert decided("hpf-transfer", MIANYANG, MIANYANG) == (MIANYANG,)


def test_demand_received_before_its_day_is_refused():
    item = SEED.get_item("hpf-proof")
    demand_received(SEED, item, WUHOU, item.effective_from)
    with pytest.raises(ItemNotEffectiveError):
        demand_received(SEED, item, WUHOU, item.effective_from - timedelta(days=1))


def test_list_deciding_cities_receiving_is_not_accepting():
    found = [
        (item.code, city)
        for item in SEED.items.values()
        for city in set(SEED.places(item.receive)) - set(SEED.places(item.accept))
    ]
    assert found
    for code, city in found:
        demand_received(SEED, SEED.get_item(code), city, DAY)
        with pytest.raises(ItemNotTakenHereError):
            decided(code, city, city)
