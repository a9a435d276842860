"""What a city's keys promise: the files and the memory fake."""

from __future__ import annotations

import hmac
import json
import os
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_account import Account

from ledger_node.core.derivation import MalformedKeyError
from ledger_node.core.errors import CiphertextAuthError
from ledger_node.core.types import Address, PublicKey
from ledger_node.edges.keys import CityKeysFile, KeyStoreFile, generate_city_keys
from ledger_node.edges.keys.accounts import PASSPHRASE_FILE
from ledger_node.ports.keys import (
    ACCOUNT_ROLES,
    CityKeys,
    InsecureKeyFileError,
    KeyConflictError,
    KeyMissingError,
    KeyRole,
    KeyStoreUnavailableError,
    SealedMessageError,
    TransactionFields,
)
from tests.fakes.manual_clock import CountingEntropy
from tests.fakes.memory_keys import MemoryCityKeys

pytestmark = pytest.mark.integration
SIGNING = (KeyRole.CHECKPOINT, KeyRole.COSIGNER, KeyRole.MESSAGE)
FIELDS = [
    TransactionFields(1337, 0, Address(bytes(range(20))), b"\x01\x02", 21_000),
    TransactionFields(1, 300, Address(bytes(20)), b"", 53_000, gas_price_wei=7, value_wei=10**18),
    TransactionFields(2**40, 1, None, bytes(500), 3_000_000),
]


@pytest.fixture(params=["file", "memory"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> CityKeys:
    """Keys of a city, the same numbers in both implementations at every run."""
    if request.param == "memory":
        return MemoryCityKeys(CountingEntropy())
    generate_city_keys(tmp_path / "keys" / "city", tmp_path / "govern", CountingEntropy())
    return CityKeysFile(tmp_path / "keys" / "city", tmp_path / "govern")


@pytest.mark.parametrize("role", SIGNING)
def test_sign_verifies_under_the_public_key_of_the_role(keys: CityKeys, role: KeyRole) -> None:
    signature = keys.sign(role, b"message")
    for other in SIGNING:
        public_key = Ed25519PublicKey.from_public_bytes(keys.public_key(other))
        if other is role:
            public_key.verify(signature, b"message")
        else:
            with pytest.raises(InvalidSignature):
                public_key.verify(signature, b"message")


def test_sign_with_a_role_of_another_sort_is_refused(keys: CityKeys) -> None:
    for role in (*ACCOUNT_ROLES, KeyRole.ENCRYPTION):
        with pytest.raises(MalformedKeyError):
            keys.sign(role, b"message")
    for role in (*SIGNING, KeyRole.ENCRYPTION):
        with pytest.raises(MalformedKeyError):
            keys.account(role)


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
@pytest.mark.parametrize("fields", FIELDS)
def test_sign_transaction_recovers_to_the_account(
    keys: CityKeys, role: KeyRole, fields: TransactionFields
) -> None:
    signed = keys.sign_transaction(role, fields)
    assert keys.sign_transaction(role, fields) == signed
    recovered = Account.recover_transaction(signed.raw)
    assert bytes.fromhex(recovered[2:]) == keys.account(role)


def test_open_sealed_opens_only_for_the_right_city_and_info(keys: CityKeys) -> None:
    sealed = keys.seal_to(keys.public_key(KeyRole.ENCRYPTION), b"secret", b"tongban/x/v1\n")
    assert keys.open_sealed(sealed, b"tongban/x/v1\n") == b"secret"
    assert sealed != keys.seal_to(keys.public_key(KeyRole.ENCRYPTION), b"secret", b"tongban/x/v1\n")
    with pytest.raises(SealedMessageError):
        keys.open_sealed(sealed, b"tongban/y/v1\n")
    with pytest.raises(SealedMessageError):
        MemoryCityKeys(CountingEntropy(1000)).open_sealed(sealed, b"tongban/x/v1\n")


def test_open_sealed_any_changed_byte_or_length_is_refused(keys: CityKeys) -> None:
    sealed = keys.seal_to(keys.public_key(KeyRole.ENCRYPTION), b"secret", b"info")
    damaged = [
        sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))
    ]
    damaged += [sealed[:size] for size in range(len(sealed))] + [sealed + b"\x00"]
    assert len(damaged) > 100
    for other in damaged:
        with pytest.raises(SealedMessageError):
            keys.open_sealed(other, b"info")


@pytest.mark.parametrize("public_key", [b"", bytes(31), bytes(32), bytes(33)])
def test_seal_to_no_x25519_key_is_refused(keys: CityKeys, public_key: bytes) -> None:
    with pytest.raises(MalformedKeyError):
        keys.seal_to(PublicKey(public_key), b"secret", b"info")


def test_compute_index_tag_separates_scheme_and_number(keys: CityKeys) -> None:
    tags = {
        keys.compute_index_tag(scheme, number)
        for scheme, number in [("ab", "c"), ("a", "bc"), ("", "abc"), ("ab", "d"), ("身份证", "c")]
    }
    assert len(tags) == 5
    assert keys.compute_index_tag("ab", "c") in tags
    assert keys.index_key_version() == 1
    assert {len(tag) for tag in tags} == {32}


def test_sign_transaction_file_and_other_library_agree_byte_for_byte(tmp_path: Path) -> None:
    generate_city_keys(tmp_path / "city", tmp_path / "govern", os.urandom)
    keys = CityKeysFile(tmp_path / "city", tmp_path / "govern")
    passphrase = (tmp_path / "city" / PASSPHRASE_FILE).read_text().splitlines()[1]
    secret = Account.decrypt((tmp_path / "city" / "anchor.json").read_text(), passphrase)
    other = MemoryCityKeys(lambda _size: bytes(secret))
    assert other.account(KeyRole.ANCHOR) == keys.account(KeyRole.ANCHOR)
    for fields in FIELDS:
        assert keys.sign_transaction(KeyRole.ANCHOR, fields) == other.sign_transaction(
            KeyRole.ANCHOR, fields
        )


def test_compute_index_tag_is_the_documented_hmac(tmp_path: Path) -> None:
    generate_city_keys(tmp_path / "city", tmp_path / "govern", CountingEntropy())
    secret = bytes.fromhex((tmp_path / "city" / "index-1.key").read_text().splitlines()[1])
    keys = CityKeysFile(tmp_path / "city")
    expected = hmac.digest(secret, b"\x00\x0ecn-resident-id510107199001011234", "sha256")
    assert keys.compute_index_tag("cn-resident-id", "510107199001011234") == expected
    (tmp_path / "city" / "index-10.key").write_bytes(
        (tmp_path / "city" / "index-1.key").read_bytes()
    )
    (tmp_path / "city" / "index-10.key").chmod(0o600)
    assert CityKeysFile(tmp_path / "city").index_key_version() == 10


def test_account_govern_without_its_directory_is_missing(tmp_path: Path) -> None:
    generate_city_keys(tmp_path / "city", tmp_path / "govern", os.urandom)
    node = CityKeysFile(tmp_path / "city")
    for keys in (node, MemoryCityKeys(os.urandom, with_govern=False)):
        with pytest.raises(KeyMissingError):
            keys.account(KeyRole.GOVERN)
        with pytest.raises(KeyMissingError):
            keys.sign_transaction(KeyRole.GOVERN, FIELDS[0])
        assert keys.sign_transaction(KeyRole.ANCHOR, FIELDS[0])
    assert not list((tmp_path / "city").glob("govern*"))


def test_generate_city_keys_over_existing_keys_replaces_nothing(tmp_path: Path) -> None:
    generate_city_keys(tmp_path / "city", tmp_path / "govern", os.urandom)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(KeyConflictError):
        generate_city_keys(tmp_path / "city", tmp_path / "govern", os.urandom)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_generate_city_keys_makes_private_files_with_different_secrets(tmp_path: Path) -> None:
    generate_city_keys(tmp_path / "city", tmp_path / "govern", os.urandom)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 10
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o700}
    assert len({path.read_text().splitlines()[-1] for path in files}) == 10


SECRET_USES = {
    "message.key": lambda keys: keys.sign(KeyRole.MESSAGE, b""),
    "encryption.key": lambda keys: keys.public_key(KeyRole.ENCRYPTION),
    "index-1.key": lambda keys: keys.compute_index_tag("a", "b"),
    "anchor.json": lambda keys: keys.account(KeyRole.ANCHOR),
    "passphrase": lambda keys: keys.sign_transaction(KeyRole.ANCHOR, FIELDS[0]),
}


@pytest.mark.parametrize("name", SECRET_USES)
def test_use_of_a_secret_readable_by_others_is_refused(tmp_path: Path, name: str) -> None:
    generate_city_keys(tmp_path / "city", tmp_path / "govern", os.urandom)
    for path in (tmp_path / "city" / name, tmp_path / "city"):
        private = path.stat().st_mode & 0o777
        for opened in (0o040, 0o004):
            path.chmod(private | opened)
            with pytest.raises(InsecureKeyFileError, match="chmod"):
                SECRET_USES[name](CityKeysFile(tmp_path / "city"))
        path.chmod(private)
        assert SECRET_USES[name](CityKeysFile(tmp_path / "city"))


@pytest.mark.parametrize("name", SECRET_USES)
def test_use_of_a_missing_or_damaged_secret_is_a_typed_error(tmp_path: Path, name: str) -> None:
    generate_city_keys(tmp_path / "city", tmp_path / "govern", os.urandom)
    path = tmp_path / "city" / name
    content = path.read_bytes()
    for damaged in (b"", content[:-5], b"x" + content, content.replace(b"v1", b"v2")):
        if damaged == content:
            continue
        path.write_bytes(damaged)
        with pytest.raises(KeyStoreUnavailableError):
            SECRET_USES[name](CityKeysFile(tmp_path / "city"))
    path.unlink()
    with pytest.raises(KeyMissingError):
        SECRET_USES[name](CityKeysFile(tmp_path / "city"))


def test_sign_transaction_keystore_that_says_another_account_is_refused(tmp_path: Path) -> None:
    generate_city_keys(tmp_path / "city", tmp_path / "govern", os.urandom)
    path = tmp_path / "city" / "anchor.json"
    address = CityKeysFile(tmp_path / "city").account(KeyRole.ANCHOR).hex()
    content = path.read_text()
    assert address in content.lower()
    keystore = json.loads(content)
    path.write_text(json.dumps({**keystore, "address": "00" * 20}))
    with pytest.raises(CiphertextAuthError):
        CityKeysFile(tmp_path / "city").sign_transaction(KeyRole.ANCHOR, FIELDS[0])
    path.write_text(content)
    assert CityKeysFile(tmp_path / "city").sign_transaction(KeyRole.ANCHOR, FIELDS[0])


def test_open_of_files_reads_nothing_until_a_key_is_needed(tmp_path: Path) -> None:
    keys = CityKeysFile(tmp_path / "nothing here")
    with pytest.raises(KeyMissingError) as caught:
        keys.sign(KeyRole.MESSAGE, b"")
    assert caught.value.fields["name"] == "message"
    with pytest.raises(KeyMissingError):
        keys.index_key_version()


def test_city_keys_and_key_store_share_a_data_directory(tmp_path: Path) -> None:
    generate_city_keys(tmp_path / "keys" / "city", tmp_path / "govern", os.urandom)
    KeyStoreFile(tmp_path / "keys", os.urandom).put_all({"material": bytes(32)})
    assert CityKeysFile(tmp_path / "keys" / "city").sign(KeyRole.CHECKPOINT, b"note")
