"""Receipts of the running flows on blocks that validators sealed: verified with no node at all.

The chain below is the local one; its headers are resealed by four test keys (support/resealed.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import rlp

from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.receipt_v1 import encode_receipt_of_any_version, parse_receipt_v1
from ledger_node.core.trust import Trust
from ledger_node.core.trust_format import parse_trust
from ledger_node.core.verdict import LineState, RestsOn
from ledger_node.core.verify import verify_receipt
from ledger_node.flows.proving import resume_proving
from ledger_node.flows.receipts import build_registration_receipt
from ledger_node.flows.relying import complete_receipt, rely
from ledger_node.flows.trusting import build_trust_file
from tests.integration.way.story import FIELDS, Way
from tests.reference.blocks import reseal
from tests.support.consortium import found_template, running_consortium
from tests.support.resealed import VALIDATORS, ResealedChain

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@dataclass(frozen=True)
class Sealed:
    """Both kinds of receipts, and a trust file that names validators and holds no facts."""

    receipts: dict[str, bytes]
    trust: Trust


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    path = tmp_path_factory.mktemp("sealed")
    template = found_template(path / "template", 2)
    with running_consortium(template, path / "run") as consortium:
        for runtime in consortium.runtimes.values():
            with runtime.node.database.read() as tx:
                tip = tx.chain.load_tip()
                assert tip is not None
                below = tx.chain.find_block(tip.number)
                assert below is not None
            chain = ResealedChain(runtime.node.chain, below)
            object.__setattr__(runtime.node, "chain", chain)  # as if the settings named such a one
        way = Way(consortium)
        enrolled = [
            way.enrol("my-registrar-01", OfficerRole.REGISTRAR),
            way.enrol("my-supervisor-01", OfficerRole.SUPERVISOR),
        ]
        way.settle(lambda: way.is_anchored(way.relier, enrolled))
        consortium.pass_time(2)
        material = way.register("J510107-2020-000001")
        grant_id = way.consent("MY-sealed")
        way.settle(
            lambda: way.is_anchored(way.issuer, [material.commitment]) and way.sees_grant(grant_id)
        )
        assert resume_proving(way.relier) > 0
        assert resume_proving(way.relier) == 0
        digest = way.request(grant_id, material, FIELDS)
        way.settle(lambda: way.state_of(digest) == "acknowledged")
        receipt_id = rely(way.relier, digest, "my-supervisor-01", OfficerRole.SUPERVISOR, "granted")
        way.settle(
            lambda: parse_receipt_v1(complete_receipt(way.relier, receipt_id)).seal is not None
        )
        registration = build_registration_receipt(way.issuer, material.material_id)
        trust = parse_trust(build_trust_file(way.relier))
        yield Sealed(
            {
                "registration": encode_receipt_of_any_version(registration),
                "reliance": complete_receipt(way.relier, receipt_id),
            },
            replace(trust, facts=None),
        )


@pytest.mark.parametrize("kind", ["registration", "reliance"])
def test_verify_receipt_of_the_flows_on_sealed_blocks_holds_without_any_fact(
    sealed: Sealed, kind: str
) -> None:
    assert [each.validators for each in sealed.trust.validators] == [VALIDATORS]
    verdict = verify_receipt(sealed.receipts[kind], sealed.trust)
    assert verdict.codes == ()
    assert verdict.state is LineState.HOLDS
    assert RestsOn.SEALS in verdict.lines[0].rests_on
    for line in verdict.lines:
        assert not {RestsOn.TRUST_FILE, RestsOn.CHAIN} & set(line.rests_on)


def test_verify_receipt_of_the_flows_carries_the_verdicts_as_the_clerk_saw_them(
    sealed: Sealed,
) -> None:
    seen = json.loads(sealed.receipts["reliance"])["body"]["verdicts"]
    assert [(line["state"], line["code"]) for line in seen] == [("holds", None)] * 4


def _resealed(*signers: int) -> Callable[[list[Any]], list[Any]]:
    return lambda fields: reseal(fields, signers, further=fields[15:])


def _other_state(fields: list[Any]) -> list[Any]:
    return [*fields[:3], bytes(31) + b"\x01", *fields[4:]]


@pytest.mark.parametrize("kind", ["registration", "reliance"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_resealed(0, 1), "seals_insufficient"),
        (_resealed(0, 1, 4), "seal_foreign"),
        (_resealed(0, 1, 1), "seal_duplicated"),
        (_other_state, "header_hash_mismatch"),
    ],
    ids=["two-of-four", "foreign", "twice", "state-root"],
)
def test_verify_receipt_of_the_flows_with_a_changed_header_fails(
    sealed: Sealed, kind: str, change: Callable[[list[Any]], list[Any]], code: str
) -> None:
    receipt = parse_receipt_v1(sealed.receipts[kind])
    assert receipt.chain is not None
    assert receipt.seal is not None
    headers = [rlp.decode(header) for header in receipt.chain.headers]
    for at, fields in enumerate(headers):
        if int.from_bytes(fields[8]) == receipt.seal.anchored.block_number:
            headers[at] = change(fields)
    chain = replace(receipt.chain, headers=tuple(rlp.encode(fields) for fields in headers))
    changed = encode_receipt_of_any_version(replace(receipt, chain=chain))
    verdict = verify_receipt(changed, sealed.trust)
    assert verdict.lines[0].state is LineState.FAILS
    assert verdict.lines[0].code == code
