"""Running commands: one at a time per device, bounded in time, cancelled by who started them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from ledger_node.devices.errors import DeviceAbsentError, DeviceBusyError, DeviceTimeoutError
from ledger_node.devices.port import Cancel, Driver
from ledger_node.devices.values import Device

LIMITS_S: Final[Mapping[Device, float]] = {
    Device.READER: 15.0,
    Device.CAMERA: 15.0,
    Device.SCANNER: 300.0,
    Device.PAD: 180.0,
    Device.PRINTER: 60.0,
}
GRACE_S: Final = 2.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Running:
    owner: str
    cancel: threading.Event


class Desk:
    """Devices of a window and the commands under way.

    Args:
        driver: Who does the work.
        limits_s: Longest time of a command, by device.
    """

    def __init__(self, driver: Driver, limits_s: Mapping[Device, float] = LIMITS_S) -> None:
        self.driver = driver
        self._limits_s = limits_s
        self._running: dict[Device, _Running] = {}
        self._pool = ThreadPoolExecutor(len(Device), thread_name_prefix="device")

    async def run(self, device: Device, owner: str, work: Callable[[Cancel], T]) -> T:
        """Run `work` on a device; called on the event loop.

        Raises:
            DeviceAbsentError: It is not there.
            DeviceBusyError: Its last command is not over, or never came back from the driver.
            DeviceTimeoutError: Its time is over; the driver was told to end.
        """
        if device not in self.driver.names:
            raise DeviceAbsentError
        if device in self._running:
            raise DeviceBusyError
        running = _Running(owner, threading.Event())
        self._running[device] = running
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, running.cancel)
        future.add_done_callback(lambda done: self._end(device, done))
        done, _ = await asyncio.wait({future}, timeout=self._limits_s[device])
        if not done:
            running.cancel.set()
            await asyncio.wait({future}, timeout=GRACE_S)
            raise DeviceTimeoutError
        return future.result()

    def cancel(self, device: Device, owner: str) -> bool:
        """Ask the owner's command of a device to end; whether there was one."""
        running = self._running.get(device)
        if running is None or running.owner != owner:
            return False
        running.cancel.set()
        return True

    def list_states(self) -> dict[str, dict[str, object]]:
        """Devices that are there, with their names and whether they are in use."""
        return {
            device.value: {"name": name, "busy": device in self._running}
            for device, name in self.driver.names.items()
        }

    def close(self) -> None:
        """End everything."""
        for running in list(self._running.values()):
            running.cancel.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _end(self, device: Device, done: asyncio.Future[T]) -> None:
        self._running.pop(device, None)
        if not done.cancelled():
            done.exception()  # looked at, so that the loop does not print it
