"""The light over an answer, for each rule and age."""

from __future__ import annotations

import pytest

from ledger_node.core.catalogue_words import Necessity
from ledger_node.core.freshness import BEARABLE_S, FRESH_S, RULES, Light, decide_light
from ledger_node.core.verdict import LineState

H, P, F = LineState.HOLDS, LineState.PENDING, LineState.FAILS
REQUIRED, DEFER = Necessity.REQUIRED, Necessity.DEFER


@pytest.mark.parametrize(
    ("state", "age_s", "need", "in_doubt", "light"),
    [
        (H, 0, REQUIRED, False, Light.GREEN),
        (H, FRESH_S, REQUIRED, False, Light.GREEN),
        (H, FRESH_S + 1, REQUIRED, False, Light.AMBER),
        (H, 0, REQUIRED, True, Light.AMBER),
        (H, None, REQUIRED, False, Light.AMBER),
        (P, 0, REQUIRED, False, Light.AMBER),
        (P, BEARABLE_S, REQUIRED, False, Light.AMBER),
        (P, BEARABLE_S + 1, REQUIRED, False, Light.RED),
        (H, BEARABLE_S + 1, REQUIRED, False, Light.RED),
        (H, BEARABLE_S + 1, DEFER, False, Light.AMBER),
        (H, 10 * BEARABLE_S, Necessity.OPTIONAL, False, Light.AMBER),
        (F, 0, DEFER, False, Light.RED),
    ],
)
def test_decide_light(
    state: LineState, age_s: int | None, need: Necessity, in_doubt: bool, light: Light
) -> None:
    assert decide_light(state, age_s, RULES[need], in_doubt=in_doubt) is light


def test_every_necessity_has_a_rule() -> None:
    assert set(RULES) == set(Necessity)
