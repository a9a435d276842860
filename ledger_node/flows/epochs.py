"""Epochs of wrapping keys: nothing stays wrapped under one key for more than a month (design §7).

What was erased dies for good, backups and free pages included, with the epoch it was wrapped in.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from ledger_node.flows.node import Node

log = structlog.get_logger()


def renew_epoch(node: Node, age: timedelta) -> bool:
    """Begin a new epoch when the current one is old; returns whether one was begun.

    Effects: as `KeyStore.rotate_epoch`. Idempotent.

    Raises:
        KeyStoreUnavailableError: The key store, or the module its wrapping keys are in.
        CiphertextAuthError: A key was changed; the old epoch stays.
    """
    begun = node.key_store.rotate_epoch_when_due(node.clock.now(), age)
    if begun:
        log.info("key_epoch_begun", city=node.city)
    return begun
