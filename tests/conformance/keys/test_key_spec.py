"""The worked examples of docs/spec/keystore.md are what the code writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.edges.keys import CityKeysFile, KeyStoreFile, WrappingKeyFiles
from ledger_node.edges.keys.city_keys import index_path
from ledger_node.edges.keys.secret_files import write_secret

pytestmark = pytest.mark.integration
SPEC = Path(__file__).parents[3] / "docs" / "spec" / "keystore.md"


def test_put_all_wraps_as_documented(tmp_path: Path) -> None:
    drawn: Iterator[bytes] = iter([b"\x22" * 12])
    WrappingKeyFiles(tmp_path / "wrapping").create(1, lambda size: bytes(range(size)))
    store = KeyStoreFile(tmp_path, lambda size: bytes(size) if size == 32 else next(drawn))
    store.put_all({"material-1": b"\x11" * 32})
    query = "SELECT name, epoch, wrapped FROM key"
    ((name, epoch, wrapped),) = store._connection.execute(query).fetchall()
    assert (name, epoch) == ("material-1", 1)
    assert wrapped.hex() in SPEC.read_text("utf-8")


def test_compute_index_tag_is_as_documented(tmp_path: Path) -> None:
    directory = tmp_path / "city"
    directory.mkdir(mode=0o700)
    write_secret(index_path(directory, 1), "index-key", bytes(range(32)))
    tag = CityKeysFile(directory).compute_index_tag("cn-resident-id", "510107199001011234")
    assert tag.hex() in SPEC.read_text("utf-8")
