"""A person clears a halt: what clearing means for each reason.

Most halts only need the person's word that the cause is gone; two need the decision carried out,
or the next round would find the same contradiction and latch it again.
"""

from __future__ import annotations

from ledger_node.core.event_types import KeyRole
from ledger_node.flows.chain_node import FINALITY_VIOLATED, NONCE_AHEAD
from ledger_node.flows.following import unsafe_accept_fork
from ledger_node.flows.halts import clear_halt, list_halts
from ledger_node.flows.node import Node
from ledger_node.flows.outbox import adopt_chain_nonce


def resolve_halt(node: Node, reason: str, by: str) -> bool:
    """Carry out a person's decision about a halt; False when none of this reason stands.

    Effects, by reason: `finality_violated` takes the chain's present history as the right one;
    `nonce_ahead_of_database` goes on at the chain's nonces; every other halt is only cleared.

    Args:
        by: Who looked and decided; kept with the halt.

    Raises:
        ChainUnavailableError: The chain has to answer and does not; the halt stands.
        LedgerHaltedError: Another chain halt has to be cleared first.
    """
    if reason not in {halt.reason for halt in list_halts(node)}:
        return False
    if reason == FINALITY_VIOLATED:
        unsafe_accept_fork(node, by)
    elif reason == NONCE_AHEAD:
        for role in (KeyRole.ANCHOR, KeyRole.GATE):
            adopt_chain_nonce(node, role, by)
    else:
        clear_halt(node, reason, by)
    return True
