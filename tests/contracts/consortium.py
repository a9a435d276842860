"""Five cities with their keys, and the four contracts registered by their votes."""

from __future__ import annotations

from typing import Any

from eth_abi import encode
from eth_hash.auto import keccak
from eth_keys import keys

from tests.contracts.evm import Contract, Evm, Receipt, account

CITIES = (510107, 510700, 130629, 500103, 610113)
ANCHOR, GATE, GOVERN, CHECKPOINT, COSIGNER, MESSAGE, ENCRYPTION = range(7)
CITY_LOG, MATERIAL_STATUS, GRANTS, CATALOGUE = range(4)
(
    ADMIT_CITY,
    SUSPEND_CITY,
    REINSTATE_CITY,
    REGISTER_CONTRACT,
    DISTRUST_KEY,
    REPLACE_KEY,
    CANCEL_CHANGE,
    CLOSE_GENERATION,
) = range(8)
PAYLOAD_TYPES = {
    ADMIT_CITY: ["uint32", "string", "bytes32[7]"],
    SUSPEND_CITY: ["uint32"],
    REINSTATE_CITY: ["uint32"],
    REGISTER_CONTRACT: ["uint8", "address", "uint64"],
    DISTRUST_KEY: ["uint32", "uint8", "bytes32", "uint64"],
    REPLACE_KEY: ["uint32", "uint8", "bytes32"],
    CANCEL_CHANGE: ["uint64"],
    CLOSE_GENERATION: ["uint32", "uint32", "uint64", "bytes32"],
}
DELAY_S = 86_400
PERIOD_S = 7 * 86_400
NO_PAPER = bytes(32)
ZERO_ADDRESS = "0x" + "00" * 20


def signer(city: int, role: int, version: int = 0) -> keys.PrivateKey:
    """The private key of a city's chain account."""
    return account(city * 1000 + version * 10 + role + 2)


def key_of(city: int, role: int, version: int = 0) -> bytes:
    """The registered 32 bytes of a city's key."""
    if role <= GOVERN:
        return signer(city, role, version).public_key.to_canonical_address().rjust(32, b"\0")
    return keccak(f"{city}/{role}/{version}".encode())


def keys_of(city: int) -> list[bytes]:
    return [key_of(city, role) for role in range(7)]


def url_of(city: int) -> str:
    return f"http://127.0.0.1:{city % 50_000}"


def payload(kind: int, *values: Any) -> bytes:
    return encode(PAYLOAD_TYPES[kind], values)


class Consortium:
    """A running consortium; `decide` takes a proposal through its votes."""

    def __init__(self, cities: tuple[int, ...] = CITIES, *, contracts: bool = True) -> None:
        self.evm = Evm()
        self.cities = cities
        founders = [(city, url_of(city), keys_of(city)) for city in cities]
        self.membership = self.evm.deploy("Membership", founders, DELAY_S, PERIOD_S)
        if contracts:
            at = self.membership.address
            self.log = self.evm.deploy("CityLog", at, ZERO_ADDRESS)
            self.status = self.evm.deploy("MaterialStatus", at)
            self.grants = self.evm.deploy("Grants", at)
            for role, contract in enumerate((self.log, self.status, self.grants)):
                self.register(role, contract)

    def fork(self) -> Consortium:
        """An independent copy; building one anew takes a hundred times longer."""
        copy = Consortium.__new__(Consortium)
        copy.evm = self.evm.fork()
        copy.cities = self.cities
        for name in ("membership", "log", "status", "grants"):
            setattr(copy, name, getattr(self, name).on(copy.evm))
        return copy

    def register(self, role: int, contract: Contract, from_block: int = 0) -> Receipt:
        receipt = self.decide(REGISTER_CONTRACT, role, contract.address, from_block)
        self.evm.advance()
        return receipt

    def propose(self, kind: int, *values: Any, by: int | None = None) -> int:
        proposer = signer(by or self.cities[0], GOVERN)
        receipt = self.membership.send(proposer, "propose", kind, payload(kind, *values), NO_PAPER)
        return int.from_bytes(receipt.returned, "big")

    def vote(self, proposal: int, *cities: int, support: bool = True) -> None:
        for city in cities:
            self.membership.send(signer(city, GOVERN), "vote", proposal, support)

    def execute(self, proposal: int, by: int | None = None) -> Receipt:
        return self.membership.send(signer(by or self.cities[0], GOVERN), "execute", proposal)

    def decide(self, kind: int, *values: Any) -> Receipt:
        """Propose, vote by all founders in good standing, execute."""
        voters = [c for c in self.cities if self.membership.call("inGoodStanding", c)]
        proposal = self.propose(kind, *values, by=voters[0])
        self.vote(proposal, *voters)
        return self.execute(proposal, by=voters[0])
