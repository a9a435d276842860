"""Key store and city keys in memory; they pass the conformance suites of the file edges.

Transactions are signed by another library than the edge uses, so the suites compare the two.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from eth_account import Account

from ledger_node.core.derivation import MalformedKeyError
from ledger_node.core.types import Address, PublicKey, TxHash
from ledger_node.edges.keys.hpke import open_with, seal_to
from ledger_node.ports.keys import (
    ACCOUNT_ROLES,
    KeyConflictError,
    KeyMissingError,
    KeyRole,
    SignedTransaction,
    TransactionFields,
)
from tests.fakes.faults import FaultPlan, no_faults, run_with_faults


class MemoryKeyStore:
    """Handles that share `keys` are processes that share a file; None marks a destroyed key."""

    def __init__(
        self, keys: dict[str, bytes | None] | None = None, faults: FaultPlan = no_faults
    ) -> None:
        self.keys = {} if keys is None else keys
        self.faults = faults
        self.epoch = 1
        self.seen_at: dict[int, datetime] = {}

    def put_all(self, keys: Mapping[str, bytes]) -> None:
        for name, secret in keys.items():
            if len(secret) != 32 or not 0 < len(name) <= 200:
                raise MalformedKeyError("密钥不合格。", "malformed key")
            if name in self.keys and self.keys[name] != secret:
                raise KeyConflictError(name)
        run_with_faults(self.faults, "put_all", lambda: self.keys.update(keys))

    def get_all(self, names: Sequence[str]) -> list[bytes]:
        def effect() -> list[bytes]:
            found = []
            for name in names:
                secret = self.keys.get(name)
                if secret is None:
                    raise KeyMissingError(name)
                found.append(secret)
            return found

        return run_with_faults(self.faults, "get_all", effect)

    def has(self, name: str) -> bool:
        return run_with_faults(self.faults, "has", lambda: self.keys.get(name) is not None)

    def destroy(self, name: str) -> None:
        def effect() -> None:
            if name in self.keys:
                self.keys[name] = None

        run_with_faults(self.faults, "destroy", effect)

    def rotate_epoch(self) -> int:
        def effect() -> int:
            self.epoch += 1
            return self.epoch

        return run_with_faults(self.faults, "rotate_epoch", effect)

    def rotate_epoch_when_due(self, now: datetime, age: timedelta) -> bool:
        seen_at = self.seen_at.setdefault(self.epoch, now)
        if now - seen_at < age:
            return False
        self.seen_at[self.rotate_epoch()] = now
        return True


class MemoryCityKeys:
    """All roles of a city; `with_govern=False` is a running node."""

    def __init__(self, entropy: Callable[[int], bytes], *, with_govern: bool = True) -> None:
        self._secrets = {role: entropy(32) for role in KeyRole}
        self._index = entropy(32)
        if not with_govern:
            del self._secrets[KeyRole.GOVERN]

    def public_key(self, role: KeyRole) -> PublicKey:
        if role is KeyRole.ENCRYPTION:
            return PublicKey(self._encryption().public_key().public_bytes_raw())
        return PublicKey(self._signer(role).public_key().public_bytes_raw())

    def account(self, role: KeyRole) -> Address:
        address = Account.from_key(self._account_secret(role)).address
        return Address(bytes.fromhex(address[2:]))

    def sign(self, role: KeyRole, message: bytes) -> bytes:
        return self._signer(role).sign(message)

    def sign_transaction(self, role: KeyRole, fields: TransactionFields) -> SignedTransaction:
        signed = Account.sign_transaction(
            {
                "chainId": fields.chain_id,
                "nonce": fields.nonce,
                "gasPrice": fields.gas_price_wei,
                "gas": fields.gas,
                "to": fields.to or b"",
                "value": fields.value_wei,
                "data": fields.data,
            },
            self._account_secret(role),
        )
        return SignedTransaction(bytes(signed.raw_transaction), TxHash(bytes(signed.hash)))

    def seal_to(self, public_key: PublicKey, plaintext: bytes, info: bytes) -> bytes:
        return seal_to(public_key, plaintext, info)

    def open_sealed(self, sealed: bytes, info: bytes) -> bytes:
        return open_with(self._encryption(), sealed, info)

    def compute_index_tag(self, scheme: str, normalised: str) -> bytes:
        message = len(scheme.encode()).to_bytes(2, "big") + f"{scheme}{normalised}".encode()
        return hmac.digest(self._index, message, "sha256")

    def index_key_version(self) -> int:
        return 1

    def _signer(self, role: KeyRole) -> Ed25519PrivateKey:
        if role in ACCOUNT_ROLES or role is KeyRole.ENCRYPTION:
            raise MalformedKeyError("角色不签名。", "not a signing role")
        return Ed25519PrivateKey.from_private_bytes(self._secrets[role])

    def _encryption(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self._secrets[KeyRole.ENCRYPTION])

    def _account_secret(self, role: KeyRole) -> bytes:
        if role not in ACCOUNT_ROLES:
            raise MalformedKeyError("角色没有账户。", "not an account role")
        if role not in self._secrets:
            raise KeyMissingError("govern-key")
        return self._secrets[role]
