"""The port of drivers: what a maker's software must do to serve the bridge.

`tests/conformance/drivers.py` holds the suite a driver passes before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ledger_node.devices.values import CardReading, Device, Picture, ScannedFile, Signature


class Cancel(Protocol):
    """Set when the command is to end; `threading.Event` fits."""

    def is_set(self) -> bool:
        """Whether to end now."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until set, at most `timeout` seconds; whether it is."""


class Driver(Protocol):
    """Devices of one window. Methods are called from worker threads, one at a time per device.

    Promises:
        * Within two seconds of `cancel` being set a method ends with `CommandCancelledError`.
        * What a person can mend is raised as its own error of `errors.py`; anything else is shown
          as "the device failed", without its message.
        * Nothing is written to disk, nothing about a person to a log.
    """

    @property
    def names(self) -> Mapping[Device, str]:
        """Devices that are there, with the name a receipt shows."""

    def read_card(self, cancel: Cancel) -> CardReading:
        """Read the card that lies on the reader."""

    def capture(self, cancel: Cancel) -> Picture:
        """Take one picture."""

    def scan(self, cancel: Cancel) -> Sequence[ScannedFile]:
        """Pull in everything in the feeder, in order; at least one file."""

    def sign(self, cancel: Cancel) -> Signature:
        """Wait until the person has signed and confirmed on the pad."""

    def print_slip(self, pdf: bytes, cancel: Cancel) -> None:
        """Print; returns once the paper is out."""
