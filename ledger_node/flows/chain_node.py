"""What the chain flows need of a node, and the halts that mean "this chain cannot be trusted".

`Node` is one; so is anything else with these ports (deploying and tests).
"""

from __future__ import annotations

from typing import Final, Protocol

from ledger_node.core.types import CityId
from ledger_node.flows.halts import LedgerHaltedError
from ledger_node.ports.chain import Chain, ChainProfile
from ledger_node.ports.clock import Clock
from ledger_node.ports.contracts import Contracts
from ledger_node.ports.database import Database, Transaction
from ledger_node.ports.keys import CityKeys
from ledger_node.ports.tiles import TileStore

CHAIN_CONTRADICTION: Final = "chain_contradiction"
FINALITY_VIOLATED: Final = "finality_violated"
MALFORMED_EVENT: Final = "malformed_event"
NONCE_AHEAD: Final = "nonce_ahead_of_database"
NONCE_FOREIGN: Final = "nonce_used_by_others"
LOG_BEHIND_CHAIN: Final = "log_behind_chain"
ANCHOR_CONTRADICTED: Final = "anchor_contradicted"
LOG_BEHIND_MIRRORS: Final = "log_behind_mirrors"
GENERATION_CLOSED: Final = "generation_closed"

# While one of these stands nothing is sent to the chain and nothing taken from it.
CHAIN_HALTS: Final = frozenset({CHAIN_CONTRADICTION, FINALITY_VIOLATED, MALFORMED_EVENT})
# And nothing new is signed while one of these stands.
SIGNING_HALTS: Final = CHAIN_HALTS | {NONCE_AHEAD, NONCE_FOREIGN}


class ChainNode(Protocol):
    """Ports and facts of one city, as far as the chain is concerned."""

    @property
    def city(self) -> CityId: ...

    @property
    def generation(self) -> int: ...

    @property
    def profile(self) -> ChainProfile: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def database(self) -> Database: ...

    @property
    def keys(self) -> CityKeys: ...

    @property
    def tiles(self) -> TileStore: ...

    @property
    def chain(self) -> Chain: ...

    @property
    def contracts(self) -> Contracts: ...


def demand_none_of(tx: Transaction, reasons: frozenset[str]) -> None:
    """Raise the oldest standing halt among `reasons`.

    Raises:
        LedgerHaltedError: One stands.
    """
    for halt in tx.log.list_halts():
        if halt.reason in reasons:
            raise LedgerHaltedError(halt.reason, halt.detail)


def latch(node: ChainNode, reason: str, detail: str) -> LedgerHaltedError:
    """Latch a halt durably; returns the error for the caller to raise."""
    with node.database.transaction() as tx:
        tx.log.latch_halt(reason, detail, node.clock.now())
    return LedgerHaltedError(reason, detail)
