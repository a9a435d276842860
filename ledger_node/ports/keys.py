"""Keys: the material key store (apart from the database) and the city's own keys by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger_node.core.event_types import KeyRole as KeyRole
from ledger_node.core.types import Address, PublicKey, TxHash

ACCOUNT_ROLES = (KeyRole.ANCHOR, KeyRole.GATE, KeyRole.GOVERN)


class KeyStore(Protocol):
    """Secret 32-byte keys by name (a material's UUID, or `grant/…`, `release/…`), each wrapped
    under the wrapping key of its epoch.

    Promises: `put_all` is durable when it returns and all or nothing; a name is never re-used for
    another key (`KeyConflictError`); `destroy` is durable when it returns and idempotent;
    `get_all` raises `KeyMissingError` naming the first missing name, `CiphertextAuthError` when a
    wrapped key was changed.
    """

    def put_all(self, keys: Mapping[str, bytes]) -> None: ...

    def get_all(self, names: Sequence[str]) -> list[bytes]: ...

    def has(self, name: str) -> bool: ...

    def destroy(self, name: str) -> None: ...

    def rotate_epoch(self) -> int:
        """Re-wrap survivors under a new epoch and destroy the old wrapping key; returns it."""
        ...


@dataclass(frozen=True, slots=True)
class TransactionFields:
    """An unsigned legacy transaction (`gas_price_wei` 0 on free-gas chains)."""

    chain_id: int
    nonce: int
    to: Address | None
    data: bytes
    gas: int
    gas_price_wei: int = 0
    value_wei: int = 0


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Signed bytes ready for broadcast and their hash (32 bytes)."""

    raw: bytes
    tx_hash: TxHash


class CityKeys(Protocol):
    """The city's own keys; private halves never leave the edge."""

    def public_key(self, role: KeyRole) -> PublicKey:
        """Ed25519 (checkpoint, cosigner, message) or X25519 (encryption) public key."""
        ...

    def account(self, role: KeyRole) -> Address:
        """Chain account of an account role."""
        ...

    def sign(self, role: KeyRole, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        ...

    def sign_transaction(self, role: KeyRole, fields: TransactionFields) -> SignedTransaction: ...

    def open_sealed(self, sealed: bytes, info: bytes) -> bytes:
        """Open an HPKE message sealed to this city's encryption key.

        Raises:
            SealedMessageError: It was not sealed to this city, or was changed.
        """
        ...

    def compute_index_tag(self, scheme: str, normalised: str) -> bytes:
        """HMAC-SHA-256 under the index key of len(scheme) ‖ scheme ‖ normalised, 32 bytes."""
        ...

    def index_key_version(self) -> int: ...
