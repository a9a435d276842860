"""A fault at the commit of one block, planted from outside: the product has no switch for it."""

from __future__ import annotations

import os
import signal
from typing import Any

from ledger_node.localchain.store import BlockWrite, Store


class FailedCommitError(OSError):
    """What the store raises although the block is on disk."""


def plant(when: str, number: int) -> None:
    """Wrap the commit of block `number`: kill `before` or `after` it, or `raise-after`."""
    commit = Store.commit_block

    def failing(store: Store, block: BlockWrite, meta: Any = None) -> None:
        if block.number != number:
            commit(store, block, meta)
            return
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(store, block, meta)
        if when == "raise-after":
            raise FailedCommitError
        os.kill(os.getpid(), signal.SIGKILL)

    Store.commit_block = failing  # type: ignore[method-assign]
