"""The smallest ask: exhaustive over small worlds, and over every bundle of the seed."""

import itertools
import random
from dataclasses import replace

import pytest

from ledger_node.core.asks import (
    OPEN_REASONS,
    AskReason,
    Situation,
    choose_fewest,
    expand_item,
    plan_asks,
)
from ledger_node.core.catalogue import Equivalence
from ledger_node.core.catalogue_format import read_catalogue
from ledger_node.core.catalogue_words import Necessity, Wanted, Whose
from ledger_node.seed import load_catalogue
from tests.reference import catalogues

SEED = load_catalogue()
WUHOU = "510107"


def fewest_by_trying_all(needs):
    codes = sorted({code for need in needs for code in need})
    for size in range(len(codes) + 1):
        for chosen in itertools.combinations(codes, size):
            if all(set(need) & set(chosen) for need in needs):
                return size
    raise AssertionError


def test_choose_fewest_every_small_world_is_as_small_as_can_be():
    kinds = [c for size in (1, 2, 3) for c in itertools.combinations("abcd", size)]
    for count in (0, 1, 2, 3):
        for needs in itertools.combinations_with_replacement(kinds, count):
            chosen = choose_fewest(needs)
            assert all(set(need) & set(chosen) for need in needs)
            assert len(chosen) == len(set(chosen)) == fewest_by_trying_all(needs)


def test_choose_fewest_random_worlds_agree_with_trying_all():
    rng = random.Random(7)
    for _ in range(150):
        needs = [rng.sample("abcdefg", rng.randrange(1, 4)) for _ in range(rng.randrange(1, 9))]
        chosen = choose_fewest(needs)
        assert all(set(need) & set(chosen) for need in needs)
        assert len(chosen) == fewest_by_trying_all(needs)


def test_choose_fewest_prefers_what_stands_first():
    assert choose_fewest([("b", "a"), ("b", "a")]) == ("b",)


@pytest.mark.parametrize("code", SEED.bundles)
@pytest.mark.parametrize("identified", [False, True])
def test_plan_asks_bundle_asks_each_paper_once_and_explains_every_need(code, identified):
    items = [SEED.get_item(each) for each in SEED.bundles[code].items]
    situation = Situation(conditions=set(SEED.conditions), identified=identified, found={})
    plan = plan_asks(SEED, items, situation)
    assert len(plan.lines) == sum(len(item.needs) for item in items)
    asked = [(ask.whose, ask.type_code) for ask in plan.asks]
    assert len(asked) == len(set(asked))
    covered = [id(line) for ask in plan.asks for line in ask.lines]
    opened = [id(line) for line in plan.lines if line.reason in OPEN_REASONS]
    assert sorted(covered) == sorted(opened)
    assert len(plan.asks) <= len(opened)
    apart = sum(len(plan_asks(SEED, [item], situation).asks) for item in items)
    assert len(plan.asks) <= apart


def test_plan_asks_newborn_needs_the_parents_card_once():
    items = [SEED.get_item(each) for each in SEED.bundles["newborn"].items]
    plan = plan_asks(SEED, items, Situation(found={}))
    card = [ask for ask in plan.asks if "resident-id" in ask.lines[0].need.any_of]
    assert len(card) == 1
    assert len({line.item for line in card[0].lines}) > 1


def small(**changes):
    return replace(read_catalogue(catalogues.catalogue()), **changes)


REASONS = {
    AskReason.MAY_BE_HELD: Situation(),
    AskReason.NOBODY_HAS_IT: Situation(found={}, agreed=("a", "c")),
    AskReason.NOT_AGREED: Situation(found={}),
    AskReason.HELD_HERE: Situation(held_here=("a",)),
    AskReason.HELD_ELSEWHERE: Situation(found={WUHOU: ("c",)}),
}


@pytest.mark.parametrize("reason", REASONS, ids=str)
def test_plan_asks_says_why(reason):
    catalogue = small(equivalences=())
    line = plan_asks(catalogue, [catalogue.get_item("loan")], REASONS[reason]).lines[0]
    assert line.reason is reason
    assert (line.city == WUHOU) is (reason is AskReason.HELD_ELSEWHERE)
    assert (line.type_code is None) is (reason in OPEN_REASONS)


def test_plan_asks_condition_that_does_not_hold_is_not_needed():
    catalogue = small()
    lines = plan_asks(catalogue, [catalogue.get_item("loan")], Situation()).lines
    assert lines[2].reason is AskReason.NOT_NEEDED
    lines = plan_asks(catalogue, [catalogue.get_item("loan")], Situation({"agent"})).lines
    assert lines[2].reason is AskReason.MAY_BE_HELD


def test_plan_asks_what_an_earlier_item_issues_is_not_asked():
    catalogue = small(equivalences=())
    loan, move = catalogue.get_item("loan"), catalogue.get_item("move")
    in_order = plan_asks(catalogue, [loan, move], Situation(found={}))
    assert in_order.lines[-1].reason is AskReason.ISSUED_BEFORE
    assert [ask.type_code for ask in in_order.asks] == ["b", "a"]
    reverse = plan_asks(catalogue, [move, loan], Situation(found={}))
    assert [ask.type_code for ask in reverse.asks] == ["a", "d", "b"]


def test_plan_asks_wants_the_least_that_serves_all_and_later_only_if_all_may():
    catalogue = small(equivalences=())
    item = catalogue.get_item("loan")
    need = replace(item.needs[0], any_of=("a",), wanted=Wanted.CHECK, necessity=Necessity.DEFER)
    one = replace(item, needs=(need,), result=None)
    ask = plan_asks(catalogue, [one], Situation()).asks[0]
    assert (ask.wanted, ask.later) == (Wanted.CHECK, True)
    more = replace(need, wanted=Wanted.FIELDS, necessity=Necessity.REQUIRED)
    both = replace(item, needs=(need, more), result=None)
    (ask,) = plan_asks(catalogue, [both], Situation()).asks
    assert (ask.wanted, ask.later, len(ask.lines)) == (Wanted.FIELDS, False, 2)


def test_plan_asks_papers_of_different_people_are_asked_apart():
    catalogue = small(equivalences=())
    item = catalogue.get_item("move")
    mine = replace(item.needs[0], any_of=("a",))
    theirs = replace(mine, whose=Whose.CHILD)
    asks = plan_asks(catalogue, [replace(item, needs=(mine, theirs))], Situation()).asks
    assert [(ask.whose, ask.type_code) for ask in asks] == [
        (Whose.APPLICANT, "a"),
        (Whose.CHILD, "a"),
    ]


def test_expand_item_follows_equivalences_one_way_and_only_where_they_hold():
    rows = (
        Equivalence("a", "b", "move", ""),
        Equivalence("b", "c", None, ""),
        Equivalence("d", "a", "loan", ""),
    )
    catalogue = small(equivalences=rows)
    move = expand_item(catalogue, catalogue.get_item("move"))
    assert [need.any_of for need in move.needs] == [("a", "b", "c"), ("d",)]
    loan = expand_item(catalogue, catalogue.get_item("loan"))
    assert loan.needs[0].any_of == ("a", "c")
    assert loan.needs[1].any_of == ("b", "c")
