"""What every flow receives: the city and its ports, as one frozen value.

Built by `wiring` alone. Nothing in it changes while a process runs; what changes is in the
database, which is where processes of one city meet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from ledger_node.core.checkpoint import build_origin
from ledger_node.core.types import CityId
from ledger_node.ports.chain import Chain, ChainProfile
from ledger_node.ports.clock import Clock, Entropy
from ledger_node.ports.contracts import Contracts
from ledger_node.ports.database import Database
from ledger_node.ports.documents import DocumentStore, Sealer
from ledger_node.ports.keys import CityKeys, KeyStore
from ledger_node.ports.peers import Peers
from ledger_node.ports.tiles import Mirrors, TileStore

NormaliseIdentifier = Callable[[str, str], str]
IsMinor = Callable[[str, str, date], bool]


@dataclass(frozen=True, slots=True)
class Limits:
    """What this city answers one other city within a day."""

    finds_per_city_per_day: int = 2000
    finds_per_officer_per_day: int = 200
    releases_per_city_per_day: int = 2000


@dataclass(frozen=True, slots=True)
class Node:
    """One city's ports and the facts flows need.

    Attributes:
        domain: Domain of the consortium, first part of the log origin.
        city: Six-digit division code.
        generation: Of the log that is written now.
        material_types: Codes of the catalogue in force.
        sensitive_types: Those of them that want a second officer.
        catalogue_pin: Version and digest of that catalogue, as receipts name it.
        normalise_identifier: (scheme, number) -> normalised number; raises a
            `MalformedInputError` when the number is not one of the scheme.
        is_minor: (scheme, normalised number, day) -> whether the person is known to be under 18.
        profile: What pins the chain, when it is final, what it costs.
        tiles: Files of the log of `generation`.
        mirrors: Files of the other cities' logs.
    """

    domain: str
    city: CityId
    generation: int
    material_types: Collection[str]
    sensitive_types: frozenset[str]
    catalogue_pin: str
    normalise_identifier: NormaliseIdentifier
    is_minor: IsMinor
    clock: Clock
    entropy: Entropy
    database: Database
    documents: DocumentStore
    sealer: Sealer
    key_store: KeyStore
    keys: CityKeys
    tiles: TileStore
    mirrors: Mirrors
    chain: Chain
    contracts: Contracts
    profile: ChainProfile
    peers: Peers
    limits: Limits = Limits()

    @property
    def origin(self) -> str:
        """Origin of the log that is written now."""
        return build_origin(self.domain, self.city, self.generation)
