"""P9: what is mirrored still checks while the issuing city, the chain, or both are down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from ledger_node.core.catalogue_words import Necessity
from ledger_node.core.freshness import BEARABLE_S, FRESH_S, RULES, Light
from ledger_node.core.receipt_v1 import encode_receipt_of_any_version, parse_receipt_of_any_version
from ledger_node.core.verdict import LineState
from ledger_node.flows.node import Node
from ledger_node.flows.receipts import build_registration_receipt
from ledger_node.flows.verifying import Verification, verify_brought_receipt
from tests.integration.processes import wait
from tests.support.cities import Cities
from tests.support.liars import LATE, Liar
from tests.support.mirrors import mirrored, one, wait_anchored, wait_cosigned
from tests.support.stock import ISSUER, RELIER, register_paper

pytestmark = [pytest.mark.integration]


class Down:
    """A port that nobody answers, and that counts who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        raise AssertionError(f"{name} was asked")


def check_alone(
    cities: Cities, receipt: bytes, later_s: int = 0, need: Necessity = Necessity.REQUIRED
) -> Verification:
    """The verdict in Mianyang with neither chain nor any other city to ask, some time later."""
    with cities.opened(RELIER) as node:
        alone: Any = Down()

        class Later:
            def now(self) -> Any:
                return node.clock.now() + timedelta(seconds=later_s)

            monotonic_s = node.clock.monotonic_s

        isolated: Node = replace(
            node, chain=alone, contracts=alone, peers=alone, clock=cast(Any, Later())
        )
        return verify_brought_receipt(isolated, receipt, rule=RULES[need])


def test_pending_receipt_is_completed_from_the_mirror_while_issuer_and_chain_are_down(
    cities: Cities, liar: Liar, tmp_path: Path
) -> None:
    liar.tell(LATE)  # nothing is anchored: the receipt given now is pending
    path = tmp_path / "receipt.json"

    def register(node: Node) -> None:
        register_paper(node, 900)
        with node.database.read() as tx:
            newest = tx.intake.list_materials(1)[0].row.material_id
        path.write_bytes(encode_receipt_of_any_version(build_registration_receipt(node, newest)))

    assert wait(cities.act(ISSUER, register)) == 0
    receipt = path.read_bytes()
    assert parse_receipt_of_any_version(receipt).seal is None
    before = check_alone(cities, receipt)
    assert (before.verdict.state, before.light) == (LineState.PENDING, Light.AMBER)
    liar.stop()
    size = int(one(cities, ISSUER, "select count(*) from entries"))
    wait_anchored(cities, size)
    wait_cosigned(cities, size)
    cities.stop(ISSUER)
    try:
        assert mirrored(cities, RELIER) == size
        found = check_alone(cities, receipt)
        assert (found.verdict.state, found.from_mirror) == (LineState.HOLDS, True)
        assert found.light is Light.GREEN
        assert found.logs[0].witnessed.count == (2, 2)
        assert (found.age_s or 0) < FRESH_S
        # the chain stands still: the same verdict, older, and what may be done on it by the rule
        old = check_alone(cities, receipt, FRESH_S + 60)
        assert (old.verdict.state, old.light) == (LineState.HOLDS, Light.AMBER)
        assert (old.age_s or 0) > FRESH_S
        assert check_alone(cities, receipt, BEARABLE_S + 60).light is Light.RED
        assert check_alone(cities, receipt, BEARABLE_S + 60, Necessity.DEFER).light is Light.AMBER
    finally:
        cities.start(ISSUER, liar.around)
