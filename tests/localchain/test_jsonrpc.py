"""Whatever arrives on the port gets a JSON-RPC answer, never a 500 and never a traceback."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.clock import ClockMode
from ledger_node.localchain.rpc.dispatch import Dispatcher
from ledger_node.localchain.service import build_dispatcher
from ledger_node.localchain.settings import GenesisSettings
from ledger_node.localchain.store import Store
from tests.localchain.bytecode import CREATION
from tests.localchain.support import CHAIN_ID, ChainProcess, Sender, running_chain

pytestmark = pytest.mark.integration
GOOD = {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []}


@pytest.fixture(scope="module")
def dispatcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dispatcher]:
    store = Store(tmp_path_factory.mktemp("rpc") / "data")
    chain = LocalChain(store, GenesisSettings(CHAIN_ID), ClockMode.TEST)
    chain.submit(Sender().sign(None, CREATION))
    yield build_dispatcher(chain)
    store.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChainProcess]:
    with running_chain(tmp_path_factory.mktemp("http") / "data", "--clock", "test") as chain:
        yield chain
        assert "Traceback" not in chain.log.read_text()
        assert "rpc_failed" not in chain.log.read_text()


def _ask(dispatcher: Dispatcher, request: object) -> Any:
    answer = dispatcher.answer(json.dumps(request).encode())
    return None if answer is None else json.loads(answer)


def test_answer_good_request_answers_with_its_id(dispatcher: Dispatcher) -> None:
    assert _ask(dispatcher, GOOD) == {"jsonrpc": "2.0", "id": 7, "result": hex(CHAIN_ID)}
    assert _ask(dispatcher, GOOD | {"id": "a"})["id"] == "a"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 1_000_000, -32700),
        (b'["a[", ' * 40, -32700),
        (b'{"a":' * 100_000, -32700),
        (b'{"jsonrpc":"2.0","id":NaN,"method":"eth_chainId"}', -32700),
        (b"1" * 10_000, -32700),
        (b"7", -32600),
        (b"null", -32600),
        (b"[]", -32600),
        (b'{"id":1,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":"x"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_nothing"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x0"]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x01"]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":[[]]}', -32602),
    ],
)  # fmt: skip
def test_answer_malformed_request_has_the_code_of_the_specification(
    dispatcher: Dispatcher, body: bytes, code: int
) -> None:
    answer = json.loads(dispatcher.answer(body) or b"")
    assert answer["error"]["code"] == code
    assert answer["jsonrpc"] == "2.0"


def test_answer_brackets_in_text_are_no_nesting(dispatcher: Dispatcher) -> None:
    request = GOOD | {"method": "[{" * 100, "params": ['\\"['] * 50}
    assert _ask(dispatcher, request)["error"]["code"] == -32601
    assert len(_ask(dispatcher, [GOOD] * 100)) == 100


def test_answer_notification_gets_nothing(dispatcher: Dispatcher) -> None:
    quiet = {key: value for key, value in GOOD.items() if key != "id"}
    assert _ask(dispatcher, quiet) is None
    assert _ask(dispatcher, [quiet, quiet]) is None


def test_answer_batch_bad_item_at_every_position_spoils_only_itself(
    dispatcher: Dispatcher,
) -> None:
    for position in range(4):
        batch: list[object] = [GOOD | {"id": number} for number in range(4)]
        batch[position] = 13
        answers = _ask(dispatcher, batch)
        assert [answer["id"] for answer in answers] == [
            None if number == position else number for number in range(4)
        ]
        assert [("error" in answer) for answer in answers].count(True) == 1
    assert _ask(dispatcher, [GOOD] * 1_001)["error"]["code"] == -32600


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12) | st.sampled_from([
        "0x", "0x0", "0x1", "latest", "earliest", "pending", "0x" + "11" * 20, "0x" + "22" * 32,
        "0x" + "ff" * 32, "0x" + "f" * 65, "0xzz", "0x" + "00" * 100, "0xc0", "0x02c0",
    ]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["to", "from", "data", "input", "value", "gas", "address", "topics",
                         "fromBlock", "toBlock", "blockHash", "blockNumber"]), inner, max_size=5),
    max_leaves=8,
)  # fmt: skip


@settings(
    max_examples=400, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_answer_random_params_never_fail_inside(dispatcher: Dispatcher, data: Any) -> None:
    names = sorted(dispatcher._methods)
    assert len(names) > 25
    request = {
        "jsonrpc": "2.0", "id": 1, "method": data.draw(st.sampled_from(names)),
        "params": data.draw(st.lists(_JSON, max_size=4)),
    }  # fmt: skip
    answer = _ask(dispatcher, request)
    assert answer["id"] == 1
    assert answer.get("error", {}).get("code") != -32603, answer


def _exchange(served: ChainProcess, sent: bytes) -> tuple[int, bytes]:
    """Raw bytes to the port; status and body, or 0 when it just hung up."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head.startswith(b"HTTP/") else 0), body


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Host": "evil.example:8545"}, 403),
        ({"Host": "localhost:1"}, 200),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "x"}, 411),
        ({"Content-Length": ""}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_post_head_decides_before_the_body_is_read(
    served: ChainProcess, change: dict[str, str], status: int
) -> None:
    body = json.dumps(GOOD).encode()
    head = {"Host": "127.0.0.1", "Content-Type": "application/json",
            "Content-Length": str(len(body))} | change  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    found, answer = _exchange(
        served, f"POST / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode() + body
    )
    assert found == status
    assert ("result" in json.loads(answer)) == (status == 200)


def test_post_body_over_the_cap_is_refused_and_at_the_cap_is_read(served: ChainProcess) -> None:
    connection = HTTPConnection(served.url.removeprefix("http://"), timeout=20)
    found = {}
    for size in (5 * 1024 * 1024, 5 * 1024 * 1024 + 1):
        connection.request("POST", "/", b" " * size, {"Content-Type": "application/json"})
        response = connection.getresponse()
        found[size % 2] = (response.status, json.loads(response.read())["error"]["code"])
    connection.close()
    assert found == {0: (200, -32700), 1: (413, -32600)}


def test_port_random_bytes_never_answer_500(served: ChainProcess) -> None:
    generator = random.Random(5)
    seen = set()
    for _ in range(120):
        noise = generator.randbytes(generator.randrange(1, 200))
        start = generator.choice(
            [b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n", b"FOO / HTTP/1.1\r\n\r\n",
             b"POST / HTTP/9.9\r\n", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
             b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             b"Content-Length: 50\r\n\r\n"]
        )  # fmt: skip
        seen.add(_exchange(served, start + noise)[0])
    assert not {status for status in seen if status >= 500}
    assert {200, 403, 405} <= seen
    assert served.web3().eth.chain_id == CHAIN_ID


def test_tables_every_method_is_on_the_page(dispatcher: Dispatcher) -> None:
    page = (Path(__file__).parents[2] / "docs/spec/localchain.md").read_text()
    missing = [name for name in dispatcher._methods if f"`{name}`" not in page]
    assert missing == []
