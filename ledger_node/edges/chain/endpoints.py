"""Several endpoints of one chain behind `ports.chain.Chain`: one is asked, the others stand by.

Rules (docs/spec/chain-following.md):
    * Within one call only one endpoint is asked. When it gives no usable answer the call fails, so
      the round it belongs to ends; the next call goes to an endpoint that may follow it.
    * An endpoint may follow only when it holds the newest block we took as final, by hash, on the
      same chain id and genesis. One that does not have that block yet lags: it is passed over.
    * One that has another block there shows another history: `ChainContradictionError`, whoever
      asked, in use or standing by. The follower latches a halt on it.
    * One whose newest block is much older than another's has stopped and is left.
What was taken in above the final block is compared by hash in the next round of following, as
after any reorganisation.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from ledger_node.core.receipt_chain import AccountEvidence, LogEvidence
from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash
from ledger_node.ports.chain import (
    BlockRef,
    Chain,
    ChainContradictionError,
    ChainIdentity,
    ChainUnavailableError,
    RawLog,
    TxOutcome,
)

COMPARE_EVERY_S: Final = 60.0
LAG_S: Final = 30
FinalBlock = tuple[BlockNumber, BlockHash]
T = TypeVar("T")


class EndpointsChain:
    """`Chain` over several endpoints; safe to share between threads."""

    def __init__(
        self,
        endpoints: Sequence[Chain],
        identity: ChainIdentity,
        load_final: Callable[[], FinalBlock | None],
        monotonic_s: Callable[[], float],
    ) -> None:
        """Own the endpoints; the first is asked first.

        Args:
            identity: Chain id and genesis that were pinned.
            load_final: Newest block taken in that is final; None before anything was.
            monotonic_s: For how often endpoints are compared.
        """
        if not endpoints:
            raise ValueError("a chain has an endpoint")
        self._endpoints = tuple(endpoints)
        self._identity = identity
        self._load_final = load_final
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._current = 0
        self._failed = False
        self._compared_s: float | None = None

    @property
    def current(self) -> int:
        """Position of the endpoint that is asked."""
        return self._current

    def close(self) -> None:
        """Give up connections."""
        for endpoint in self._endpoints:
            close = getattr(endpoint, "close", None)
            if close is not None:
                close()

    def fetch_identity(self) -> ChainIdentity:
        """As the port says; every round of following asks it, so endpoints are compared here."""
        if self._is_compare_due():
            self._compare()
        return self._ask(lambda chain: chain.fetch_identity())

    def fetch_head(self) -> BlockRef:
        return self._ask(lambda chain: chain.fetch_head())

    def fetch_finalized(self) -> BlockRef | None:
        return self._ask(lambda chain: chain.fetch_finalized())

    def fetch_blocks(self, numbers: Sequence[BlockNumber]) -> list[BlockRef | None]:
        return self._ask(lambda chain: chain.fetch_blocks(numbers))

    def fetch_logs(
        self, first: BlockNumber, last: BlockNumber, addresses: Sequence[Address]
    ) -> list[RawLog]:
        return self._ask(lambda chain: chain.fetch_logs(first, last, addresses))

    def fetch_outcomes(self, tx_hashes: Sequence[TxHash]) -> list[TxOutcome | None]:
        return self._ask(lambda chain: chain.fetch_outcomes(tx_hashes))

    def fetch_nonce(self, account: Address, *, block: BlockNumber | None = None) -> int:
        return self._ask(lambda chain: chain.fetch_nonce(account, block=block))

    def fetch_code_hash(self, address: Address) -> bytes:
        return self._ask(lambda chain: chain.fetch_code_hash(address))

    def fetch_header(self, number: BlockNumber) -> bytes:
        return self._ask(lambda chain: chain.fetch_header(number))

    def fetch_log_proof(self, number: BlockNumber, log_index: int) -> LogEvidence:
        return self._ask(lambda chain: chain.fetch_log_proof(number, log_index))

    def fetch_account_proof(
        self, number: BlockNumber, address: Address, slots: Sequence[bytes]
    ) -> AccountEvidence:
        return self._ask(lambda chain: chain.fetch_account_proof(number, address, slots))

    def call(
        self,
        to: Address,
        data: bytes,
        *,
        sender: Address | None = None,
        block: BlockNumber | None = None,
    ) -> bytes:
        return self._ask(lambda chain: chain.call(to, data, sender=sender, block=block))

    def estimate_gas(self, to: Address | None, data: bytes, *, sender: Address) -> int:
        return self._ask(lambda chain: chain.estimate_gas(to, data, sender=sender))

    def send_transactions(self, raw: Iterable[bytes]) -> list[TxHash]:
        transactions = list(raw)
        return self._ask(lambda chain: chain.send_transactions(transactions))

    def _ask(self, question: Callable[[Chain], T]) -> T:
        with self._lock:
            current, failed = self._current, self._failed
        if failed:
            current = self._fail_over(current)
        try:
            return question(self._endpoints[current])
        except ChainUnavailableError:
            with self._lock:
                self._failed = self._failed or self._current == current
            raise

    def _fail_over(self, failed: int) -> int:
        """The next endpoint that may follow; the failed one itself comes last.

        Raises:
            ChainUnavailableError: None may.
            ChainContradictionError: One shows another history.
        """
        count = len(self._endpoints)
        for step in range(1, count + 1):
            position = (failed + step) % count
            if self._look(position) is not None:
                self._use(position)
                return position
        raise ChainUnavailableError("no endpoint holds the history that was followed")

    def _use(self, position: int) -> None:
        with self._lock:
            self._current, self._failed = position, False

    def _look(self, position: int) -> BlockRef | None:
        """Head of an endpoint that holds our history; None when it is silent or lags behind it.

        Raises:
            ChainContradictionError: It shows another history.
        """
        endpoint, final = self._endpoints[position], self._load_final()
        try:
            found = endpoint.fetch_identity()
            if found != self._identity:
                raise ChainContradictionError(
                    f"chain and genesis at endpoint {position + 1}",
                    _show(self._identity),
                    _show(found),
                )
            if final is not None and final[0] >= 0:
                (block,) = endpoint.fetch_blocks([final[0]])
                if block is None:
                    return None
                if block.hash != final[1]:
                    raise ChainContradictionError(
                        f"final block {final[0]} at endpoint {position + 1}",
                        final[1].hex(),
                        block.hash.hex(),
                    )
            return endpoint.fetch_head()
        except ChainUnavailableError:
            return None

    def _is_compare_due(self) -> bool:
        now_s = self._monotonic_s()
        with self._lock:
            due = self._compared_s is None or now_s - self._compared_s >= COMPARE_EVERY_S
            if due:
                self._compared_s = now_s
        return due

    def _compare(self) -> None:
        """Look at every endpoint; leave one that has stopped while another goes on.

        Raises:
            ChainContradictionError: One of them shows another history.
        """
        try:
            heads = {at: self._look(at) for at in range(len(self._endpoints))}
        except ChainContradictionError:
            with self._lock:
                self._compared_s = None  # said again until a person has looked
            raise
        known = {at: head for at, head in heads.items() if head is not None}
        if not known:
            return
        best = max(known, key=lambda at: known[at].block_timestamp_s)
        with self._lock:
            mine = known.get(self._current)
        if mine is None or known[best].block_timestamp_s - mine.block_timestamp_s > LAG_S:
            self._use(best)


def _show(identity: ChainIdentity) -> str:
    return f"{identity.chain_id} {identity.genesis_hash.hex()}"
