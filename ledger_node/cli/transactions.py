"""How a transaction that a command sent fares; the running node watches it in the outbox."""

from __future__ import annotations

from ledger_node.core.anchor import TxState
from ledger_node.core.errors import ConflictError
from ledger_node.flows.node import Node


class TransactionFailedError(ConflictError):
    """The transaction was reverted in a final block, or its nonce went to another one.

    Fields: tx_hash (hex).
    """

    code = "transaction_failed"


def demand_not_failed(node: Node, outbox_id: int) -> None:
    """Look at a transaction of this city.

    Raises:
        TransactionFailedError: It has failed finally.
    """
    is_confirmed(node, outbox_id)


def is_confirmed(node: Node, outbox_id: int) -> bool:
    """Whether a transaction of this city is in a final block.

    Raises:
        TransactionFailedError: It has failed finally.
    """
    with node.database.read() as tx:
        row = tx.outbox.load_transaction(outbox_id)
    if row.state is TxState.FAILED:
        raise TransactionFailedError(
            "链拒绝了这笔交易（执行时情况已变）。请核对后重试。",
            "The chain refused this transaction when it came to it; look again and retry.",
            tx_hash=row.tx_hash.hex(),
        )
    return row.state is TxState.CONFIRMED
