"""The chain's own time: readable always, movable in test mode only."""

from __future__ import annotations

from collections.abc import Callable

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.clock import ClockMode
from ledger_node.localchain.rpc.errors import invalid_params
from ledger_node.localchain.rpc.params import parse_flag, parse_seconds

Method = Callable[..., object]


class ClockMethods:
    """`tongban_clock`, and in test mode the `evm_…` methods of development chains."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain

    def table(self) -> dict[str, Method]:
        """Names and handlers; wall mode has none that moves anything."""
        found: dict[str, Method] = {"tongban_clock": self.clock}
        if self._chain.clock.mode is ClockMode.TEST:
            found |= {
                "evm_mine": self.mine,
                "evm_increaseTime": self.increase_time,
                "evm_setNextBlockTimestamp": self.set_next_timestamp,
                "evm_setAutomine": self.set_automine,
            }
        return found

    def clock(self) -> object:
        """Plain numbers: seconds since 1970 as the chain sees the present."""
        clock, head = self._chain.clock, self._chain.head
        return {
            "mode": str(clock.mode),
            "now_s": clock.chain_time_s(head.timestamp),
            "offset_s": clock.offset_s,
            "block_timestamp_s": head.timestamp,
        }

    def mine(self, timestamp: object = None) -> object:
        if timestamp is not None:
            self.set_next_timestamp(timestamp)
        self._chain.make_block()
        return "0x0"

    def increase_time(self, seconds: object) -> object:
        return self._chain.advance_clock(parse_seconds(seconds, "seconds"))

    def set_next_timestamp(self, timestamp: object) -> object:
        try:
            self._chain.set_next_timestamp(parse_seconds(timestamp, "timestamp"))
        except ValueError as error:
            raise invalid_params(str(error)) from error
        return None

    def set_automine(self, wanted: object) -> object:
        self._chain.automine = parse_flag(wanted, "automine")
        return None
