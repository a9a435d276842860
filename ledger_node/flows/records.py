"""Private records of steps 6 to 10, sealed under a key of their own in the key store.

Key names: `grant/<grant id>`, `release/<request digest>`, `receipt/<receipt id>`. Destroying the
key erases the record, backups of the database included.
"""

from __future__ import annotations

from contextlib import suppress

from ledger_node.core.derivation import MATERIAL_KEY_BYTES, derive_sealing_key
from ledger_node.flows.node import Node
from ledger_node.flows.sealing import open_value, seal_value
from ledger_node.ports.keys import KeyConflictError


def open_record_key(node: Node, name: str) -> bytes:
    """Sealing key of a record; made durable on first use.

    Two processes may be first at once: the store keeps one key, and both use that one.
    """
    if not node.key_store.has(name):
        with suppress(KeyConflictError):  # another process was first: its key is the key
            node.key_store.put_all({name: node.entropy(MATERIAL_KEY_BYTES)})
    (key,) = node.key_store.get_all([name])
    return derive_sealing_key(key)


def seal_record(node: Node, name: str, part: str, plaintext: bytes) -> bytes:
    """Seal one part (a column) of a record."""
    return seal_value(node.entropy, open_record_key(node, name), plaintext, f"{name}/{part}")


def open_record(node: Node, name: str, part: str, sealed: bytes) -> bytes:
    """Open one part of a record.

    Raises:
        KeyMissingError: The record's key is gone (erased).
        SealedValueDamagedError: The sealed bytes were changed; names the part.
    """
    (key,) = node.key_store.get_all([name])
    return open_value(derive_sealing_key(key), sealed, f"{name}/{part}")
