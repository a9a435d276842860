"""The whole process: store, chain, block producer, HTTP. What `cli.py` calls."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import TracebackType

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.clock import ClockMode
from ledger_node.localchain.producer import BlockProducer
from ledger_node.localchain.report import report
from ledger_node.localchain.rpc.dispatch import Dispatcher
from ledger_node.localchain.rpc.methods_chain import ChainMethods
from ledger_node.localchain.rpc.methods_clock import ClockMethods
from ledger_node.localchain.rpc.methods_state import StateMethods
from ledger_node.localchain.server import RpcServer
from ledger_node.localchain.settings import ChainSettings
from ledger_node.localchain.store import Store

SHUTDOWN_POLL_S = 0.1


class LocalChainService:
    """A running chain; use as a context manager.

    Raises:
        StoreLockedError, StoreMismatchError, AddressInUseError: On construction; nothing runs.
    """

    def __init__(self, settings: ChainSettings) -> None:
        self._store = Store(settings.data)
        try:
            self.chain = LocalChain(self._store, settings.genesis, settings.clock)
            self._server = RpcServer(settings.port, build_dispatcher(self.chain))
        except BaseException:
            self._store.close()
            raise
        self._producer = BlockProducer(
            self.chain, settings.block_interval_s, settings.empty_interval_s
        )
        self._runs_blocks = settings.clock is ClockMode.WALL
        self._serving = threading.Thread(
            target=self._server.serve_forever, args=[SHUTDOWN_POLL_S], daemon=True
        )

    @property
    def url(self) -> str:
        """Address of the JSON-RPC service."""
        return self._server.url

    def __enter__(self) -> LocalChainService:
        if self._runs_blocks:
            self._producer.start()
        self._serving.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop taking requests, finish the block being made, close the store."""
        self._server.shutdown()
        self._server.server_close()
        if self._runs_blocks:
            self._producer.stop()
        self._store.close()


def build_dispatcher(chain: LocalChain) -> Dispatcher:
    """All methods of a chain."""
    return Dispatcher(
        ChainMethods(chain).table() | StateMethods(chain).table() | ClockMethods(chain).table()
    )


def serve(settings: ChainSettings, announce: Callable[[dict[str, object]], None]) -> int:
    """Run until SIGTERM or SIGINT; call from the main thread.

    Args:
        settings: What to run.
        announce: Gets address, chain id and genesis hash once requests are answered.

    Returns:
        Exit code: 0 after a signal, 3 when block making failed.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with LocalChainService(settings) as service:
        announce(
            {
                "rpc": service.url,
                "chain_id": settings.genesis.chain_id,
                "genesis": "0x" + service.chain.genesis.hash.hex(),
                "clock": str(settings.clock),
                "block": service.chain.head.block_number,
            }
        )
        while not (stop.wait(0.5) or service.chain.failed.is_set()):
            pass
        failed = service.chain.failed.is_set()
    report("stopped", block=service.chain.head.block_number)
    return 3 if failed else 0
