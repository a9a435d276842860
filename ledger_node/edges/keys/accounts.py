"""Chain accounts of a city: Web3 keystore v3 files, and signing legacy transactions.

The passphrase is 32 random bytes in a secret file beside the keystore. Stretching it would add
nothing (nobody guesses 256 random bits), so the work factor is low and opening takes milliseconds;
the format is kept because every Ethereum tool can read it. A city that types its passphrase, or
keeps it elsewhere, writes the keystore with that tool's own work factor.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import coincurve
from eth_hash.auto import keccak

from ledger_node.core.errors import CiphertextAuthError
from ledger_node.core.types import Address, TxHash
from ledger_node.edges.files import PRIVATE_FILE, create_file
from ledger_node.edges.keys.secret_files import read_private, read_secret
from ledger_node.ports.clock import Entropy
from ledger_node.ports.keys import (
    SECRET_BYTES,
    KeyStoreUnavailableError,
    SignedTransaction,
    TransactionFields,
)

PASSPHRASE_FILE = "passphrase"  # noqa: S105 - a file name
KDF_ITERATIONS = 10_000
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_ADDRESS_BYTES = 20


def generate_account(path: Path, passphrase: bytes, entropy: Entropy) -> Address:
    """Make an account and write its keystore, durable when it returns.

    Raises:
        FileExistsError: There is one; it is left as it is.
    """
    from eth_keyfile import keyfile  # slow to import, and not every process needs an account

    secret = entropy(SECRET_BYTES)
    while not 0 < int.from_bytes(secret, "big") < _CURVE_ORDER:
        secret = entropy(SECRET_BYTES)
    keystore = keyfile.create_keyfile_json(
        secret, passphrase.hex().encode(), kdf="pbkdf2", iterations=KDF_ITERATIONS
    )
    create_file(path, (json.dumps(keystore) + "\n").encode(), mode=PRIVATE_FILE)
    return compute_address(coincurve.PrivateKey(secret))


def compute_address(key: coincurve.PrivateKey) -> Address:
    """Last 20 bytes of the keccak-256 of the public key."""
    return Address(keccak(key.public_key.format(compressed=False)[1:])[-_ADDRESS_BYTES:])


def load_address(path: Path) -> Address:
    """Address a keystore says it holds (checked against the key when it signs).

    Raises:
        KeyMissingError: There is no such file.
        InsecureKeyFileError: Others could read it.
        KeyStoreUnavailableError: It is no keystore.
    """
    address = _load_json(path).get("address")
    try:
        parsed = bytes.fromhex(str(address).removeprefix("0x"))
    except ValueError:
        parsed = b""
    if len(parsed) != _ADDRESS_BYTES:
        raise KeyStoreUnavailableError(f"{path.name} is not a version 3 keystore")
    return Address(parsed)


def load_account(path: Path) -> coincurve.PrivateKey:
    """Open a keystore with the passphrase file beside it.

    Raises:
        KeyMissingError: The keystore or its passphrase is not there.
        InsecureKeyFileError: Others could read one of them.
        CiphertextAuthError: It does not open, or holds another account than it says.
    """
    from eth_keyfile import keyfile

    address, keystore = load_address(path), _load_json(path)
    passphrase = read_secret(path.parent / PASSPHRASE_FILE, PASSPHRASE_FILE)
    try:
        secret = keyfile.decode_keyfile_json(keystore, passphrase.hex().encode())
        key = coincurve.PrivateKey(secret)
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise CiphertextAuthError(path.name) from error
    if compute_address(key) != address:
        raise CiphertextAuthError(path.name)
    return key


def sign_legacy(key: coincurve.PrivateKey, fields: TransactionFields) -> SignedTransaction:
    """Sign a legacy transaction for one chain (EIP-155); deterministic (RFC 6979)."""
    import rlp  # type: ignore[import-untyped] # no type marker; slow to import (pydantic)

    body = [
        fields.nonce,
        fields.gas_price_wei,
        fields.gas,
        fields.to or b"",
        fields.value_wei,
        fields.data,
    ]
    unsigned: bytes = rlp.encode([*body, fields.chain_id, 0, 0])
    signature = key.sign_recoverable(keccak(unsigned), hasher=None)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    v = fields.chain_id * 2 + 35 + signature[64]
    raw: bytes = rlp.encode([*body, v, r, s])
    return SignedTransaction(raw, TxHash(keccak(raw)))


def _load_json(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(read_private(path))
    except ValueError:
        loaded = None
    if not isinstance(loaded, dict):
        raise KeyStoreUnavailableError(f"{path.name} is not a version 3 keystore")
    return loaded
