"""Wrapping keys in a PKCS#11 token (SoftHSM, Debian's package softhsm2)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pkcs11
import pytest

from ledger_node.core.errors import CiphertextAuthError
from ledger_node.edges.keys import JoinedWrappingKeys, KeyStoreFile, WrappingKeyFiles
from ledger_node.edges.keys.pkcs11_wrapping import WrappingKeysToken
from ledger_node.ports.keys import KeyMissingError, KeyStoreUnavailableError
from tests.conformance.keys import test_key_store_port as suite
from tests.engines.servers import find_installed
from tests.unit.cli.conftest import City
from tests.unit.cli.conftest import city as city
from tests.unit.cli.conftest import founded_city as founded_city

globals().update({name: each for name, each in vars(suite).items() if name.startswith("test_")})

TOKEN, PIN = "tongban-tests", "246813"
KEYS = {f"material-{number}": bytes([number]) * 32 for number in range(1, 8)}
ELSEWHERE = """
import sys
from pathlib import Path
from ledger_node.edges.keys import KeyStoreFile
from ledger_node.edges.keys.pkcs11_wrapping import WrappingKeysToken
import os
module, token, owner, pin, directory, act = sys.argv[1:]
wrapping = WrappingKeysToken(Path(module), token, owner, lambda: pin)
store = KeyStoreFile(Path(directory), os.urandom, wrapping)
print(store.rotate_epoch() if act == "rotate" else store.get_all(["material-1"])[0].hex())
"""


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SoftHSM over a token of this run; its configuration is read once per process."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    text = f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
    (folder / "conf").write_text(text + "log.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    program, library = find_installed("softhsm2-util"), Path("/usr/lib/softhsm/libsofthsm2.so")
    command = [program, "--init-token", "--free", "--label", TOKEN, "--pin", PIN]
    subprocess.run([*command, "--so-pin", "13579"], check=True, capture_output=True)
    assert library.is_file(), "install softhsm2"
    return library


@pytest.fixture
def wrapping(module: Path, request: pytest.FixtureRequest) -> Iterator[WrappingKeysToken]:
    keys = WrappingKeysToken(module, TOKEN, request.node.name, lambda: PIN)
    yield keys
    keys.close()


@pytest.fixture
def open_store(wrapping: WrappingKeysToken, tmp_path: Path) -> Iterator[Callable[[], KeyStoreFile]]:
    opened: list[KeyStoreFile] = []

    def open_again() -> KeyStoreFile:
        opened.append(KeyStoreFile(tmp_path / "keys", os.urandom, wrapping))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


def run_elsewhere(
    module: Path, owner: str, directory: Path, act: str, pin: str = PIN
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ELSEWHERE, str(module), TOKEN, owner, pin, str(directory), act]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def find_objects(module: Path, owner: str) -> list[pkcs11.SecretKey]:
    token = pkcs11.lib(str(module)).get_token(token_label=TOKEN)
    with token.open() as session:
        objects = list(session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY}))
        return [each for each in objects if f"/{owner}/" in each.label]


def test_create_key_cannot_leave_the_token(
    open_store: Callable[[], KeyStoreFile],
    module: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    open_store().put_all(KEYS)
    token = pkcs11.lib(str(module)).get_token(token_label=TOKEN)
    with token.open() as session:
        label = f"tongban/{request.node.name}/wrapping/1"
        key = session.get_key(label=label)
        assert key[pkcs11.Attribute.EXTRACTABLE] is False
        assert key[pkcs11.Attribute.NEVER_EXTRACTABLE] is True
        with pytest.raises(pkcs11.exceptions.AttributeSensitive):
            key[pkcs11.Attribute.VALUE]
    assert not (tmp_path / "keys" / "wrapping").exists()


def test_rotate_epoch_destroys_the_old_key_and_a_restored_backup_stays_shut(
    open_store: Callable[[], KeyStoreFile],
    wrapping: WrappingKeysToken,
    tmp_path: Path,
) -> None:
    store = open_store()
    store.put_all(KEYS)
    store.destroy("material-1")
    backup = tmp_path / "backup.db"
    subprocess.run(["cp", tmp_path / "keys" / "keystore.db", backup], check=True)
    assert store.rotate_epoch() == 2
    assert wrapping.epochs() == [2]
    store.close()
    for path in (tmp_path / "keys").glob("keystore.db*"):
        path.unlink()
    backup.rename(tmp_path / "keys" / "keystore.db")
    (tmp_path / "keys" / "keystore.db").chmod(0o600)
    restored = open_store()
    for name in KEYS:
        with pytest.raises(KeyMissingError):
            restored.get_all([name])


def test_rotate_epoch_by_another_process_is_followed(
    open_store: Callable[[], KeyStoreFile],
    module: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    store = open_store()
    store.put_all(KEYS)
    done = run_elsewhere(module, request.node.name, tmp_path / "keys", "rotate")
    assert (done.returncode, done.stdout.strip()) == (0, "2"), done.stderr
    assert store.get_all(list(KEYS)) == list(KEYS.values())
    store.put_all({"later": bytes(32)})
    assert store.get_all(["later"]) == [bytes(32)]


def test_open_wrong_pin_is_refused_and_says_nothing_of_it(
    open_store: Callable[[], KeyStoreFile],
    module: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    open_store().put_all(KEYS)
    owner, directory = request.node.name, tmp_path / "keys"
    right = run_elsewhere(module, owner, directory, "read")
    assert right.stdout.strip() == "01" * 32, right.stderr
    wrong = run_elsewhere(module, owner, directory, "read", pin="999999")
    assert wrong.returncode == 1
    assert "KeyStoreUnavailableError" in wrong.stderr
    assert "PinIncorrect" in wrong.stderr
    assert "999999" not in wrong.stderr


def test_get_all_row_changed_is_named_and_not_taken_for_a_broken_device(
    open_store: Callable[[], KeyStoreFile], tmp_path: Path
) -> None:
    import sqlite3

    store = open_store()
    store.put_all(KEYS)
    with sqlite3.connect(tmp_path / "keys" / "keystore.db") as database:
        (wrapped,) = database.execute(
            "SELECT wrapped FROM key WHERE name = 'material-3'"
        ).fetchone()
        changed = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
        database.execute("UPDATE key SET wrapped = ? WHERE name = 'material-3'", (changed,))
    database.close()
    with pytest.raises(CiphertextAuthError) as caught:
        store.get_all(["material-3"])
    assert caught.value.fields["name"] == "material-3"
    assert store.get_all(["material-2"]) == [KEYS["material-2"]]


def test_open_module_or_token_missing_is_unavailable(module: Path, tmp_path: Path) -> None:
    for library, token in ((tmp_path / "none.so", TOKEN), (module, "no-such-token")):
        wrapping = WrappingKeysToken(library, token, "x", lambda: PIN)
        with pytest.raises(KeyStoreUnavailableError):
            KeyStoreFile(tmp_path / "keys", os.urandom, wrapping)


def test_load_session_lost_logs_in_again(
    open_store: Callable[[], KeyStoreFile], wrapping: WrappingKeysToken
) -> None:
    store = open_store()
    store.put_all(KEYS)
    wrapping._session.close()
    with pytest.raises(KeyStoreUnavailableError):
        store.get_all(["material-1"])
    assert store.get_all(["material-1"]) == [KEYS["material-1"]]


def test_rotate_from_files_moves_every_key_into_the_token(
    wrapping: WrappingKeysToken, tmp_path: Path
) -> None:
    directory = tmp_path / "keys"
    files = KeyStoreFile(directory, os.urandom)
    files.put_all(KEYS)
    files.close()
    joined = JoinedWrappingKeys(wrapping, WrappingKeyFiles(directory / "wrapping"))
    store = KeyStoreFile(directory, os.urandom, joined)
    assert store.get_all(list(KEYS)) == list(KEYS.values())
    assert (wrapping.epochs(), store.rotate_epoch(), wrapping.epochs()) == ([], 2, [2])
    assert list((directory / "wrapping").iterdir()) == []
    assert store.get_all(list(KEYS)) == list(KEYS.values())
    store.close()


def test_command_rotate_with_a_token_in_the_settings(module: Path, city: City) -> None:
    assert city.register().code == 0
    settings = city.path / "node.toml"
    settings.write_text(
        f'{settings.read_text("utf-8")}\n[keys]\nwrapping = "pkcs11"\npkcs11_module = "{module}"\n'
        f'pkcs11_token = "{TOKEN}"\npkcs11_pin_file = "hsm-pin"\n',
        "utf-8",
    )
    (city.path / "keys" / "hsm-pin").write_text(PIN)
    (city.path / "keys" / "hsm-pin").chmod(0o600)
    assert city.run("keys", "rotate").result == {"epoch": 2}
    assert list((city.path / "keystore" / "wrapping").iterdir()) == []
    assert find_objects(module, "510107")
    assert json.loads(city.run("documents", "collect").out)["needed"] == 1
