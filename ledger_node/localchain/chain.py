"""The chain: head, pool, and the one place where blocks are made.

Invariants:
    * `head` moves only after the store has committed the block: what a client has seen survives
      SIGKILL.
    * A transaction is acknowledged only after its bytes are durable, and leaves the pending table
      in the same commit as its block: it is mined once or still waits.
    * Timestamps rise strictly.
Two locks, taken in this order: `_making` (one block at a time) and `_lock` (pool, head, nonces;
held for moments). Reads of stored state take neither: state at a root is immutable, `head` is one
reference. So calls and submissions go on while a block is made.
"""

from __future__ import annotations

import threading

from eth.abc import BlockHeaderAPI, StateAPI
from eth.db.chain import ChainDB
from eth_typing import Address

from ledger_node.localchain.block import SealedBlock, build_block
from ledger_node.localchain.clock import ChainClock, ClockMode
from ledger_node.localchain.errors import ChainStoppedError, TransactionRejectedError
from ledger_node.localchain.genesis import open_genesis
from ledger_node.localchain.mempool import Mempool
from ledger_node.localchain.overlay import OverlayDB
from ledger_node.localchain.report import report
from ledger_node.localchain.rules import build_chain_class, build_vm
from ledger_node.localchain.settings import GenesisSettings
from ledger_node.localchain.store import Store
from ledger_node.localchain.transaction import PoolTransaction, parse_transaction

CLOCK_OFFSET = "clock_offset_s"


class LocalChain:
    """One chain over one store."""

    def __init__(self, store: Store, settings: GenesisSettings, mode: ClockMode) -> None:
        self.store = store
        self.chain_id = settings.chain_id
        self.genesis = open_genesis(store, settings)
        self.clock = ChainClock(mode, int(store.load_meta().get(CLOCK_OFFSET, "0")))
        self.automine = mode is ClockMode.TEST
        self.has_work = threading.Event()
        self.failed = threading.Event()
        self._chain_class = build_chain_class(settings.chain_id)
        self._making = threading.Lock()
        self._lock = threading.RLock()
        self._pool = Mempool()
        self._nonces: dict[bytes, int] = {}
        self._next_timestamp_s: int | None = None
        self._head = self._chain_class(OverlayDB(store)).get_canonical_head()
        self._load_pending()

    # -- reading -------------------------------------------------------------------------------

    @property
    def head(self) -> BlockHeaderAPI:
        """Header of the last committed block."""
        return self._head

    def chaindb(self) -> ChainDB:
        """py-evm's view of stored blocks, for reading."""
        return ChainDB(OverlayDB(self.store))

    def state_at(self, header: BlockHeaderAPI) -> StateAPI:
        """State after `header`, to read from or to run calls on; nothing written to it is kept."""
        return build_vm(self.chain_id, header, OverlayDB(self.store)).state

    def pending_transaction(self, tx_hash: bytes) -> PoolTransaction | None:
        """A transaction that waits for a block."""
        with self._lock:
            return self._pool.get(tx_hash)

    def pending_nonce(self, sender: bytes) -> int:
        """Next nonce, counting what waits without a gap."""
        with self._lock:
            return self._pool.next_nonce(sender, self._nonce_of(sender))

    # -- transactions --------------------------------------------------------------------------

    def submit(self, raw: bytes) -> bytes:
        """Take a raw transaction; durable when it returns. In test mode also mine it.

        Raises:
            TransactionRejectedError: Refused; nothing is stored.
        """
        tx = parse_transaction(raw, self.chain_id, self._head.gas_limit)
        with self._lock:
            self._check(tx)
        self.store.add_pending(tx.hash, raw)
        with self._lock:
            if self._pool.get(tx.hash) is None:
                self._admit(tx)
            ready = self._pool.has_ready(self._nonce_of)
        if ready:
            if self.automine:
                self.make_block(unless_idle=True)
            self.has_work.set()
        return tx.hash

    def _check(self, tx: PoolTransaction) -> None:
        self._pool.check(tx, self._nonce_of(tx.sender))
        cost = tx.signed.value + tx.signed.gas * tx.signed.max_fee_per_gas
        if cost and self.state_at(self._head).get_balance(Address(tx.sender)) < cost:
            raise TransactionRejectedError("insufficient funds for gas * price + value")

    def _admit(self, tx: PoolTransaction) -> None:
        """Queue a stored transaction; two that raced for one nonce are told apart here."""
        try:
            self._pool.check(tx, self._nonce_of(tx.sender))
        except TransactionRejectedError:
            self.store.drop_pending([tx.hash])
            raise
        self._pool.add(tx)

    def _load_pending(self) -> None:
        stale = []
        for raw in self.store.load_pending():
            tx = parse_transaction(raw, self.chain_id, self._head.gas_limit)
            try:
                self._pool.check(tx, self._nonce_of(tx.sender))
                self._pool.add(tx)
            except TransactionRejectedError:
                stale.append(tx.hash)
        self.store.drop_pending(stale)

    def _nonce_of(self, sender: bytes) -> int:
        known = self._nonces.get(sender)
        if known is None:
            known = self.state_at(self._head).get_nonce(Address(sender))
            self._nonces[sender] = known
        return known

    # -- blocks --------------------------------------------------------------------------------

    def has_ready(self) -> bool:
        """Whether a block made now would take anything."""
        with self._lock:
            return self._pool.has_ready(self._nonce_of)

    def make_block(self, *, unless_idle: bool = False) -> None:
        """Make, commit and then publish one block with all that waits and fits.

        Crash order: overlay in memory, one SQLite transaction, head. A crash before the commit
        leaves the old head and the waiting transactions, one after it the new head.

        Args:
            unless_idle: Make none if nothing waits (another thread's block took it).
        """
        with self._making:
            started_s = self.clock.monotonic_s()
            with self._lock:
                offered = list(self._pool.iter_ready(self._nonce_of))
                timestamp_s = self._next_timestamp_s or self.clock.next_block_timestamp_s(
                    self._head.timestamp
                )
            if unless_idle and not offered:
                return
            sealed = build_block(self._chain_class, OverlayDB(self.store), timestamp_s, offered)
            self._commit(sealed)
            self._publish(sealed)
        report(
            "block",
            number=sealed.header.block_number,
            hash="0x" + sealed.header.hash.hex(),
            transactions=len(sealed.taken),
            refused=len(sealed.refused),
            gas_used=sealed.header.gas_used,
            seconds=round(self.clock.monotonic_s() - started_s, 4),
        )

    def _publish(self, sealed: SealedBlock) -> None:
        """Show a committed block: from here on clients see it."""
        with self._lock:
            self._head = sealed.header
            self._next_timestamp_s = None
            self._nonces.clear()
            self._pool.remove(sealed.write.settled)

    def _commit(self, sealed: SealedBlock) -> None:
        """Commit, or stop for good: after a failed commit only a restart knows what is on disk."""
        if self.failed.is_set():
            raise ChainStoppedError("the chain stopped after a failed commit")
        try:
            self.store.commit_block(sealed.write)
        except BaseException:
            self.failed.set()
            raise

    # -- time, in test mode --------------------------------------------------------------------

    def advance_clock(self, seconds: int) -> int:
        """Move chain time on from where it is; kept over a restart. Returns the offset."""
        with self._lock:
            return self._set_present(self.clock.chain_time_s(self._head.timestamp) + seconds)

    def set_next_timestamp(self, timestamp_s: int) -> None:
        """Timestamp of the next block; time goes on from there.

        Raises:
            ValueError: Not after the head.
        """
        with self._lock:
            if timestamp_s <= self._head.timestamp:
                raise ValueError(f"timestamp must be after {self._head.timestamp}")
            self._set_present(timestamp_s)
            self._next_timestamp_s = timestamp_s

    def _set_present(self, present_s: int) -> int:
        offset_s = self.clock.set_present(present_s)
        self.store.save_meta({CLOCK_OFFSET: str(offset_s)})
        return offset_s
