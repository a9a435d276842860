"""Officers' signing keys, where this machine is also an officer's: one secret file each.

Spec: docs/spec/keystore.md (secret files). In the field an officer's key lives on the officer's
own device; the node never needs it, only the command of the window does.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core.types import PublicKey
from ledger_node.edges.files import make_private_directory, sync_directory
from ledger_node.edges.keys.secret_files import key_file_errors, read_secret, write_secret
from ledger_node.ports.clock import Entropy
from ledger_node.ports.keys import SECRET_BYTES, KeyConflictError

_KIND = "officer-key"


class OfficerKeyFiles:
    """Officers' Ed25519 keys in one private directory; opening it reads nothing."""

    def __init__(self, directory: Path) -> None:
        """Use the keys in `directory`; it is made with the first key."""
        self._directory = directory

    def has(self, officer: str) -> bool:
        """Whether the officer's key is on this machine."""
        return self._path(officer).exists()

    def create(self, officer: str, entropy: Entropy) -> PublicKey:
        """Make an officer's key, durable when it returns; returns its public half.

        Raises:
            KeyConflictError: There is one; it is left as it is.
            KeyStoreUnavailableError: It cannot be written.
        """
        with key_file_errors():
            make_private_directory(self._directory)
            try:
                write_secret(self._path(officer), _KIND, entropy(SECRET_BYTES))
            except FileExistsError as error:
                raise KeyConflictError(f"officers/{officer}") from error
        return self.public_key(officer)

    def remove(self, officer: str) -> None:
        """Remove a key that was not enrolled after all."""
        with key_file_errors(), suppress(FileNotFoundError):
            self._path(officer).unlink()
            sync_directory(self._directory)

    def public_key(self, officer: str) -> PublicKey:
        """The public half, 32 bytes.

        Raises:
            KeyMissingError, InsecureKeyFileError, KeyStoreUnavailableError: As `sign`.
        """
        return PublicKey(self._load(officer).public_key().public_bytes_raw())

    def sign(self, officer: str, message: bytes) -> bytes:
        """Ed25519 signature of an officer, 64 bytes.

        Raises:
            KeyMissingError: The officer's key is not on this machine.
            InsecureKeyFileError: Others could read it.
            KeyStoreUnavailableError: The file is no officer's key.
        """
        return self._load(officer).sign(message)

    def _load(self, officer: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(read_secret(self._path(officer), _KIND))

    def _path(self, officer: str) -> Path:
        # The id is quoted: whatever it is, the name stays inside the directory.
        return self._directory / f"{quote(officer, safe='').replace('.', '%2E')}.key"
