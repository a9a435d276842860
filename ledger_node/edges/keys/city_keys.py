"""A city's own keys by role, one file each, read when first needed.

Spec: docs/spec/keystore.md; custody: docs/decisions/0004-encryption-and-key-custody.md. The
govern account has a directory of its own, which a running node does not have: it is kept offline
and brought for a vote or a change of keys.
"""

from __future__ import annotations

import hmac
import re
from functools import cached_property
from pathlib import Path

import coincurve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ledger_node.core.derivation import MalformedKeyError
from ledger_node.core.types import Address, PublicKey
from ledger_node.edges.files import make_private_directory
from ledger_node.edges.keys.accounts import (
    PASSPHRASE_FILE,
    generate_account,
    load_account,
    load_address,
    sign_legacy,
)
from ledger_node.edges.keys.hpke import open_with, seal_to
from ledger_node.edges.keys.secret_files import key_file_errors, read_secret, write_secret
from ledger_node.ports.clock import Entropy
from ledger_node.ports.keys import (
    ACCOUNT_ROLES,
    SECRET_BYTES,
    KeyConflictError,
    KeyMissingError,
    KeyRole,
    SignedTransaction,
    TransactionFields,
)

SIGNING_ROLES = (KeyRole.CHECKPOINT, KeyRole.COSIGNER, KeyRole.MESSAGE)
_INDEX_KIND = "index-key"
_INDEX_NAME = re.compile(r"index-([1-9][0-9]{0,8})\.key")


class CityKeysFile:
    """`CityKeys` over a directory of files; opening it reads nothing."""

    def __init__(self, directory: Path, govern_directory: Path | None = None) -> None:
        """Use the keys in `directory`, and the govern account where its directory is given."""
        self._directory = directory
        self._govern_directory = govern_directory
        self._signers: dict[KeyRole, Ed25519PrivateKey] = {}
        self._accounts: dict[KeyRole, coincurve.PrivateKey] = {}

    def public_key(self, role: KeyRole) -> PublicKey:
        """Ed25519 (checkpoint, cosigner, message) or X25519 (encryption) public key."""
        key = self._encryption_key if role is KeyRole.ENCRYPTION else self._signer(role)
        return PublicKey(key.public_key().public_bytes_raw())

    def account(self, role: KeyRole) -> Address:
        """Chain account of an account role."""
        return load_address(self._account_path(role))

    def sign(self, role: KeyRole, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._signer(role).sign(message)

    def sign_transaction(self, role: KeyRole, fields: TransactionFields) -> SignedTransaction:
        """Sign a legacy transaction (EIP-155) with an account role."""
        key = self._accounts.get(role)
        if key is None:
            key = self._accounts[role] = load_account(self._account_path(role))
        return sign_legacy(key, fields)

    def seal_to(self, public_key: PublicKey, plaintext: bytes, info: bytes) -> bytes:
        """Seal for another city's encryption key."""
        return seal_to(public_key, plaintext, info)

    def open_sealed(self, sealed: bytes, info: bytes) -> bytes:
        """Open an HPKE message sealed to this city's encryption key."""
        return open_with(self._encryption_key, sealed, info)

    def compute_index_tag(self, scheme: str, normalised: str) -> bytes:
        """HMAC-SHA-256 under the current index key, 32 bytes."""
        marked = scheme.encode()
        message = len(marked).to_bytes(2, "big") + marked + normalised.encode()
        return hmac.digest(self._index_key[1], message, "sha256")

    def index_key_version(self) -> int:
        """Version of the index key that `compute_index_tag` uses, from 1."""
        return self._index_key[0]

    def _signer(self, role: KeyRole) -> Ed25519PrivateKey:
        key = self._signers.get(role)
        if key is None:
            _demand_role(role, SIGNING_ROLES)
            seed = read_secret(role_path(self._directory, role), _kind(role))
            key = self._signers[role] = Ed25519PrivateKey.from_private_bytes(seed)
        return key

    @cached_property
    def _encryption_key(self) -> X25519PrivateKey:
        path = role_path(self._directory, KeyRole.ENCRYPTION)
        return X25519PrivateKey.from_private_bytes(read_secret(path, _kind(KeyRole.ENCRYPTION)))

    @cached_property
    def _index_key(self) -> tuple[int, bytes]:
        """Version and secret of the newest index key."""
        with key_file_errors():
            names = [path.name for path in self._directory.glob("index-*.key")]
        versions = [int(match.group(1)) for name in names if (match := _INDEX_NAME.fullmatch(name))]
        if not versions:
            raise KeyMissingError("index")
        newest = max(versions)
        return newest, read_secret(index_path(self._directory, newest), _INDEX_KIND)

    def _account_path(self, role: KeyRole) -> Path:
        _demand_role(role, ACCOUNT_ROLES)
        if role is not KeyRole.GOVERN:
            return account_path(self._directory, role)
        if self._govern_directory is None:
            raise KeyMissingError(_kind(role))
        return account_path(self._govern_directory, role)


def generate_city_keys(directory: Path, govern_directory: Path, entropy: Entropy) -> None:
    """Make every key of a new city; the directories are private, the files their owner's alone.

    Raises:
        KeyConflictError: A key is there already; nothing of it is replaced.
    """
    with key_file_errors():
        make_private_directory(directory)
        make_private_directory(govern_directory)
        try:
            _generate_all(directory, govern_directory, entropy)
        except FileExistsError as error:
            raise KeyConflictError(Path(error.filename2 or error.filename).name) from error


def _generate_all(directory: Path, govern_directory: Path, entropy: Entropy) -> None:
    for role in (*SIGNING_ROLES, KeyRole.ENCRYPTION):
        write_secret(role_path(directory, role), _kind(role), entropy(SECRET_BYTES))
    write_secret(index_path(directory, 1), _INDEX_KIND, entropy(SECRET_BYTES))
    _generate_accounts(directory, (KeyRole.ANCHOR, KeyRole.GATE), entropy)
    _generate_accounts(govern_directory, (KeyRole.GOVERN,), entropy)


def _generate_accounts(directory: Path, roles: tuple[KeyRole, ...], entropy: Entropy) -> None:
    passphrase = entropy(SECRET_BYTES)
    write_secret(directory / PASSPHRASE_FILE, PASSPHRASE_FILE, passphrase)
    for role in roles:
        generate_account(account_path(directory, role), passphrase, entropy)


def role_path(directory: Path, role: KeyRole) -> Path:
    """File of a signing or encryption key."""
    return directory / f"{role.name.lower()}.key"


def account_path(directory: Path, role: KeyRole) -> Path:
    """Keystore of a chain account."""
    return directory / f"{role.name.lower()}.json"


def index_path(directory: Path, version: int) -> Path:
    """File of one version of the index key."""
    return directory / f"index-{version}.key"


def _kind(role: KeyRole) -> str:
    return f"{role.name.lower()}-key"


def _demand_role(role: KeyRole, allowed: tuple[KeyRole, ...]) -> None:
    if role not in allowed:
        raise MalformedKeyError(
            f"角色 {role.name} 没有此类密钥。", f"the role {role.name} has no key of this sort."
        )
