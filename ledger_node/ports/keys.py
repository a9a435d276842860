"""Keys: the material key store (apart from the database) and the city's own keys by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger_node.core.errors import (
    ConflictError,
    NotFoundError,
    NotPermittedError,
    UnavailableError,
    VerificationError,
)
from ledger_node.core.event_types import KeyRole as KeyRole
from ledger_node.core.types import Address, PublicKey, TxHash

SECRET_BYTES = 32


class KeyMissingError(NotFoundError):
    """The key store has no such key, or it was destroyed. Fields: name."""

    code = "key_missing"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"密钥库中没有密钥 {name}（可能已销毁）。",
            f"The key store has no key {name}; it may have been destroyed.",
            name=name,
        )


class KeyConflictError(ConflictError):
    """The name already stands (or stood) for another key. Fields: name."""

    code = "key_conflict"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"密钥名称 {name} 已被使用，不能用于另一把密钥。",
            f"The key name {name} is or was used for another key; names are never re-used.",
            name=name,
        )


class KeyStoreUnavailableError(UnavailableError):
    """The key store cannot be read or written now (locked, full, device error, no key file)."""

    code = "key_store_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"密钥库暂时不可用（{reason}）。请稍后重试。",
            f"The key store is unavailable ({reason}); try again later.",
            reason=reason,
        )


class InsecureKeyFileError(NotPermittedError):
    """A secret file or its directory is open to other users of this machine. Fields: path, mode."""

    code = "insecure_key_file"

    def __init__(self, path: str, mode: int, wanted: int) -> None:
        super().__init__(
            f"密钥文件 {path} 的权限为 {mode:o}，其他用户可能读取。"
            f"请执行 chmod {wanted:o} 后再启动。",
            f"The key file {path} has mode {mode:o}: other users could read it. "
            f"Run chmod {wanted:o} on it and start again.",
            path=path,
            mode=mode,
        )


class SealedMessageError(VerificationError):
    """An HPKE message was not sealed to this key and info, or was changed."""

    code = "sealed_message"

    def __init__(self) -> None:
        super().__init__(
            "该密封消息不是发给本市的，或已被改动。",
            "The sealed message was not sealed to this city for this purpose, or was changed.",
        )


ACCOUNT_ROLES = (KeyRole.ANCHOR, KeyRole.GATE, KeyRole.GOVERN)


class KeyStore(Protocol):
    """Secret 32-byte keys by name (a material's UUID, or `grant/…`, `release/…`), each wrapped
    under the wrapping key of its epoch.

    Promises: `put_all` is durable when it returns and all or nothing; a name is never re-used for
    another key (`KeyConflictError`); `destroy` is durable when it returns and idempotent;
    `get_all` raises `KeyMissingError` naming the first missing name, `CiphertextAuthError` when a
    wrapped key was changed (naming it). Putting the same key under the same name again is no
    conflict; a destroyed name stays taken. Several threads and processes may use one store.

    Raises (every method): KeyStoreUnavailableError.
    """

    def put_all(self, keys: Mapping[str, bytes]) -> None:
        """Store keys of 32 bytes by name (1 to 200 characters).

        Raises:
            MalformedKeyError: A key is not 32 bytes, or a name has another length.
        """
        ...

    def get_all(self, names: Sequence[str]) -> list[bytes]:
        """The keys in the order of `names`."""
        ...

    def has(self, name: str) -> bool:
        """Whether the key is there and was not destroyed."""
        ...

    def destroy(self, name: str) -> None:
        """Make the key unrecoverable from this store (backups: with the end of its epoch)."""
        ...

    def rotate_epoch(self) -> int:
        """Re-wrap survivors under a new epoch, destroy the old wrapping keys; returns the new one.

        A crash at any point loses no key: opening the store again ends what was begun.
        """
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
    """The city's own keys; private halves never leave the edge.

    Raises (every method that needs a key): KeyMissingError naming the role whose file is not on
    this machine (a node does without the govern account); InsecureKeyFileError.
    """

    def public_key(self, role: KeyRole) -> PublicKey:
        """Ed25519 (checkpoint, cosigner, message) or X25519 (encryption) public key."""
        ...

    def account(self, role: KeyRole) -> Address:
        """Chain account of an account role."""
        ...

    def sign(self, role: KeyRole, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        ...

    def sign_transaction(self, role: KeyRole, fields: TransactionFields) -> SignedTransaction:
        """Sign a legacy transaction (EIP-155) with an account role."""
        ...

    def seal_to(self, public_key: PublicKey, plaintext: bytes, info: bytes) -> bytes:
        """Seal for another city's encryption key: HPKE base mode, fresh every time.

        Raises:
            MalformedKeyError: `public_key` is no X25519 key.
        """
        ...

    def open_sealed(self, sealed: bytes, info: bytes) -> bytes:
        """Open an HPKE message sealed to this city's encryption key.

        Raises:
            SealedMessageError: It was not sealed to this city, or was changed.
        """
        ...

    def compute_index_tag(self, scheme: str, normalised: str) -> bytes:
        """HMAC-SHA-256 under the current index key, 32 bytes.

        Over u16 len(scheme) ‖ scheme ‖ normalised, both UTF-8.
        """
        ...

    def index_key_version(self) -> int:
        """Version of the index key that `compute_index_tag` uses, from 1."""
        ...
