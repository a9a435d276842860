"""Blobs on an IPFS node, by plain HTTP to Kubo's RPC (decision 0015).

A blob is added, pinned while it has no name, then named in the node's own file tree (MFS):
`<folder>/<first two hex digits>/<64 hex digits of the address>`. The name keeps it from being
collected and is what reading, listing and removing go by; the CID never leaves the node. Naming
fails when the name stands: that is put-if-absent.

What a node that was told to serve others hands out is ciphertext; removing a name does not take
back copies that others fetched. What makes a removed document unreadable is that its key is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx2

from ledger_node.edges.documents.spool import SpooledBlob
from ledger_node.edges.documents.staged import ServedBlob
from ledger_node.edges.http import open_client
from ledger_node.ports.documents import READ_CHUNK_BYTES, DocumentStoreUnavailableError

_ADDRESS_BYTES: Final = 32
_REASON_LIMIT: Final = 200
_REFUSED: Final = (401, 403)
_ABSENT: Final = ("file does not exist", "no link named")
_TAKEN: Final = "already has entry by that name"
_UNPINNED: Final = "not pinned"


class KuboServer:
    """`BlobServer` over one Kubo node; safe to share between threads."""

    def __init__(self, rpc_url: str, folder: str, token: str = "", timeout_s: float = 30.0) -> None:
        """Nothing is asked of the node yet.

        Args:
            rpc_url: Address of the RPC, without a path.
            folder: Folder of the node's file tree, absolute; this city's alone.
            token: Bearer token of the RPC (`API.Authorizations`), empty for none.
            timeout_s: Longest wait for a connection and for each piece of an answer.
        """
        self._client = open_client(timeout_s)
        self._url = rpc_url.rstrip("/") + "/api/v0/"
        self._folder = folder.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def put_if_absent(self, blob: SpooledBlob) -> bool:
        """Add, name, flush; the pin that held the blob until it had a name is taken off."""
        path = self._path(blob.address)
        folder = path.rpartition("/")[0]
        cid = self._add(blob)
        try:
            self._ask("files/mkdir", {"arg": folder, "parents": "true"})
            if self._ask("files/cp", {"arg": [f"/ipfs/{cid}", path]}, _TAKEN) is None:
                return False
            self._ask("files/flush", {"arg": folder})
            if self._find_length(path) != blob.length_bytes:
                self.delete(blob.address)
                raise DocumentStoreUnavailableError("the node holds another length than was sent")
        finally:  # two that put the same bytes share one pin
            self._ask("pin/rm", {"arg": cid}, _UNPINNED)
        return True

    def replace(self, blob: SpooledBlob) -> None:
        """Take the name away from what is there, then put."""
        self.delete(blob.address)
        self.put_if_absent(blob)

    def get(self, address: bytes) -> ServedBlob | None:
        """The blob under an address, or None."""
        path = self._path(address)
        length_bytes = self._find_length(path)
        return None if length_bytes is None else ServedBlob(length_bytes, self._stream(path))

    def has(self, address: bytes) -> bool:
        """Whether the name stands."""
        return self._find_length(self._path(address)) is not None

    def delete(self, address: bytes) -> None:
        """Take the name away; the node's own collection reclaims the space later."""
        path = self._path(address)
        if self._ask("files/rm", {"arg": path, "force": "true"}, *_ABSENT) is not None:
            self._ask("files/flush", {"arg": path.rpartition("/")[0]}, *_ABSENT)

    def list_addresses(self) -> Iterator[bytes]:
        """Addresses of the names that stand."""
        for shard in self._list(self._folder):
            for name in self._list(f"{self._folder}/{shard}"):
                if len(name) == 2 * _ADDRESS_BYTES and name.startswith(shard):
                    yield bytes.fromhex(name)

    def close(self) -> None:
        """Give up connections."""
        self._client.close()

    def _path(self, address: bytes) -> str:
        name = address.hex()
        return f"{self._folder}/{name[:2]}/{name}"

    def _add(self, blob: SpooledBlob) -> str:
        query = {"cid-version": "1", "raw-leaves": "true", "pin": "true", "quieter": "true"}
        with _our_errors(), blob.path.open("rb") as file:
            files = {"file": (blob.address.hex(), file, "application/octet-stream")}
            answer = self._client.post(
                self._url + "add", params=query, files=files, headers=self._headers
            )
            _demand_ok(answer.status_code, answer.content)
            cid = json.loads(answer.content.splitlines()[-1])["Hash"]
            if not isinstance(cid, str) or not cid.isalnum():
                raise ValueError("no CID")
            return cid

    def _find_length(self, path: str) -> int | None:
        found = self._ask("files/stat", {"arg": path}, *_ABSENT)
        if found is None:
            return None
        size = found.get("Size")
        if not isinstance(size, int):
            raise DocumentStoreUnavailableError("the node's answer has no length")
        return size

    def _list(self, folder: str) -> list[str]:
        found = self._ask("files/ls", {"arg": folder}, *_ABSENT)
        with _our_errors():
            return [str(entry["Name"]) for entry in (found or {}).get("Entries") or []]

    def _stream(self, path: str) -> Iterator[bytes]:
        with (
            _our_errors(),
            self._client.stream(
                "POST", self._url + "files/read", params={"arg": path}, headers=self._headers
            ) as answer,
        ):
            if answer.status_code != httpx2.codes.OK:
                _demand_ok(answer.status_code, answer.read())
            yield from answer.iter_bytes(READ_CHUNK_BYTES)

    def _ask(self, command: str, query: Mapping[str, Any], *expected: str) -> dict[str, Any] | None:
        """One command; its answer (empty when it gives none), or None when the node refused it
        with one of the `expected` reasons."""
        with _our_errors():
            answer = self._client.post(self._url + command, params=query, headers=self._headers)
            if expected and answer.status_code == httpx2.codes.INTERNAL_SERVER_ERROR:
                reason = _parse_reason(answer.content)
                if any(words in reason for words in expected):
                    return None
            _demand_ok(answer.status_code, answer.content)
            found = json.loads(answer.content) if answer.content.strip() else {}
            if not isinstance(found, dict):
                raise ValueError("no object")
            return found


def _demand_ok(status: int, content: bytes) -> None:
    if status == httpx2.codes.OK:
        return
    if status in _REFUSED:
        raise DocumentStoreUnavailableError("the node refuses these credentials")
    raise DocumentStoreUnavailableError(f"IPFS: {status} {_parse_reason(content)}".rstrip())


def _parse_reason(content: bytes) -> str:
    """Why the node refused, in its own words; empty when it does not say."""
    try:
        return str(json.loads(content)["Message"])[:_REASON_LIMIT]
    except (ValueError, KeyError, TypeError):
        return ""


@contextmanager
def _our_errors() -> Iterator[None]:
    """Nothing but this project's errors leaves the edge."""
    try:
        yield
    except httpx2.HTTPError as error:
        raise DocumentStoreUnavailableError(f"IPFS: {type(error).__name__}") from error
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DocumentStoreUnavailableError("IPFS: an answer that is none") from error
