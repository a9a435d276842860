"""A city as far as the chain is concerned: keys, tiles, clock, database, and a log that grows."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from eth_account import Account

from ledger_node.core.anchor import FinalityKind, FinalityPolicy
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead
from ledger_node.core.tiles import extend_tiles
from ledger_node.core.types import Address, BlockNumber, CityId, TxHash
from ledger_node.edges.chain.contracts import ContractCalls
from ledger_node.edges.database.transaction import open_database
from ledger_node.flows.deploying import Deployment, FoundingCity, deploy_consortium
from ledger_node.ports.chain import ChainProfile
from ledger_node.ports.contracts import FounderEntry
from ledger_node.ports.database_log import PublishedCheckpoint
from ledger_node.ports.keys import SignedTransaction, TransactionFields
from ledger_node.ports.tiles import TileNotFoundError
from tests.fakes.fake_chain import START_S, FakeChain, FakeCityLog, FakeMembership

CITIES = ("510107", "510700", "131129")
IMMEDIATE = FinalityPolicy(FinalityKind.IMMEDIATE)
GENERATION = 1


class StepClock:
    """Time that moves when it is slept on or pushed."""

    def __init__(self) -> None:
        self._now_s = float(START_S)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now_s, UTC)

    def monotonic_s(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        self._now_s += seconds

    def push(self, seconds: float) -> None:
        self._now_s += timedelta(seconds=seconds).total_seconds()


class WallClock(StepClock):
    """Sleeps for real, for chains that need real time."""

    def sleep(self, seconds: float) -> None:
        import time

        time.sleep(seconds)
        super().sleep(seconds)


class PlainKeys:
    """Deterministic keys of one city; only what the chain needs."""

    def __init__(self, city: str) -> None:
        self._accounts = {
            role: Account.from_key(hashlib.sha256(f"{city}/{role}".encode()).digest())
            for role in (KeyRole.ANCHOR, KeyRole.GATE, KeyRole.GOVERN)
        }

    def account(self, role: KeyRole) -> Address:
        return Address(bytes.fromhex(self._accounts[role].address[2:]))

    def sign_transaction(self, role: KeyRole, fields: TransactionFields) -> SignedTransaction:
        signed = self._accounts[role].sign_transaction(
            {
                "chainId": fields.chain_id,
                "nonce": fields.nonce,
                "to": fields.to or b"",
                "data": fields.data,
                "gas": fields.gas,
                "gasPrice": fields.gas_price_wei,
                "value": fields.value_wei,
            }
        )
        return SignedTransaction(bytes(signed.raw_transaction), TxHash(bytes(signed.hash)))


class MemoryTiles:
    """Tiles in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put_all(self, tiles: Mapping[str, bytes]) -> None:
        self.files.update(tiles)

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise TileNotFoundError(path)
        return self.files[path]

    def read_all(self, paths: Iterable[str]) -> list[bytes]:
        return [self.read(path) for path in paths]


@dataclass
class City:
    """What the chain flows take for a node."""

    city: CityId
    chain: Any
    profile: ChainProfile
    database: Any
    keys: Any
    contracts: Any
    clock: Any = field(default_factory=StepClock)
    tiles: Any = field(default_factory=MemoryTiles)
    generation: int = GENERATION
    head: TreeHead = EMPTY_TREE_HEAD

    def grow(self, leaves: int, seed: str = "") -> TreeHead:
        """Append leaves and publish the head, as sequencing leaves it."""
        first = self.head.size
        hashes = b"".join(
            hashlib.sha256(f"{seed}{self.city}/{index}".encode()).digest()
            for index in range(first, first + leaves)
        )
        tiles, self.head = extend_tiles(first, hashes, self.tiles.read)
        self.tiles.put_all(tiles)
        with self.database.transaction() as tx:
            tx.log.save_checkpoint(
                PublishedCheckpoint(
                    self.generation, self.head.size, self.head.root, b"note", self.clock.now()
                )
            )
        return self.head

    def halts(self) -> list[str]:
        with self.database.read() as tx:
            return [halt.reason for halt in tx.log.list_halts()]

    def clear_halts(self) -> None:
        """A person looked."""
        for reason in self.halts():
            with self.database.transaction() as tx:
                tx.log.clear_halt(reason, "审核员", self.clock.now())

    def heads(self) -> list[TreeHead]:
        """Anchored heads as followed, oldest first."""
        with self.database.read() as tx:
            return [head.tree_head for head in tx.chain.list_heads(self.city)][::-1]

    def rows(self) -> list[Any]:
        """Every outbox row, by nonce."""
        with self.database.read() as tx:
            return [
                tx.outbox.load_transaction(row.outbox_id)
                for row in sorted(tx.outbox.list_anchors(), key=lambda row: row.outbox_id)
            ]


def founding_city(city: str, url: str = "http://127.0.0.1:1") -> FoundingCity:
    keys = PlainKeys(city)
    accounts = tuple(bytes(12) + keys.account(role) for role in list(KeyRole)[:3])
    others = tuple(hashlib.sha256(f"{city}{role}".encode()).digest() for role in list(KeyRole)[3:])
    return FoundingCity(FounderEntry(CityId(city), url, accounts + others), keys)  # type: ignore[arg-type]


def deploy(chain: Any, clock: Any, cities: Iterable[str] = CITIES) -> Deployment:
    """A real consortium on a real chain."""
    founders = [founding_city(city) for city in cities]
    return deploy_consortium(chain, ContractCalls(chain), clock, founders)


def profile_of(deployment: Deployment, finality: FinalityPolicy = IMMEDIATE) -> ChainProfile:
    return ChainProfile(
        deployment.chain_id,
        deployment.genesis_hash,
        deployment.membership,
        deployment.first_block,
        finality,
    )


def city_on(chain: Any, profile: ChainProfile, database: Any, city: str = CITIES[0]) -> City:
    return City(CityId(city), chain, profile, database, PlainKeys(city), ContractCalls(chain))


MEMBERSHIP = Address(b"\x01" * 20)
CITY_LOG = Address(b"\x02" * 20)
STATUS = Address(b"\x03" * 20)
GRANTS = Address(b"\x04" * 20)


class Emitter:
    """A contract model without rules; logs come from `FakeChain.emit`."""

    def __init__(self, code: bytes) -> None:
        self.code = code


def fake_chain(**options: Any) -> FakeChain:
    """A chain in memory with the consortium's contracts registered by event."""
    accounts = {PlainKeys(city).account(KeyRole.ANCHOR): int(city) for city in CITIES}
    chain = FakeChain(
        {
            MEMBERSHIP: FakeMembership({0: CITY_LOG, 1: STATUS, 2: GRANTS}),
            CITY_LOG: FakeCityLog(accounts),
            STATUS: Emitter(b"status"),
            GRANTS: Emitter(b"grants"),
        },
        **options,
    )
    chain.emit([(MEMBERSHIP, registration(role, address)) for role, address in registered()])
    return chain


def registered() -> list[tuple[ContractRole, Address]]:
    return [
        (ContractRole.CITY_LOG, CITY_LOG),
        (ContractRole.MATERIAL_STATUS, STATUS),
        (ContractRole.GRANTS, GRANTS),
    ]


def registration(role: ContractRole, address: Address) -> tuple[tuple[bytes, ...], bytes]:
    """Log of `ContractRegistered`."""
    topic = bytes.fromhex("9a6b0f7a7915b88abe9aa1a70329f6e3c8204ed48ea0c5c07bcbd229d4bad6a8")
    words = (topic, int(role).to_bytes(32, "big"), bytes(12) + address)
    return words, (1).to_bytes(32, "big")


def fake_profile(chain: FakeChain, finality: FinalityPolicy = IMMEDIATE) -> ChainProfile:
    genesis = chain.fetch_identity().genesis_hash
    return ChainProfile(chain.chain_id, genesis, MEMBERSHIP, BlockNumber(0), finality)


def fake_city(
    database: Any, finality: FinalityPolicy = IMMEDIATE, chain: FakeChain | None = None
) -> City:
    chain = chain or fake_chain()
    return city_on(chain, fake_profile(chain, finality), database)


def with_profile(city: City, **changes: Any) -> City:
    city.profile = replace(city.profile, **changes)
    return city


def sqlite_copy(template: Path, folder: Path) -> Any:
    """A migrated database of its own, without starting a PostgreSQL server."""
    shutil.copy(template, folder / "city.sqlite")
    return open_database(f"sqlite:///{folder / 'city.sqlite'}")
