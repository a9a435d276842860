"""Opening the document stores of the settings; part of `wiring`.

A store whose server is away opens all the same: what needs it says so when it is asked.
"""

from __future__ import annotations

from pathlib import Path

from ledger_node.config import Settings, SettingsError, StoreName
from ledger_node.edges.documents import (
    JoinedStore,
    KuboServer,
    S3Place,
    SegmentStore,
    StagedStore,
    open_bucket,
)
from ledger_node.edges.keys.secret_files import read_private
from ledger_node.ports.documents import DocumentStore


def open_documents(settings: Settings) -> DocumentStore:
    """The store of the settings, joined with those documents are moved away from.

    Raises:
        DocumentStoreUnavailableError: A directory or spool cannot be used.
        InsecureKeyFileError, KeyMissingError: A secret file.
    """
    first = open_store(settings, settings.documents.store)
    others = [open_store(settings, name) for name in settings.documents.also_read]
    return JoinedStore(first, others) if others else first


def open_store(settings: Settings, name: StoreName) -> DocumentStore:
    """One store by its name; raises as `open_documents`."""
    data_dir = settings.data_dir
    spool = data_dir / "spool"
    if name == "s3" and settings.documents.s3 is not None:
        s3 = settings.documents.s3
        secret_file = data_dir / "keys" / s3.secret_key_file
        _read_secret(secret_file)  # a missing or open file is said at start, not at the first put
        place = S3Place(
            s3.endpoint,
            s3.bucket,
            s3.region,
            s3.prefix,
            s3.access_key_id,
            lambda: _read_secret(secret_file),
            s3.timeout_s,
        )
        return StagedStore(open_bucket(place), spool)
    if name == "ipfs" and settings.documents.ipfs is not None:
        ipfs = settings.documents.ipfs
        token = _read_secret(data_dir / "keys" / ipfs.token_file) if ipfs.token_file else ""
        return StagedStore(KuboServer(ipfs.rpc_url, ipfs.folder, token, ipfs.timeout_s), spool)
    return SegmentStore(data_dir / "documents")


def get_joined(settings: Settings, documents: DocumentStore, target: str) -> JoinedStore:
    """The open stores, when a move to `target` keeps every document readable by the running node.

    Raises:
        SettingsError: The settings do not write to `target`, or name no store to move from.
    """
    if settings.documents.store != target or not isinstance(documents, JoinedStore):
        raise SettingsError(
            f'请先在 node.toml 的 [documents] 中设 store = "{target}"，并把原文件库列入 also_read，'
            "重启节点后再搬移。",
            f'Set store = "{target}" in [documents] of node.toml, name the store to move from in '
            "also_read, restart the node, then move.",
        )
    return documents


def _read_secret(path: Path) -> str:
    return read_private(path).decode("utf-8").strip()
