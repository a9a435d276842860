"""Blobs in a bucket of an S3 server, by obstore.

Key: `<prefix><64 hex digits of the address>`. One request per blob up to 8 MiB, conditional on
nothing being there (`If-None-Match: *`); above that in parts, after a look whether it is there:
two that pass the look together write the same bytes. Every part carries its SHA-256, which the
server compares.

Credentials come from the settings and a secret file alone: variables of the environment that S3
programs usually read are not taken, nor are its proxies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import MemoryStore, S3Store

from ledger_node.edges.documents.spool import SpooledBlob
from ledger_node.edges.documents.staged import ServedBlob
from ledger_node.ports.documents import READ_CHUNK_BYTES, DocumentStoreUnavailableError

WHOLE_LIMIT_BYTES: Final = 8 << 20
_PARTS_AT_ONCE: Final = 2
_TRIES: Final = 2
_ADDRESS_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class S3Place:
    """Where the bucket is and who asks.

    Attributes:
        endpoint: Address of the server, without the bucket.
        load_secret: Reads the secret key; called for every new session, so a changed file counts.
        timeout_s: Longest wait for one answer.
    """

    endpoint: str
    bucket: str
    region: str
    prefix: str
    access_key_id: str
    load_secret: Callable[[], str]
    timeout_s: float


def open_bucket(place: S3Place) -> BucketServer:
    """A server over a bucket; nothing is asked of it yet.

    Raises:
        DocumentStoreUnavailableError: The settings do not make a client.
    """

    def provide() -> Any:
        return {
            "access_key_id": place.access_key_id,
            "secret_access_key": place.load_secret(),
            "token": None,
            "expires_at": None,
        }

    timeout = timedelta(seconds=place.timeout_s)
    with _our_errors():
        store = S3Store(
            place.bucket,
            config={
                "endpoint": place.endpoint,
                "region": place.region,
                "virtual_hosted_style_request": False,
                "skip_signature": False,
                "unsigned_payload": False,
                "checksum_algorithm": "sha256",
                "conditional_put": "etag",
            },
            client_options={
                "allow_http": place.endpoint.startswith("http://"),
                "timeout": timeout,
                "connect_timeout": timeout,
                # A proxy that never applies: the only way to leave out those of the environment.
                "proxy_url": place.endpoint,
                "proxy_excludes": urlsplit(place.endpoint).hostname or "",
            },
            retry_config={"max_retries": _TRIES, "retry_timeout": timeout},
            credential_provider=provide,
        )
    return BucketServer(store, place.prefix)


class BucketServer:
    """`BlobServer` over a bucket; safe to share between threads."""

    def __init__(self, store: S3Store | MemoryStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def put_if_absent(self, blob: SpooledBlob) -> bool:
        """Hold a blob under its address unless something is there."""
        if blob.length_bytes > WHOLE_LIMIT_BYTES:
            if self.has(blob.address):
                return False
            self.replace(blob)
            return True
        data = b"".join(blob.read_chunks())
        with _our_errors():
            try:
                obstore.put(
                    self._store, self._key(blob.address), data, mode="create", use_multipart=False
                )
            except AlreadyExistsError:
                return False
        return True

    def replace(self, blob: SpooledBlob) -> None:
        """Hold a blob in the place of whatever is there; parts when it is big."""
        big = blob.length_bytes > WHOLE_LIMIT_BYTES
        source: Any = blob.read_chunks() if big else b"".join(blob.read_chunks())
        with _our_errors():
            obstore.put(
                self._store,
                self._key(blob.address),
                source,
                use_multipart=big,
                max_concurrency=_PARTS_AT_ONCE,
            )

    def get(self, address: bytes) -> ServedBlob | None:
        """The blob under an address, or None."""
        with _our_errors():
            try:
                found = obstore.get(self._store, self._key(address))
            except (NotFoundError, FileNotFoundError):
                return None
            return ServedBlob(found.meta["size"], _stream(found))

    def has(self, address: bytes) -> bool:
        """Whether something is there."""
        with _our_errors():
            try:
                obstore.head(self._store, self._key(address))
            except (NotFoundError, FileNotFoundError):
                return False
        return True

    def delete(self, address: bytes) -> None:
        """Hold it no longer."""
        with _our_errors():
            try:
                obstore.delete(self._store, self._key(address))
            except (NotFoundError, FileNotFoundError):
                return

    def list_addresses(self) -> Iterator[bytes]:
        """Addresses below the prefix; other objects of the bucket are left alone."""
        with _our_errors():
            for page in obstore.list(self._store, prefix=self._prefix.rstrip("/") or None):
                for item in page:
                    address = _parse_key(item["path"].removeprefix(self._prefix))
                    if address is not None and self._key(address) == item["path"]:
                        yield address

    def close(self) -> None:
        """Connections end with the object."""

    def _key(self, address: bytes) -> str:
        return self._prefix + address.hex()


def _stream(found: obstore.GetResult) -> Iterator[bytes]:
    chunks = iter(found.stream(min_chunk_size=READ_CHUNK_BYTES))
    while True:
        with _our_errors():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield bytes(chunk)


def _parse_key(name: str) -> bytes | None:
    try:
        address = bytes.fromhex(name)
    except ValueError:
        return None
    return address if len(address) == _ADDRESS_BYTES else None


@contextmanager
def _our_errors() -> Iterator[None]:
    """Nothing but this project's errors leaves the edge; a server's text is not passed on."""
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise DocumentStoreUnavailableError("the server refuses these credentials") from error
    except (BaseError, OSError, ValueError) as error:
        raise DocumentStoreUnavailableError(f"S3: {type(error).__name__}") from error
