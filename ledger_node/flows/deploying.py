"""Governance: the contracts are put on chain and registered by votes of the founding cities.

Three waits, however many cities: deploy everything and propose -> all cities vote -> execute.
Nothing is stored here; the caller writes what it gets into the cities' settings. A run that was
interrupted is started again and makes a new consortium.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger_node.core.addresses import compute_contract_address
from ledger_node.core.errors import ConflictError
from ledger_node.core.event_types import ContractRole, KeyRole, ProposalKind
from ledger_node.core.types import Address, BlockHash, BlockNumber, TxHash
from ledger_node.ports.chain import Chain, ChainUnavailableError, TxOutcome
from ledger_node.ports.clock import Clock
from ledger_node.ports.contracts import Contracts, FounderEntry
from ledger_node.ports.keys import CityKeys, TransactionFields

KEY_CHANGE_DELAY_S: Final = 24 * 3600
PROPOSAL_PERIOD_S: Final = 7 * 24 * 3600
_GAS_DEPLOY: Final = 5_000_000
_GAS_CALL: Final = 1_000_000
_TIMEOUT_S: Final = 120.0
_POLL_S: Final = 0.1
_NO_PREDECESSOR: Final = Address(bytes(20))
_REGISTERED: Final = (
    (ContractRole.CITY_LOG, "CityLog"),
    (ContractRole.MATERIAL_STATUS, "MaterialStatus"),
    (ContractRole.GRANTS, "Grants"),
)


class DeploymentFailedError(ConflictError):
    """A transaction of the deployment was refused by the chain."""

    code = "deployment_failed"

    def __init__(self, step: str) -> None:
        super().__init__(
            f"部署联盟合约失败（{step}）。",
            f"Deploying the consortium failed at: {step}.",
            step=step,
        )


@dataclass(frozen=True, slots=True)
class FoundingCity:
    """A founding city and its keys; the govern account votes."""

    entry: FounderEntry
    keys: CityKeys


@dataclass(frozen=True, slots=True)
class Deployment:
    """What settings and trust file need of a new consortium.

    Attributes:
        first_block: Block of the Membership contract; following starts there.
        contracts: Address by role.
        code_hashes: keccak-256 of the runtime code by address, Membership's included.
    """

    chain_id: int
    genesis_hash: BlockHash
    membership: Address
    first_block: BlockNumber
    contracts: Mapping[ContractRole, Address]
    code_hashes: Mapping[Address, bytes]


@dataclass(slots=True)
class _Account:
    """Nonces of one govern account while we deploy: nobody else uses it yet."""

    keys: CityKeys
    chain_id: int
    gas_price_wei: int
    nonce: int

    @property
    def address(self) -> Address:
        return self.keys.account(KeyRole.GOVERN)

    def sign(self, to: Address | None, data: bytes, gas: int) -> tuple[bytes, TxHash]:
        fields = TransactionFields(
            self.chain_id, self.nonce, to, data, gas, gas_price_wei=self.gas_price_wei
        )
        signed = self.keys.sign_transaction(KeyRole.GOVERN, fields)
        self.nonce += 1
        return signed.raw, signed.tx_hash


def deploy_consortium(
    chain: Chain,
    contracts: Contracts,
    clock: Clock,
    founders: Sequence[FoundingCity],
    *,
    key_change_delay_s: int = KEY_CHANGE_DELAY_S,
    proposal_period_s: int = PROPOSAL_PERIOD_S,
    gas_price_wei: int = 0,
) -> Deployment:
    """Deploy Membership with the founders, then the others, and register these by vote.

    Effects: transactions of the founders' govern accounts. Not idempotent: each run makes another
    consortium.

    Raises:
        DeploymentFailedError: The chain refused a step.
        ChainUnavailableError: The chain is silent, or takes no transactions in time.
    """
    identity = chain.fetch_identity()
    accounts = [
        _Account(
            city.keys,
            identity.chain_id,
            gas_price_wei,
            chain.fetch_nonce(city.keys.account(KeyRole.GOVERN)),
        )
        for city in founders
    ]
    entries = [city.entry for city in founders]
    creation = contracts.encode_deployment(
        "Membership", (entries, key_change_delay_s, proposal_period_s)
    )
    membership, addresses, outcomes = _deploy_and_propose(
        chain, contracts, clock, accounts[0], creation
    )
    proposals = range(1, len(_REGISTERED) + 1)
    votes = [
        account.sign(membership, contracts.encode_vote(proposal, True), _GAS_CALL)
        for account in accounts
        for proposal in proposals
    ]
    _send_and_wait(chain, clock, votes, "vote")
    executions = [
        accounts[0].sign(membership, contracts.encode_execute(proposal), _GAS_CALL)
        for proposal in proposals
    ]
    _send_and_wait(chain, clock, executions, "execute")
    return Deployment(
        identity.chain_id,
        identity.genesis_hash,
        membership,
        outcomes[0].block_number,
        addresses,
        {item: chain.fetch_code_hash(item) for item in (membership, *addresses.values())},
    )


def _deploy_and_propose(
    chain: Chain, contracts: Contracts, clock: Clock, account: _Account, creation: bytes
) -> tuple[Address, dict[ContractRole, Address], list[TxOutcome]]:
    """Everything of the first account in one go: its nonces keep the order."""
    membership = compute_contract_address(account.address, account.nonce)
    gas = chain.estimate_gas(None, creation, sender=account.address) * 5 // 4
    signed = [account.sign(None, creation, gas)]
    addresses: dict[ContractRole, Address] = {}
    for role, name in _REGISTERED:
        arguments = (membership, _NO_PREDECESSOR) if name == "CityLog" else (membership,)
        addresses[role] = compute_contract_address(account.address, account.nonce)
        signed.append(account.sign(None, contracts.encode_deployment(name, arguments), _GAS_DEPLOY))
    for role, _ in _REGISTERED:
        payload = contracts.encode_proposal_payload(
            ProposalKind.REGISTER_CONTRACT, (int(role), addresses[role], 0)
        )
        call = contracts.encode_propose(ProposalKind.REGISTER_CONTRACT, payload)
        signed.append(account.sign(membership, call, _GAS_CALL))
    return membership, addresses, _send_and_wait(chain, clock, signed, "deploy and propose")


def _send_and_wait(
    chain: Chain, clock: Clock, signed: Sequence[tuple[bytes, TxHash]], step: str
) -> list[TxOutcome]:
    """Broadcast and wait until every transaction is in a block, and succeeded."""
    chain.send_transactions([raw for raw, _ in signed])
    ends_s = clock.monotonic_s() + _TIMEOUT_S
    while True:
        found = chain.fetch_outcomes([tx_hash for _, tx_hash in signed])
        outcomes = [outcome for outcome in found if outcome is not None]
        if any(not outcome.succeeded for outcome in outcomes):
            raise DeploymentFailedError(step)
        if len(outcomes) == len(signed):
            return outcomes
        if clock.monotonic_s() >= ends_s:
            raise ChainUnavailableError(f"{step}: not in a block after {_TIMEOUT_S:.0f} s")
        clock.sleep(_POLL_S)
