"""What every driver must do (`ledger_node/devices/port.py`); a maker's driver passes the same.

Subclass `DriverSuite`, give `driver` and, for a real one, somebody to lay the card down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ledger_node.devices.errors import CommandCancelledError
from ledger_node.devices.port import Driver
from ledger_node.devices.values import Device

CANCEL_S = 2.0
PDF = b"%PDF-1.4\n%%EOF\n"


def call(driver: Driver, device: Device, cancel: threading.Event) -> object:
    """The command of a device."""
    if device is Device.PRINTER:
        driver.print_slip(PDF, cancel)
        return None
    work: dict[Device, Callable[[threading.Event], object]] = {
        Device.READER: driver.read_card,
        Device.CAMERA: driver.capture,
        Device.SCANNER: driver.scan,
        Device.PAD: driver.sign,
    }
    return work[device](cancel)


class DriverSuite:
    """Promises of the port."""

    @pytest.fixture
    def driver(self) -> Driver:
        raise NotImplementedError

    def test_names_are_there_and_short(self, driver: Driver) -> None:
        assert driver.names
        assert all(1 <= len(name) <= 100 for name in driver.names.values())

    def test_read_card_gives_a_number_with_its_check_digit(self, driver: Driver) -> None:
        card = driver.read_card(threading.Event())
        assert card.name.strip() == card.name != ""
        if card.scheme == "cn-resident-id":
            from stdnum.iso7064 import mod_11_2

            assert mod_11_2.is_valid(card.number)
            assert card.number[6:14] == card.birth.strftime("%Y%m%d")

    def test_capture_gives_what_it_says(self, driver: Driver) -> None:
        picture = driver.capture(threading.Event())
        heads = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
        assert picture.data.startswith(heads[picture.media_type])

    def test_scan_gives_at_least_one_file(self, driver: Driver) -> None:
        files = driver.scan(threading.Event())
        assert files
        assert all(each.data for each in files)

    def test_sign_gives_strokes_whose_times_rise(self, driver: Driver) -> None:
        signature = driver.sign(threading.Event())
        assert signature.png.startswith(b"\x89PNG\r\n\x1a\n")
        times = [point.at_ms for stroke in signature.strokes for point in stroke]
        assert times
        assert times == sorted(times)

    def test_print_slip_returns(self, driver: Driver) -> None:
        driver.print_slip(PDF, threading.Event())

    @pytest.mark.parametrize("device", list(Device))
    def test_cancelled_command_ends_in_time(self, driver: Driver, device: Device) -> None:
        if device not in driver.names:
            pytest.skip("this driver has no such device")
        cancel = threading.Event()
        cancel.set()
        begun = time.monotonic()
        with pytest.raises(CommandCancelledError):
            call(driver, device, cancel)
        assert time.monotonic() - begun < CANCEL_S
