"""Which materials a find is told of.

Step 6 of the data flow (signed terms -> candidates in other cities). Spec: design section 8,
docs/spec/release.md, section "Find".

Invariants:
    * Only this person's materials, within the terms and what is left of them, and never an erased
      one. Nothing found is an answer like any other.
Not here: whether the find may be answered at all (grant.decide_find), bytes (find_messages.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger_node.core.event_types import StatusFlag
from ledger_node.core.grant import apply_strike_outs
from ledger_node.core.grant_facts import NO_STRIKE_OUTS, HeldMaterial, StrikeOuts
from ledger_node.core.terms import Terms
from ledger_node.core.types import Commitment


def decide_candidates(
    terms: Terms,
    types: Sequence[str],
    held: Iterable[HeldMaterial],
    subject_tag: bytes,
    strike_outs: StrikeOuts = NO_STRIKE_OUTS,
) -> tuple[Commitment, ...]:
    """Which held materials a find may be told of, rising by commitment.

    Args:
        terms: The grant; `decide_find` has allowed it.
        types: Codes asked for.
        held: What the city holds; only this person's, within the terms, and not erased remain.
        subject_tag: Index tag of the opened subject.
        strike_outs: What the person took back.
    """
    granted = {each.code for each in apply_strike_outs(terms, strike_outs)} & set(types)
    return tuple(
        sorted(
            each.commitment
            for each in held
            if subject_tag in each.subject_tags
            and each.type_code in granted
            and (terms.materials is None or each.commitment in terms.materials)
            and each.commitment not in strike_outs.materials
            and StatusFlag.ERASED not in each.status
        )
    )
