"""Wrapping keys, one per epoch: here as files, elsewhere in a hardware module.

The key store asks for a cipher of an epoch and never sees the key, so that a PKCS#11 module can
stand behind the same few methods. Destroying an epoch's key makes every copy of what it wrapped
unreadable: free pages, write-ahead logs, backups.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger_node.edges.files import make_private_directory, pwrite_all, sync_directory
from ledger_node.edges.keys.secret_files import key_file_errors, read_secret, write_secret
from ledger_node.ports.clock import Entropy
from ledger_node.ports.keys import SECRET_BYTES

_KIND = "wrapping-key"
_NAME = re.compile(r"([1-9][0-9]{0,8})\.key")


class Cipher(Protocol):
    """AES-256-GCM under a key that stays where it is; `cryptography`'s `AESGCM` is one."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class WrappingKeys(Protocol):
    """Promises: `create` and `destroy` are durable when they return and idempotent; `load` raises
    `KeyMissingError` for an epoch whose key is not there.
    """

    def epochs(self) -> list[int]: ...

    def create(self, epoch: int, entropy: Entropy) -> None: ...

    def load(self, epoch: int) -> Cipher: ...

    def destroy(self, epoch: int) -> None: ...


class WrappingKeyFiles:
    """`WrappingKeys` as files `<epoch>.key` in a private directory."""

    def __init__(self, directory: Path) -> None:
        """Keep the files in `directory`, which is made when it is missing."""
        self._directory = directory
        with key_file_errors():
            make_private_directory(directory)

    def epochs(self) -> list[int]:
        """Epochs whose key is here, ascending."""
        with key_file_errors():
            names = os.listdir(self._directory)
        return sorted(int(match.group(1)) for name in names if (match := _NAME.fullmatch(name)))

    def create(self, epoch: int, entropy: Entropy) -> None:
        """Make an epoch's key of 32 random bytes; one that is there already is kept."""
        with key_file_errors(), suppress(FileExistsError):
            write_secret(self._path(epoch), _KIND, entropy(SECRET_BYTES))

    def load(self, epoch: int) -> Cipher:
        """The cipher of an epoch."""
        return AESGCM(read_secret(self._path(epoch), _KIND))

    def destroy(self, epoch: int) -> None:
        """Overwrite the key with zeros, remove it, and sync both.

        On a copy-on-write file system or a worn flash cell the old block may outlive this; see
        docs/spec/keystore.md.
        """
        path = self._path(epoch)
        with key_file_errors(), suppress(FileNotFoundError):
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                pwrite_all(fd, bytes(os.fstat(fd).st_size), 0)
                os.fsync(fd)
            finally:
                os.close(fd)
            path.unlink()
            sync_directory(self._directory)

    def _path(self, epoch: int) -> Path:
        return self._directory / f"{epoch}.key"


class JoinedWrappingKeys:
    """`WrappingKeys` in a new place, with those that are still in an old one.

    New epochs are made in the new place alone; so a change of epoch moves every key there, and
    destroys what wrapped them in the old one.
    """

    def __init__(self, new: WrappingKeys, old: WrappingKeys) -> None:
        self._new, self._old = new, old

    def epochs(self) -> list[int]:
        """Epochs whose key is in either place, ascending."""
        return sorted({*self._new.epochs(), *self._old.epochs()})

    def create(self, epoch: int, entropy: Entropy) -> None:
        """Make an epoch's key in the new place."""
        self._new.create(epoch, entropy)

    def load(self, epoch: int) -> Cipher:
        """The cipher of an epoch, from the old place while its key stands there.

        The old comes first: rows of an epoch that began there are wrapped under that key.
        """
        return (self._old if epoch in self._old.epochs() else self._new).load(epoch)

    def destroy(self, epoch: int) -> None:
        """Destroy an epoch's key in both places."""
        self._old.destroy(epoch)
        self._new.destroy(epoch)
