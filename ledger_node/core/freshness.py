"""How far an answer carries when the chain or a city is silent: green, amber or red.

Step 9 of the data flow, promise P9. A verdict is read from the last final block and the mirrors at
hand; the older they are, the less a clerk may do on them alone. What is bearable is the item's
rule: what is required waits, what may be handed in later (容缺受理) can be taken. Spec:
docs/spec/mirror.md, section "Checking while the issuer or the chain is down".

Not here: the verdict (verdict.py), reading the age (flows/verifying.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ledger_node.core.catalogue_words import Necessity
from ledger_node.core.verdict import LineState


class Light(StrEnum):
    """What a clerk may do."""

    GREEN = "green"  # act on it
    AMBER = "amber"  # take it in; what is open has to follow
    RED = "red"  # do not act on it


@dataclass(frozen=True, slots=True)
class FreshnessRule:
    """How old the last known state may be.

    Attributes:
        fresh_s: Up to this age an answer counts as of now.
        bearable_s: Up to this age it may be taken in; None: at any age.
    """

    fresh_s: int
    bearable_s: int | None


FRESH_S: Final = 600  # a chain makes a block at least every ten seconds: this is an outage
BEARABLE_S: Final = 24 * 3600
RULES: Final[Mapping[Necessity, FreshnessRule]] = {
    Necessity.REQUIRED: FreshnessRule(FRESH_S, BEARABLE_S),
    Necessity.DEFER: FreshnessRule(FRESH_S, None),
    Necessity.OPTIONAL: FreshnessRule(FRESH_S, None),
}


def decide_light(
    state: LineState, age_s: int | None, rule: FreshnessRule, *, in_doubt: bool
) -> Light:
    """The light over an answer.

    Args:
        state: Of the verdict.
        age_s: Of the last known state; None where a trust file was brought that carries none.
        rule: Of the item the material is for.
        in_doubt: Something came later against the material, or stands against a log it rests on.
    """
    if state is LineState.FAILS:
        return Light.RED
    if age_s is not None and rule.bearable_s is not None and age_s > rule.bearable_s:
        return Light.RED
    fresh = age_s is not None and age_s <= rule.fresh_s
    if state is LineState.HOLDS and fresh and not in_doubt:
        return Light.GREEN
    return Light.AMBER
