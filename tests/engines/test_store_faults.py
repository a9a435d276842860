"""What a store says and keeps when its server is killed, refuses, is cut off or lies."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger_node.edges.documents import StagedStore
from ledger_node.ports.documents import (
    CiphertextDigestError,
    DocumentNotFoundError,
    DocumentStoreUnavailableError,
)
from tests.engines.proxy import Plan, run_proxy
from tests.engines.servers import Server

OpenStore = Callable[[], StagedStore]
BIG = random.Random(3).randbytes(9 << 20)  # above one request of S3
FULL = (
    b"HTTP/1.1 507 Insufficient Storage\r\nContent-Type: application/json\r\n"
    b"Content-Length: 39\r\nConnection: close\r\n\r\n"
    b'{"Message":"no space left on device"}  '
)


def read_whole(store: StagedStore, address: bytes) -> bytes:
    return b"".join(store.read(address))


def test_any_call_wrong_secret_is_refused_and_leaves_nothing(
    server: Server, tmp_path: Path, part: str, open_store: OpenStore
) -> None:
    known, _ = open_store().put([b"there already"])
    right = open_store()
    right.put([b"there already"])
    right.sync()
    wrong = server.open_store(tmp_path / "spool", part=part, secret="another secret")
    address, _ = wrong.put([b"sealed"])
    for call in (
        wrong.sync,
        lambda: wrong.has(known),
        lambda: wrong.read(known),
        lambda: wrong.remove(known),
    ):
        with pytest.raises(DocumentStoreUnavailableError, match="credentials"):
            call()
    with pytest.raises(DocumentStoreUnavailableError):
        list(wrong.list_addresses())
    wrong.close()
    assert read_whole(right, known) == b"there already"
    with pytest.raises(DocumentNotFoundError):
        right.read(address)


def test_put_above_one_request_reads_back_and_is_stored_once(open_store: OpenStore) -> None:
    store = open_store()
    address, length = store.put([BIG])
    store.sync()
    assert length == len(BIG)
    assert read_whole(open_store(), address) == BIG
    again = open_store()
    again.put([BIG])
    again.sync()
    assert list(again.list_addresses()) == [address]


def test_sync_server_killed_midway_keeps_everything_and_ends_after_restart(
    server: Server, tmp_path: Path, part: str, open_store: OpenStore
) -> None:
    before = open_store()
    kept, _ = before.put([b"acknowledged"])
    before.sync()
    plan = Plan(cut_up_after=200_000, on_cut=server.kill)
    with run_proxy(server.port, plan) as port:
        store = server.open_store(tmp_path / "spool", part=part, port=port, timeout_s=3)
        blobs = [random.Random(seed).randbytes(400_000) for seed in range(4)]
        addresses = [store.put([blob])[0] for blob in blobs]
        with pytest.raises(DocumentStoreUnavailableError):
            store.sync()
        assert plan.cuts
        assert [read_whole(store, each) for each in addresses] == blobs
        server.start()
        plan.cut_up_after = None
        store.sync()
        store.close()
    other = open_store()
    assert [read_whole(other, each) for each in addresses] == blobs
    assert read_whole(other, kept) == b"acknowledged"


@pytest.mark.parametrize("size", [300_000, len(BIG)])
def test_sync_connection_cut_in_the_body_nothing_is_acknowledged(
    server: Server, tmp_path: Path, part: str, open_store: OpenStore, size: int
) -> None:
    plan = Plan(cut_up_after=size // 2)
    with run_proxy(server.port, plan) as port:
        store = server.open_store(tmp_path / "spool", part=part, port=port, timeout_s=3)
        address, _ = store.put([BIG[:size]])
        with pytest.raises(DocumentStoreUnavailableError):
            store.sync()
        assert plan.cuts
        assert not open_store().has(address)
        plan.cut_up_after = None
        store.sync()
        store.close()
    assert read_whole(open_store(), address) == BIG[:size]


def test_sync_answer_lost_after_the_put_is_no_error_the_second_time(
    server: Server, tmp_path: Path, part: str, open_store: OpenStore
) -> None:
    plan = Plan(cut_down_after=0)
    with run_proxy(server.port, plan) as port:
        store = server.open_store(tmp_path / "spool", part=part, port=port, timeout_s=3)
        address, _ = store.put([b"sealed" * 1000])
        with pytest.raises(DocumentStoreUnavailableError):
            store.sync()
        plan.cut_down_after = None
        store.sync()
        store.close()
    assert list(open_store().list_addresses()) == [address]
    assert read_whole(open_store(), address) == b"sealed" * 1000


def test_read_answer_broken_off_raises_unavailable_not_damaged(
    server: Server, tmp_path: Path, part: str, open_store: OpenStore
) -> None:
    store = open_store()
    address, _ = store.put([BIG])
    store.sync()
    with run_proxy(server.port, Plan(cut_down_after=3 << 20)) as port:
        cut = server.open_store(tmp_path / "spool", part=part, port=port, timeout_s=3)
        came: list[bytes] = []
        with pytest.raises(DocumentStoreUnavailableError):
            came.extend(cut.read(address))
        cut.close()
    assert came
    assert BIG.startswith(b"".join(came))
    assert sum(map(len, came)) < len(BIG)


def test_sync_server_has_no_room_raises_unavailable_and_keeps_the_blob(
    server: Server, tmp_path: Path, part: str, open_store: OpenStore
) -> None:
    plan = Plan(answer=FULL)
    with run_proxy(server.port, plan) as port:
        store = server.open_store(tmp_path / "spool", part=part, port=port, timeout_s=3)
        address, _ = store.put([b"sealed"])
        with pytest.raises(DocumentStoreUnavailableError):
            store.sync()
        assert plan.cuts
        plan.answer = None
        store.sync()
        store.close()
    assert read_whole(open_store(), address) == b"sealed"


def test_read_bytes_changed_on_the_server_raises_and_put_does_not_acknowledge_them(
    server: Server, open_store: OpenStore
) -> None:
    store = open_store()
    data = random.Random(part_seed := 11).randbytes(50_000 + part_seed)
    address, _ = store.put([data])
    store.sync()
    server.kill()  # or what it has in memory answers
    _flip_on_disk(server.directory, data)
    server.start()
    with pytest.raises(CiphertextDigestError):
        read_whole(open_store(), address)
    again = open_store()
    again.put([data])
    with contextlib.suppress(DocumentStoreUnavailableError):  # IPFS keeps a block it has
        again.sync()
        assert server.kind == "s3"
        assert read_whole(open_store(), address) == data
        return
    assert server.kind == "ipfs"


def _flip_on_disk(directory: Path, data: bytes) -> None:
    for path in directory.rglob("*"):
        if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
            path.chmod(0o600)
            path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
            return
    raise AssertionError("the blob is in no file of the server")


def test_call_server_away_raises_unavailable(server: Server, open_store: OpenStore) -> None:
    store = open_store()
    address, _ = store.put([b"sealed"])
    server.kill()
    try:
        with pytest.raises(DocumentStoreUnavailableError):
            store.sync()
        with pytest.raises(DocumentStoreUnavailableError):
            store.read(bytes(32))
    finally:
        server.start()
    store.sync()
    assert read_whole(open_store(), address) == b"sealed"


def test_open_ignores_credentials_of_the_environment(
    server: Server, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "of-somebody-else")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    store = open_store()
    address, _ = store.put([b"sealed"])
    store.sync()
    assert read_whole(open_store(), address) == b"sealed"
