"""Latched reasons to stop. A soft failure or a restart never clears one; a person does."""

from __future__ import annotations

from ledger_node.core.errors import InvariantError
from ledger_node.flows.node import Node
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_log import Halt


class LedgerHaltedError(InvariantError):
    """A halt stands: nothing is sequenced, anchored or released before a person clears it."""

    code = "ledger_halted"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(
            f"账本已停机（{reason}）：{detail}。须由负责人核查后解除。",
            f"The ledger is halted ({reason}): {detail}. A person must look and clear it.",
            reason=reason,
            detail=detail,
        )
        self.reason = reason


def demand_no_halt(tx: Transaction) -> None:
    """Every loop asks this first, in the transaction it reads or writes in.

    Raises:
        LedgerHaltedError: A halt stands; carries the oldest.
    """
    standing = tx.log.list_halts()
    if standing:
        raise LedgerHaltedError(standing[0].reason, standing[0].detail)


def latch_halt(node: Node, reason: str, detail: str) -> LedgerHaltedError:
    """Latch a halt durably; returns the error for the caller to raise."""
    with node.database.transaction() as tx:
        tx.log.latch_halt(reason, detail, node.clock.now())
    return LedgerHaltedError(reason, detail)


def list_halts(node: Node, *, standing_only: bool = True) -> list[Halt]:
    """Halts, oldest first."""
    with node.database.read() as tx:
        return tx.log.list_halts(standing_only=standing_only)


def clear_halt(node: Node, reason: str, by: str) -> bool:
    """A person clears a halt; False when none of this reason stands.

    Args:
        by: Who looked and decided; kept with the halt.
    """
    if not by.strip():
        raise ValueError("a halt is cleared by a person with a name")
    with node.database.transaction() as tx:
        return tx.log.clear_halt(reason, by.strip(), node.clock.now())
