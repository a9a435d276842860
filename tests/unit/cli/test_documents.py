"""`tongban documents` and its settings, with no server there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.cli.conftest import City

S3 = """
[documents]
store = "s3"
also_read = ["directory"]
[documents.s3]
endpoint = "http://127.0.0.1:9"
bucket = "documents"
access_key_id = "wuhou"
secret_key_file = "s3-secret"
timeout_s = 1.0
"""


def set_documents(city: City, text: str) -> None:
    settings = city.path / "node.toml"
    settings.write_text(settings.read_text("utf-8") + text, "utf-8")


def write_secret(city: City, mode: int = 0o600) -> None:
    secret = city.path / "keys" / "s3-secret"
    secret.write_text("a secret\n")
    secret.chmod(mode)


def test_collect_finds_garbage_and_removes_nothing_at_once(city: City) -> None:
    assert city.register().code == 0
    for arguments in ((), ("--delete",)):
        outcome = city.run("documents", "collect", *arguments)
        assert outcome.code == 0
        assert outcome.result == {"needed": 1, "waiting": 0, "due": 0, "removed": 0}


def test_move_without_settings_for_it_is_refused(city: City) -> None:
    outcome = city.run("documents", "move", "--to", "s3")
    assert (outcome.code, outcome.error) == (2, "settings_invalid")


def test_move_server_away_says_so_and_the_document_is_still_read(city: City) -> None:
    assert city.register().code == 0
    set_documents(city, S3)
    write_secret(city)
    outcome = city.run("documents", "move", "--to", "s3")
    assert (outcome.code, outcome.error) == (3, "document_store_unavailable")
    (segment,) = (city.path / "documents").glob("*.seg")
    assert segment.stat().st_size > 100
    assert list((city.path / "spool").glob("*/*")) == []


def test_open_secret_file_open_to_others_is_refused(city: City) -> None:
    set_documents(city, S3)
    write_secret(city, 0o644)
    outcome = city.run("documents", "collect")
    assert outcome.error == "insecure_key_file"


@pytest.mark.parametrize(
    "text",
    [
        '[documents]\nstore = "s3"\n',
        '[documents]\nstore = "floppy"\n',
        '[documents]\nstore = "directory"\nalso_read = ["directory"]\n',
        S3.replace('"documents"', '"../documents"'),
        S3.replace("http://127.0.0.1:9", "http://user:secret@127.0.0.1:9"),
        S3.replace("s3-secret", "../../secret"),
    ],
)
def test_open_wrong_documents_section_is_refused(city: City, text: str) -> None:
    set_documents(city, text)
    outcome: Any = city.run("documents", "collect")
    assert (outcome.code, outcome.error) == (2, "settings_invalid")
