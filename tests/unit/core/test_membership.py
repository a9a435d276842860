"""The consortium folded from Membership events: keys, standing, URLs, contracts over time."""

import pytest

from ledger_node.core import event_types as t
from ledger_node.core.membership import (
    EMPTY_CONSORTIUM,
    MembershipContradictionError,
    NotAMemberError,
    compute_consortium,
    is_key_trusted_at,
)
from tests.unit.core.chain_histories import CITY_LOG, GRANTS, History, digest

WUHOU, MIANYANG = "510107", "510700"


def fold(history):
    return compute_consortium(EMPTY_CONSORTIUM, history.events)


def at(history, seconds=0):
    return history.time_s + seconds


def test_compute_consortium_founders_have_seven_keys_and_good_standing():
    history = History().found()
    consortium = fold(history)
    assert len(consortium.members) == 5
    for role in t.KeyRole:
        key = consortium.key_at(WUHOU, role, at(history))
        assert key.key == digest("key", WUHOU, role)
        assert is_key_trusted_at(key, history.block)
    assert consortium.in_good_standing(WUHOU)
    assert consortium.url_of(WUHOU, at(history)) == "https://510107.example"
    assert consortium.member(WUHOU).city == WUHOU


def test_consortium_stranger_has_nothing():
    consortium = fold(History().found())
    assert consortium.key_at("999999", t.KeyRole.GATE, 2**40) is None
    assert consortium.url_of("999999", 2**40) is None
    assert not consortium.in_good_standing("999999")
    with pytest.raises(NotAMemberError):
        consortium.member("999999")


def test_key_at_announced_key_ends_the_one_before_at_its_time():
    history = History().found()
    begins = at(history, 86_400)
    history.emit(t.KeyAnnounced, WUHOU, t.KeyRole.MESSAGE, digest("new"), begins, 1)
    consortium = fold(history)
    old = digest("key", WUHOU, t.KeyRole.MESSAGE)
    assert consortium.key_at(WUHOU, t.KeyRole.MESSAGE, begins - 1).key == old
    assert consortium.key_at(WUHOU, t.KeyRole.MESSAGE, begins).key == digest("new")
    assert consortium.key_at(WUHOU, t.KeyRole.MESSAGE, 0) is None
    assert consortium.key_at(MIANYANG, t.KeyRole.MESSAGE, begins).key != digest("new")
    find = consortium.find_trusted_key
    assert find(t.KeyRole.MESSAGE, digest("new"), 9, begins) == WUHOU
    assert find(t.KeyRole.MESSAGE, digest("new"), 9, begins - 1) is None
    assert find(t.KeyRole.ENCRYPTION, digest("new"), 9, begins) is None


def test_cancelled_key_is_never_in_force_and_never_accepted_again():
    history = History().found()
    begins = at(history, 86_400)
    history.emit(t.KeyAnnounced, WUHOU, t.KeyRole.MESSAGE, digest("new"), begins, 1)
    history.emit(t.ChangeCancelled, 1, WUHOU)
    consortium = fold(history)
    old = consortium.key_at(WUHOU, t.KeyRole.MESSAGE, begins + 10**6)
    assert (old.key, old.valid_until_s) == (digest("key", WUHOU, t.KeyRole.MESSAGE), None)
    assert consortium.find_trusted_key(t.KeyRole.MESSAGE, digest("new"), 9, begins) is None
    history.emit(t.KeyAnnounced, MIANYANG, t.KeyRole.MESSAGE, digest("new"), begins, 2)
    with pytest.raises(MembershipContradictionError) as caught:
        fold(history)
    assert caught.value.problem == "key_repeated"


def test_key_announced_after_a_cancelled_one_ends_the_key_in_force():
    history = History().found()
    begins = at(history, 86_400)
    history.emit(t.KeyAnnounced, WUHOU, t.KeyRole.GATE, digest("one"), begins, 1)
    history.emit(t.ChangeCancelled, 1, WUHOU)
    history.emit(t.KeyAnnounced, WUHOU, t.KeyRole.GATE, digest("two"), begins + 5, 2)
    consortium = fold(history)
    first = consortium.key_at(WUHOU, t.KeyRole.GATE, begins + 4)
    assert (first.key, first.valid_until_s) == (digest("key", WUHOU, t.KeyRole.GATE), begins + 5)
    assert consortium.key_at(WUHOU, t.KeyRole.GATE, begins + 5).key == digest("two")


def test_key_at_two_replacements_in_one_block_leave_the_second_in_force():
    history = History().found()
    for name in ("one", "two"):
        history.emit(t.KeyAnnounced, WUHOU, t.KeyRole.GATE, digest(name), at(history), 0)
    consortium = fold(history)
    assert consortium.key_at(WUHOU, t.KeyRole.GATE, at(history)).key == digest("two")
    assert consortium.key_at(WUHOU, t.KeyRole.GATE, at(history) + 10**6).key == digest("two")


def test_url_of_announced_url_counts_from_its_time_and_can_be_cancelled():
    history = History().found()
    begins = at(history, 86_400)
    history.emit(t.UrlAnnounced, WUHOU, "https://new.example", begins, 1)
    consortium = fold(history)
    assert consortium.url_of(WUHOU, begins - 1) == "https://510107.example"
    assert consortium.url_of(WUHOU, begins) == "https://new.example"
    history.emit(t.ChangeCancelled, 1, WUHOU)
    assert fold(history).url_of(WUHOU, begins) == "https://510107.example"


def test_is_key_trusted_at_distrust_counts_from_its_block_and_only_earlier_widens_it():
    history = History().found()
    key = digest("key", WUHOU, t.KeyRole.MESSAGE)
    for since in (history.block, history.block - 2, history.block - 1):
        history.emit(t.KeyDistrusted, WUHOU, t.KeyRole.MESSAGE, key, since)
    distrusted = fold(history).key_at(WUHOU, t.KeyRole.MESSAGE, at(history))
    assert distrusted.distrusted_since_block == history.block - 2
    assert is_key_trusted_at(distrusted, history.block - 3)
    assert not is_key_trusted_at(distrusted, history.block - 2)
    find = fold(history).find_trusted_key
    assert find(t.KeyRole.MESSAGE, key, history.block - 3, at(history)) == WUHOU
    assert find(t.KeyRole.MESSAGE, key, history.block, at(history)) is None


def test_in_good_standing_is_judged_at_the_block():
    history = History().found()
    history.next_block()
    suspended = history.block
    history.emit(t.MemberSuspended, WUHOU)
    history.next_block()
    reinstated = history.block
    history.emit(t.MemberReinstated, WUHOU)
    consortium = fold(history)
    assert consortium.in_good_standing(WUHOU, suspended - 1)
    assert not consortium.in_good_standing(WUHOU, suspended)
    assert not consortium.in_good_standing(WUHOU, reinstated - 1)
    assert consortium.in_good_standing(WUHOU, reinstated)
    assert consortium.in_good_standing(WUHOU)
    assert not consortium.in_good_standing(WUHOU, 0)


def test_contract_at_new_version_is_current_from_its_block():
    history = History().found()
    new = b"\x55" * 20
    begins = history.block + 10
    history.emit(t.ContractRegistered, t.ContractRole.GRANTS, new, begins)
    consortium = fold(history)
    assert consortium.contract_at(t.ContractRole.GRANTS, 0) is None
    assert consortium.contract_at(t.ContractRole.GRANTS, begins - 1) == GRANTS
    assert consortium.contract_at(t.ContractRole.GRANTS, begins) == new
    assert consortium.role_of_contract(new) is t.ContractRole.GRANTS
    assert consortium.role_of_contract(CITY_LOG) is t.ContractRole.CITY_LOG
    assert consortium.role_of_contract(b"\x66" * 20) is None


def test_contract_at_later_registration_drops_one_whose_block_had_not_come():
    history = History().found()
    begins = history.block + 10
    history.emit(t.ContractRegistered, t.ContractRole.GRANTS, b"\x55" * 20, begins)
    history.emit(t.ContractRegistered, t.ContractRole.GRANTS, b"\x66" * 20, begins + 5)
    consortium = fold(history)
    assert consortium.contract_at(t.ContractRole.GRANTS, begins) == GRANTS
    assert consortium.contract_at(t.ContractRole.GRANTS, begins + 5) == b"\x66" * 20


def test_compute_consortium_other_contracts_change_nothing():
    history = History().found()
    before = fold(history)
    history.anchor()
    history.record()
    assert fold(history) == before


def test_compute_consortium_in_pages_is_the_same():
    history = History(3).found().run(150)
    whole = fold(history)
    for cut in range(0, len(history.events), 17):
        first = compute_consortium(EMPTY_CONSORTIUM, history.events[:cut])
        assert compute_consortium(first, history.events[cut:]) == whole


@pytest.mark.parametrize(
    ("problem", "kind", "values"),
    [
        ("member_repeated", t.MemberAdmitted, (WUHOU, "https://again.example")),
        ("member_unknown", t.MemberSuspended, ("999999",)),
        ("member_unknown", t.KeyAnnounced, ("999999", t.KeyRole.GATE, b"\7" * 32, 0, 1)),
        ("member_unknown", t.UrlAnnounced, ("999999", "https://x.example", 0, 1)),
        ("member_unknown", t.ChangeCancelled, (1, "999999")),
        ("member_unknown", t.KeyDistrusted, ("999999", t.KeyRole.GATE, b"\7" * 32, 1)),
        ("standing_unchanged", t.MemberReinstated, (WUHOU,)),
        (
            "key_repeated",
            t.KeyAnnounced,
            (MIANYANG, t.KeyRole.GATE, digest("key", WUHOU, t.KeyRole.GATE), 0, 1),
        ),
        ("change_unknown", t.ChangeCancelled, (7, WUHOU)),
        ("change_unknown", t.ChangeCancelled, (0, WUHOU)),
        ("key_unknown", t.KeyDistrusted, (WUHOU, t.KeyRole.GATE, b"\7" * 32, 1)),
        ("contract_repeated", t.ContractRegistered, (t.ContractRole.GRANTS, GRANTS, 1)),
    ],
)
def test_compute_consortium_impossible_event_names_the_problem(problem, kind, values):
    history = History().found()
    fold(history)  # the untouched twin
    history.emit(kind, *values)
    with pytest.raises(MembershipContradictionError) as caught:
        fold(history)
    assert caught.value.problem == problem
    assert caught.value.fields["event"] == history.events[-1]


@pytest.mark.parametrize("twice", [False, True], ids=["in-force", "cancelled-twice"])
@pytest.mark.parametrize("url", [False, True], ids=["key", "url"])
def test_compute_consortium_closed_change_cannot_be_cancelled(twice, url):
    history = History().found()
    begins = at(history, 100)
    if url:
        history.emit(t.UrlAnnounced, WUHOU, "https://new.example", begins, 1)
    else:
        history.emit(t.KeyAnnounced, WUHOU, t.KeyRole.GATE, digest("new"), begins, 1)
    if twice:
        history.emit(t.ChangeCancelled, 1, WUHOU)
    else:
        history.next_block(100)
    history.emit(t.ChangeCancelled, 1, WUHOU)
    with pytest.raises(MembershipContradictionError) as caught:
        fold(history)
    assert caught.value.problem == ("change_unknown" if url and twice else "change_closed")
