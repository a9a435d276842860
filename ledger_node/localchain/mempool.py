"""Transactions that wait for a block, in memory; the store keeps their bytes.

Per sender in nonce order, between senders in order of arrival. A nonce once taken by a waiting
transaction is not replaced: with free gas there is no price to outbid with. A gap in the nonces
keeps what is behind it waiting. Not thread-safe: the chain's lock guards it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator

from ledger_node.localchain.errors import TransactionRejectedError
from ledger_node.localchain.transaction import PoolTransaction

MAX_TRANSACTIONS = 50_000
MAX_NONCE_GAP = 10_000

NonceOf = Callable[[bytes], int]
"""Next nonce of an account (20 bytes) in the head state."""


class Mempool:
    """Waiting transactions by hash and by sender."""

    def __init__(self) -> None:
        self._by_hash: dict[bytes, tuple[int, PoolTransaction]] = {}
        self._by_sender: dict[bytes, dict[int, bytes]] = {}
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: bytes) -> PoolTransaction | None:
        """The waiting transaction of this hash."""
        found = self._by_hash.get(tx_hash)
        return found[1] if found else None

    def check(self, tx: PoolTransaction, account_nonce: int) -> None:
        """Refuse what cannot be queued beside what waits already.

        Raises:
            TransactionRejectedError: Known, nonce used, nonce taken, too far ahead, or full.
        """
        if tx.hash in self._by_hash:
            raise TransactionRejectedError("already known")
        if tx.nonce < account_nonce:
            raise TransactionRejectedError(
                f"nonce too low: next nonce {account_nonce}, tx nonce {tx.nonce}"
            )
        if tx.nonce in self._by_sender.get(tx.sender, {}):
            raise TransactionRejectedError("replacement transaction underpriced")
        if tx.nonce > account_nonce + MAX_NONCE_GAP:
            raise TransactionRejectedError(f"nonce too high: next nonce {account_nonce}")
        if len(self._by_hash) >= MAX_TRANSACTIONS:
            raise TransactionRejectedError("txpool is full")

    def add(self, tx: PoolTransaction) -> None:
        """Queue a checked transaction."""
        self._by_hash[tx.hash] = (self._arrivals, tx)
        self._by_sender.setdefault(tx.sender, {})[tx.nonce] = tx.hash
        self._arrivals += 1

    def remove(self, tx_hashes: Iterable[bytes]) -> None:
        """Take transactions out; unknown hashes are ignored."""
        for tx_hash in tx_hashes:
            found = self._by_hash.pop(tx_hash, None)
            if found is None:
                continue
            nonces = self._by_sender[found[1].sender]
            del nonces[found[1].nonce]
            if not nonces:
                del self._by_sender[found[1].sender]

    def next_nonce(self, sender: bytes, account_nonce: int) -> int:
        """Nonce after the unbroken run that starts at the account's own."""
        nonces = self._by_sender.get(sender, {})
        while account_nonce in nonces:
            account_nonce += 1
        return account_nonce

    def has_ready(self, nonce_of: NonceOf) -> bool:
        """Whether a block made now would take anything."""
        return any(nonce_of(sender) in nonces for sender, nonces in self._by_sender.items())

    def iter_ready(self, nonce_of: NonceOf) -> Iterator[PoolTransaction]:
        """Transactions in the order a block takes them; the pool must not change meanwhile."""
        heads: list[tuple[int, bytes, int]] = []
        for sender in self._by_sender:
            self._push(heads, sender, nonce_of(sender))
        while heads:
            _, sender, nonce = heapq.heappop(heads)
            yield self._by_hash[self._by_sender[sender][nonce]][1]
            self._push(heads, sender, nonce + 1)

    def _push(self, heads: list[tuple[int, bytes, int]], sender: bytes, nonce: int) -> None:
        tx_hash = self._by_sender[sender].get(nonce)
        if tx_hash is not None:
            heapq.heappush(heads, (self._by_hash[tx_hash][0], sender, nonce))
