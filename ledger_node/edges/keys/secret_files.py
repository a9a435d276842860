"""Secret files: one version line, the secret in hex; readable by their owner alone.

Spec: docs/spec/keystore.md. A file other users of the machine could read is refused, not mended:
whoever could read it may have.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger_node.edges.files import PRIVATE_DIRECTORY, PRIVATE_FILE, create_file
from ledger_node.ports.keys import (
    SECRET_BYTES,
    InsecureKeyFileError,
    KeyMissingError,
    KeyStoreUnavailableError,
)

_OTHERS = 0o077


def write_secret(path: Path, kind: str, secret: bytes) -> None:
    """Write a new secret file, durable when it returns.

    Raises:
        FileExistsError: There is one; it is left as it is.
    """
    create_file(path, encode_secret(kind, secret), mode=PRIVATE_FILE)


def encode_secret(kind: str, secret: bytes) -> bytes:
    """Content of a secret file."""
    return f"tongban/{kind}/v1\n{secret.hex()}\n".encode("ascii")


def read_secret(path: Path, kind: str) -> bytes:
    """Read a secret of 32 bytes.

    Raises:
        KeyMissingError: There is no such file.
        InsecureKeyFileError: Others could read it.
        KeyStoreUnavailableError: It is not a secret file of this kind.
    """
    content = read_private(path)
    try:
        secret = bytes.fromhex(content.split(b"\n")[1].decode("ascii"))
    except (IndexError, ValueError):
        secret = b""
    if len(secret) != SECRET_BYTES or content != encode_secret(kind, secret):
        raise KeyStoreUnavailableError(f"{path.name} is not a {kind} file, version 1")
    return secret


def read_private(path: Path) -> bytes:
    """Bytes of a file that only its owner can reach.

    Raises:
        KeyMissingError: There is no such file.
        InsecureKeyFileError: Others could read it, or change its directory.
    """
    with key_file_errors():
        try:
            demand_private(path.parent, PRIVATE_DIRECTORY)
            demand_private(path, PRIVATE_FILE)
            return path.read_bytes()
        except FileNotFoundError as error:
            raise KeyMissingError(path.stem) from error


def demand_private(path: Path, wanted: int) -> None:
    """Refuse a file or directory that is open to group or world.

    Raises:
        InsecureKeyFileError: It is.
        FileNotFoundError: There is none.
    """
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & _OTHERS:
        raise InsecureKeyFileError(str(path), mode, wanted)


@contextmanager
def key_file_errors() -> Iterator[None]:
    """Nothing but this project's errors leaves the edge."""
    try:
        yield
    except OSError as error:
        raise KeyStoreUnavailableError(str(error)) from error
