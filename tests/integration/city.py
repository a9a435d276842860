"""One city's node on real edges in one directory, without chain and peers."""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core.errors import MalformedInputError
from ledger_node.core.types import CityId, Digest, PublicKey
from ledger_node.edges.clock import SystemClock, system_entropy
from ledger_node.edges.database.transaction import open_database
from ledger_node.edges.documents import AgeSealer, SegmentStore
from ledger_node.edges.keys.key_store import KeyStoreFile
from ledger_node.edges.tiles.directory import TileDirectory
from ledger_node.flows.node import Node
from ledger_node.flows.submission import (
    Document,
    DocumentDigest,
    DocumentFile,
    Subject,
    Submission,
)
from ledger_node.ports.keys import CityKeys, KeyRole
from tests.integration.processes import FailingDatabase, FailingPort, FailPoint

LOG = "log"
TYPES = frozenset({"marriage-cert", "household-book"})


class SeededKeys:
    """Signing and index keys made from a seed (key files are tested with their edge)."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def _key(self, role: KeyRole) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(
            hashlib.sha256(self._seed + bytes((role,))).digest()
        )

    def public_key(self, role: KeyRole) -> PublicKey:
        return PublicKey(self._key(role).public_key().public_bytes_raw())

    def sign(self, role: KeyRole, message: bytes) -> bytes:
        return self._key(role).sign(message)

    def compute_index_tag(self, scheme: str, normalised: str) -> bytes:
        name = scheme.encode()
        framed = len(name).to_bytes(2, "big") + name + normalised.encode()
        return hmac.digest(self._seed, framed, "sha256")

    def index_key_version(self) -> int:
        return 1


def normalise_identifier(scheme: str, number: str) -> str:
    """The rule of these tests: one scheme, 18 characters."""
    if scheme != "cn-resident-id" or len(number.strip()) != 18:
        raise MalformedInputError("证件号码不合格。", "the identifier is not well formed.")
    return number.strip().upper()


def open_city(root: Path, database_url: str, point: FailPoint | None = None) -> Node:
    """Open (or create) the city in `root`; with a fail-point, its ports are wrapped."""
    used: dict[str, Any] = {
        "domain": "tongban.example",
        "city": CityId("510107"),
        "generation": 0,
        "material_types": TYPES,
        "catalogue_pin": "1/sha-256/of-these-tests",
        "normalise_identifier": normalise_identifier,
        "clock": SystemClock(),
        "entropy": system_entropy,
        "database": open_database(database_url),
        "documents": SegmentStore(root / "documents"),
        "sealer": AgeSealer(),
        "key_store": KeyStoreFile(root / "keys", system_entropy),
        "keys": cast(CityKeys, SeededKeys(b"seed of the city under test")),
        "tiles": TileDirectory(root / LOG),
    }
    node = Node(**{field.name: used.get(field.name) for field in fields(Node)})
    if point is None:
        return node
    wrapped = {
        name: cast(Any, FailingPort(getattr(node, name), name, point))
        for name in ("documents", "key_store", "keys", "tiles")
    }
    return replace(node, database=cast(Any, FailingDatabase(node.database, point)), **wrapped)


def close_city(node: Node) -> None:
    node.database.close()
    cast(Any, node.documents).close()
    cast(Any, node.key_store).close()


def file_of(data: bytes, media_type: str = "application/pdf") -> DocumentFile:
    opener: Callable[[], Any] = lambda: io.BytesIO(data)  # noqa: E731
    return DocumentFile(opener, media_type)


def digest_of(data: bytes) -> DocumentDigest:
    return DocumentDigest(Digest(hashlib.sha256(data).digest()), "application/pdf")


def person(number: int, role: str = "holder") -> Subject:
    return Subject(role, "cn-resident-id", f"51010719900101{number:04}", f"张三{number}")


def submission(which: int, *documents: Document, **changes: Any) -> Submission:
    fields: dict[str, Any] = {
        "type_code": "marriage-cert",
        "subjects": (person(which), person(which + 5000, "spouse")),
        "grade": "A",
        "documents": documents or (file_of(b"document %d" % which),),
        "issuer": {"code": "11510107MB1A00000X", "name": "武侯区民政局"},
        "number": f"J510107-2020-{which:06}",
        "issued_on": "2020-05-20",
        "attributes": {"place": "武侯"},
    }
    return Submission(**{**fields, **changes})
