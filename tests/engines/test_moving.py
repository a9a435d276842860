"""Documents moved to a real server by the command, while a node's store reads them."""

from __future__ import annotations

import random
import threading

from ledger_node.config import load_settings
from ledger_node.document_stores import open_documents
from ledger_node.edges.documents import JoinedStore
from tests.engines.servers import ACCESS, BUCKET, SECRET, TOKEN, Server
from tests.unit.cli.conftest import City
from tests.unit.cli.conftest import city as city
from tests.unit.cli.conftest import founded_city as founded_city


def describe(server: Server, city: City, part: str) -> None:
    """Write new documents to the server, read the directory as well."""
    url = f"http://127.0.0.1:{server.port}"
    sections = {
        "s3": f'endpoint = "{url}"\nbucket = "{BUCKET}"\nprefix = "{part}/"\n'
        f'access_key_id = "{ACCESS}"\nsecret_key_file = "store-secret"\n',
        "ipfs": f'rpc_url = "{url}"\nfolder = "/tongban/{part}"\ntoken_file = "store-secret"\n',
    }
    text = f'\n[documents]\nstore = "{server.kind}"\nalso_read = ["directory"]\n'
    text += f"[documents.{server.kind}]\n{sections[server.kind]}"
    settings = city.path / "node.toml"
    settings.write_text(settings.read_text("utf-8") + text, "utf-8")
    secret = city.path / "keys" / "store-secret"
    secret.write_text({"s3": SECRET, "ipfs": TOKEN}[server.kind] + "\n")
    secret.chmod(0o600)


def test_move_to_a_server_while_reading_every_document_stays_readable(
    server: Server, city: City, part: str
) -> None:
    before = open_documents(load_settings(city.path))
    blobs = [random.Random(seed).randbytes(20_000) for seed in range(150)]
    addresses = {before.put([blob])[0]: blob for blob in blobs}
    before.sync()
    before.close()  # type: ignore[attr-defined]
    describe(server, city, part)
    serving = open_documents(load_settings(city.path))
    assert isinstance(serving, JoinedStore)
    stop, reads, failures = threading.Event(), [0], list[BaseException]()

    def read_on() -> None:
        chosen = random.Random(1)
        try:
            while not stop.is_set():
                address, blob = chosen.choice(list(addresses.items()))
                assert b"".join(serving.read(address)) == blob
                reads[0] += 1
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=read_on)
    reader.start()
    try:
        outcome = city.run("documents", "move", "--to", server.kind)
    finally:
        stop.set()
        reader.join()
    assert not failures
    assert reads[0] > 20
    assert outcome.result == {"to": server.kind, "moved": 150, "damaged": []}
    assert list(serving.others[0].list_addresses()) == []
    assert sorted(serving.first.list_addresses()) == sorted(addresses)
    serving.close()


def test_register_on_a_server_is_refused_while_it_is_away_and_works_after(
    server: Server, city: City, part: str
) -> None:
    describe(server, city, part)
    server.kill()
    try:
        outcome = city.register()
        assert (outcome.code, outcome.error) == (3, "document_store_unavailable")
    finally:
        server.start()
    assert city.register().code == 0
    found = city.run("documents", "collect").result
    assert found == {"needed": 1, "waiting": 0, "due": 0, "removed": 0}
