"""A consortium is deployed and registered by real votes, on the local chain and on anvil."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from ledger_node.core.event_types import KeyRole, ProposalKind
from ledger_node.core.types import CityId
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.chain.contracts import CalldataError, ContractCalls
from ledger_node.edges.chain.errors import (
    UnknownRevertError,
    decode_revert,
    extract_revert_data,
    load_reverts,
)
from ledger_node.flows import following
from ledger_node.flows.deploying import DeploymentFailedError, deploy_consortium
from ledger_node.flows.directory import load_consortium
from ledger_node.ports.chain import ContractRevertError
from tests.integration.chain.anvils import running_anvil
from tests.integration.chain.support import (
    CITIES,
    WallClock,
    city_on,
    deploy,
    founding_city,
    profile_of,
    sqlite_copy,
)
from tests.localchain.support import running_chain

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=["anvil", "localchain"])
def url(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[str]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "anvil":
        with running_anvil(folder) as address:
            yield address
    else:
        with running_chain(folder / "data", "--clock", "test") as process:
            yield process.url


def test_deploy_consortium_registers_contracts_and_members(
    url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    chain = EvmChain(url)
    deployment = deploy(chain, WallClock())
    calls = ContractCalls(chain)
    for role, address in deployment.contracts.items():
        assert calls.fetch_current_contract(deployment.membership, role) == address
        assert deployment.code_hashes[address] == chain.fetch_code_hash(address) != keccak(b"")
    proposal = calls.fetch_proposal(deployment.membership, 1)
    assert (proposal.kind, proposal.executed) == (ProposalKind.REGISTER_CONTRACT, True)
    assert (proposal.yes, proposal.standing) == (len(CITIES), len(CITIES))
    database = sqlite_copy(sqlite_template, tmp_path)
    city = city_on(chain, profile_of(deployment), database)
    following.resume_following(city)
    with database.read() as tx:
        consortium = load_consortium(tx)
        codes = tx.chain.list_code_pins()
    assert set(consortium.members) == set(CITIES)
    assert {role: items[-1].address for role, items in consortium.contracts.items()} == dict(
        deployment.contracts
    )
    assert codes == dict(deployment.code_hashes)
    anchor = consortium.key_at(CityId(CITIES[1]), KeyRole.ANCHOR, 2**40)
    assert anchor is not None
    assert anchor.key[12:] == founding_city(CITIES[1]).keys.account(KeyRole.ANCHOR)
    database.close()
    chain.close()


def test_deploy_consortium_without_a_city_twice_is_refused_by_the_contract(url: str) -> None:
    chain = EvmChain(url)
    founders = [founding_city(CITIES[0]), founding_city(CITIES[0])]
    with pytest.raises(ContractRevertError) as caught:
        deploy_consortium(chain, ContractCalls(chain), WallClock(), founders)
    assert caught.value.name in {"MembershipAlreadyMember", "MembershipKeyUsed"}
    chain.close()


def test_deployment_failed_error_names_the_step() -> None:
    assert DeploymentFailedError("vote").fields == {"step": "vote"}


def test_load_reverts_covers_every_custom_error_with_its_own_code() -> None:
    reverts = load_reverts()
    assert len(reverts) >= 60
    codes = [layout.error.code for layout in reverts.values()]
    assert len(set(codes)) == len(codes)
    assert all(issubclass(layout.error, ContractRevertError) for layout in reverts.values())


def test_decode_revert_of_an_unknown_selector_keeps_the_hex() -> None:
    error = decode_revert(bytes.fromhex("deadbeef") + b"\x01")
    assert isinstance(error, UnknownRevertError)
    assert error.selector == "deadbeef"
    assert decode_revert(b"").selector == ""


def test_decode_revert_with_damaged_arguments_does_not_raise() -> None:
    (selector,) = [key for key, value in load_reverts().items() if value.name == "GrantsUsedUp"]
    assert isinstance(decode_revert(selector + b"\x00" * 31), UnknownRevertError)
    whole = decode_revert(selector + b"\x07" * 32)
    assert (whole.name, whole.arguments) == ("GrantsUsedUp", {"terms": b"\x07" * 32})


@pytest.mark.parametrize(
    ("code", "message", "data", "expected"),
    [
        (3, "execution reverted", "0x12345678", b"\x124Vx"),
        (-32000, "execution reverted", {"data": "0x12345678"}, b"\x124Vx"),
        (-32015, "VM execution error", "Reverted 0x12345678", b"\x124Vx"),
        (3, "execution reverted", None, b""),
        (-32000, "out of gas", None, b""),
        (-32603, "internal error", None, None),
    ],
)
def test_extract_revert_data_of_engines(
    code: int, message: str, data: object, expected: bytes | None
) -> None:
    assert extract_revert_data(code, message, data) == expected


def test_encode_calls_refuse_values_that_do_not_fit() -> None:
    calls = ContractCalls(None)  # type: ignore[arg-type]
    with pytest.raises(CalldataError):
        calls.encode_revoke(b"\x01" * 31)  # type: ignore[arg-type]
    with pytest.raises(CalldataError):
        calls.encode_vote(2**64, True)
    assert len(calls.encode_revoke(b"\x01" * 32)) == 36  # type: ignore[arg-type]
    assert len(calls.encode_vote(2**64 - 1, True)) == 68
