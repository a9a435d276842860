"""The simulator passes the suite of drivers, and gives the same bytes every time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from stdnum.iso7064 import mod_11_2

from ledger_node.demo.people import RESIDENTS
from ledger_node.devices.errors import CardNotPlacedError
from ledger_node.devices.samples import CARDS, check_digit, write_samples
from ledger_node.devices.simulator import Hand, Simulator
from tests.conformance.drivers import DriverSuite


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder


class TestSimulator(DriverSuite):
    @pytest.fixture
    def driver(self, samples: Path) -> Simulator:
        return Simulator(samples, 0.01)


def test_sample_cards_are_the_residents_of_the_demonstration() -> None:
    people = {(each.slug, each.person.name, each.person.number) for each in RESIDENTS}
    assert len(CARDS) >= 8
    assert people == set(CARDS)


@pytest.mark.parametrize("number", [number for _, _, number in CARDS])
def test_sample_number_has_its_check_digit(number: str) -> None:
    assert mod_11_2.is_valid(number)
    assert check_digit(number[:17]) == number[17]


def test_write_samples_twice_gives_the_same_bytes(samples: Path, tmp_path: Path) -> None:
    write_samples(tmp_path)
    first = {p.relative_to(samples): p.read_bytes() for p in samples.rglob("*") if p.is_file()}
    second = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert first == second
    assert len(first) >= 18


def test_read_card_with_nothing_on_the_reader_says_so(samples: Path) -> None:
    simulator = Simulator(samples, 0.0)
    assert simulator.set_hand(Hand("widow", "card_not_placed"))
    with pytest.raises(CardNotPlacedError):
        simulator.read_card(threading.Event())
    assert simulator.set_hand(Hand("widow"))
    assert simulator.read_card(threading.Event()).name == "顾兰英"
    assert not simulator.set_hand(Hand("../../etc/passwd"))
