"""The clocks of a case: everything that begins, pauses, ends late, or happens by itself."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger_node.core.case import BEIJING, CaseEvent
from ledger_node.core.case_clock import (
    CaseLimits,
    CaseStep,
    ClockKind,
    ClockState,
    compute_clocks,
    day_in_china,
)
from ledger_node.core.catalogue_words import DayUnit
from ledger_node.edges.calendar import load_work_calendar

CALENDAR = load_work_calendar()
E, K, S = CaseEvent, ClockKind, ClockState
RECEIVED = date(2026, 3, 2)  # a Monday in a month without holidays
LIMITS = CaseLimits(20, DayUnit.WORKING, 7)


def at(day, hour=10):
    return datetime(day.year, day.month, day.day, hour, tzinfo=BEIJING)


def on(text):
    return date.fromisoformat(f"2026-{text}")


def run(*steps, today, limits=LIMITS, received=RECEIVED):
    """Steps are (event, "MM-DD") pairs."""
    made = [CaseStep(event, at(on(day))) for event, day in steps]
    return compute_clocks(at(received), made, limits, CALENDAR, on(today))


def states(clocks):
    return {
        each.kind: (each.state, None if each.due is None else f"{each.due.day:%m-%d}")
        for each in clocks.clocks
    }


def test_compute_clocks_new_case_has_five_working_days_to_be_answered():
    clocks = run(today="03-02")
    assert states(clocks) == {K.ANSWER: (S.RUNNING, "03-09")}
    assert (clocks.accepted_on, clocks.deemed) == (None, False)


def test_compute_clocks_nobody_answered_counts_as_accepted_from_receipt():
    assert not run(today="03-09").deemed
    clocks = run(today="03-10")
    assert (clocks.accepted_on, clocks.deemed) == (RECEIVED, True)
    assert states(clocks) == {
        K.ANSWER: (S.OVERDUE, "03-09"),
        K.DECIDE_PROMISED: (S.RUNNING, "03-11"),
        K.DECIDE_STATUTORY: (S.RUNNING, "03-30"),
    }


def test_compute_clocks_completion_asked_too_late_does_not_undo_the_acceptance():
    clocks = run((E.ASK_COMPLETION, "03-10"), today="03-12")
    assert (clocks.accepted_on, clocks.deemed) == (RECEIVED, True)
    assert states(clocks)[K.DECIDE_PROMISED] == (S.OVERDUE, "03-11")
    assert states(clocks)[K.ANSWER] == (S.OVERDUE, "03-09")
    later = run((E.ASK_COMPLETION, "03-10"), (E.COMPLETE, "03-11"), today="03-12")
    assert states(later) == states(clocks)


def test_compute_clocks_completion_in_time_begins_anew_with_the_papers():
    waiting = run((E.ASK_COMPLETION, "03-09"), today="03-31")
    assert states(waiting) == {K.ANSWER: (S.MET, "03-09")}
    assert not waiting.deemed
    again = run((E.ASK_COMPLETION, "03-09"), (E.COMPLETE, "03-16"), today="03-17")
    assert states(again) == {K.ANSWER: (S.RUNNING, "03-23")}
    accepted = run(
        (E.ASK_COMPLETION, "03-09"), (E.COMPLETE, "03-16"), (E.ACCEPT, "03-18"), today="03-19"
    )
    assert (accepted.accepted_on, accepted.deemed) == (on("03-18"), False)
    silent = run((E.ASK_COMPLETION, "03-09"), (E.COMPLETE, "03-16"), today="03-24")
    assert (silent.accepted_on, silent.deemed) == (on("03-16"), True)


def test_compute_clocks_second_completion_is_named():
    steps = [(E.ASK_COMPLETION, "03-03"), (E.COMPLETE, "03-04")]
    assert not run(*steps, today="03-05").asked_again
    assert run(*steps, (E.ASK_COMPLETION, "03-05"), today="03-05").asked_again


def test_compute_clocks_granted_in_time_then_delivered():
    steps = [(E.ACCEPT, "03-02"), (E.REVIEW, "03-03"), (E.GRANT, "03-11")]
    assert states(run(*steps, today="03-12")) == {
        K.ANSWER: (S.MET, "03-09"),
        K.DECIDE_PROMISED: (S.MET, "03-11"),
        K.DECIDE_STATUTORY: (S.MET, "03-30"),
        K.DELIVER: (S.RUNNING, "03-25"),
    }
    late = run(*steps, (E.DELIVER, "03-26"), today="04-01")
    assert states(late)[K.DELIVER] == (S.MISSED, "03-25")


def test_compute_clocks_promise_and_law_are_missed_apart():
    clocks = run((E.ACCEPT, "03-02"), (E.REFUSE, "03-12"), today="03-12")
    assert states(clocks)[K.DECIDE_PROMISED] == (S.MISSED, "03-11")
    assert states(clocks)[K.DECIDE_STATUTORY] == (S.MET, "03-30")


def test_compute_clocks_suspension_does_not_count():
    paused = run((E.ACCEPT, "03-02"), (E.REVIEW, "03-02"), (E.SUSPEND, "03-04"), today="03-31")
    assert states(paused)[K.DECIDE_STATUTORY] == (S.PAUSED, None)
    resumed = run(
        (E.ACCEPT, "03-02"),
        (E.REVIEW, "03-02"),
        (E.SUSPEND, "03-04"),
        (E.RESUME, "03-11"),
        today="03-12",
    )
    assert states(resumed)[K.DECIDE_PROMISED] == (S.RUNNING, "03-18")  # five days later
    twice = run(
        (E.ACCEPT, "03-02"),
        (E.REVIEW, "03-02"),
        (E.SUSPEND, "03-04"),
        (E.RESUME, "03-06"),
        (E.SUSPEND, "03-09"),
        (E.RESUME, "03-10"),
        today="03-12",
    )
    assert states(twice)[K.DECIDE_PROMISED] == (S.RUNNING, "03-16")  # 2 + 1 days later


def test_compute_clocks_extension_adds_ten_days():
    limits = CaseLimits(None, DayUnit.WORKING, 7, extended=True)
    found = states(run((E.ACCEPT, "03-02"), today="03-03", limits=limits))
    assert found[K.DECIDE_STATUTORY] == (S.RUNNING, "04-14")  # 30 working days, 清明 off
    assert found[K.DECIDE_PROMISED] == (S.RUNNING, "03-25")


def test_compute_clocks_calendar_days_count_every_day_and_pauses_whole():
    limits = CaseLimits(15, DayUnit.CALENDAR, 7)
    found = states(run((E.ACCEPT, "03-02"), today="03-03", limits=limits))
    assert found[K.DECIDE_STATUTORY] == (S.RUNNING, "03-17")
    paused = run(
        (E.ACCEPT, "03-02"),
        (E.REVIEW, "03-02"),
        (E.SUSPEND, "03-03"),
        (E.RESUME, "03-05"),
        today="03-06",
        limits=limits,
    )
    assert states(paused)[K.DECIDE_STATUTORY] == (S.RUNNING, "03-19")


def test_compute_clocks_instant_item_is_promised_the_same_day():
    limits = CaseLimits(None, DayUnit.WORKING, 0)
    same = run((E.ACCEPT, "03-02"), (E.GRANT, "03-02"), today="03-02", limits=limits)
    later = run((E.ACCEPT, "03-02"), (E.GRANT, "03-03"), today="03-03", limits=limits)
    assert states(same)[K.DECIDE_PROMISED] == (S.MET, "03-02")
    assert states(later)[K.DECIDE_PROMISED] == (S.MISSED, "03-02")


def test_compute_clocks_turned_away_is_answered_and_must_be_delivered():
    clocks = run((E.TURN_AWAY, "03-04"), today="03-05")
    assert states(clocks) == {K.ANSWER: (S.MET, "03-09"), K.DELIVER: (S.RUNNING, "03-18")}


@pytest.mark.parametrize("steps", [(), ((E.ACCEPT, "03-03"),)])
def test_compute_clocks_withdrawn_case_runs_no_longer(steps):
    clocks = run(*steps, (E.WITHDRAW, "03-05"), today="06-01")
    assert not clocks.deemed
    assert {each.state for each in clocks.clocks} == {S.MET}


def test_compute_clocks_into_an_unannounced_year_are_estimated():
    year = max(CALENDAR.years)
    day = date(year, 12, 28)
    clocks = compute_clocks(at(day), [CaseStep(E.ACCEPT, at(day))], LIMITS, CALENDAR, day)
    assert all(each.due is not None and each.due.estimated for each in clocks.clocks)


def test_day_in_china_begins_eight_hours_early():
    late = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
    assert day_in_china(late) == RECEIVED
    assert day_in_china(late - timedelta(seconds=1)) == RECEIVED - timedelta(days=1)
