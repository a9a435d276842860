"""Errors of the local chain: refusals to start, and refusals of a transaction."""

from __future__ import annotations


class LocalChainError(Exception):
    """Base; the message is a plain sentence, `code` is stable."""

    code = "local_chain"


class StoreLockedError(LocalChainError):
    """Another process has this data directory open."""

    code = "store_locked"


class StoreMismatchError(LocalChainError):
    """The data directory holds another chain (id, genesis or format) than was asked for."""

    code = "store_mismatch"


class AddressInUseError(LocalChainError):
    """The port could not be bound."""

    code = "address_in_use"


class TransactionRejectedError(LocalChainError):
    """A raw transaction was not taken into the pool; the message uses the field's usual words."""

    code = "transaction_rejected"


class ChainStoppedError(LocalChainError):
    """A commit failed; nothing is acknowledged any more until the process is started again."""

    code = "chain_stopped"
