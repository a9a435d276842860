"""The HTTP surface: what is refused before a handler runs, and how every refusal looks.

Each refusal stands beside the same request with that one thing right, which succeeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.deps import MAX_BODY_BYTES
from ledger_node.core.message import REQUEST_COMPONENTS
from ledger_node.flows import finding
from ledger_node.flows.finding import FIND_PATH, find_materials
from ledger_node.flows.node import Node
from ledger_node.flows.receiving import ANSWER_PATH, RELEASE_PATH
from ledger_node.ports.peers import PeerUnavailableError
from tests.integration.exchange.peer_messages import Answer, Request, signed, unsigned
from tests.support.consortium import Consortium, running_consortium
from tests.support.stock import BYSTANDER, ISSUER, NUMBER, RELIER, Stock, consent, make_stock

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def stock() -> Stock:
    return make_stock()


@pytest.fixture(scope="module")
def consortium(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    path = tmp_path_factory.mktemp("served")
    with running_consortium(stock.template, path, (ISSUER, RELIER, BYSTANDER)) as running:
        running.pass_time(1)  # a block of today: the stock may be old
        yield running


@pytest.fixture(scope="module")
def relier(consortium: Consortium) -> Node:
    return consortium[RELIER].node


class Silent:
    """Peers that answer nothing and remember what they were sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, city: str, path: str, body: bytes, **_: Any) -> Any:
        self.sent.append(body)
        raise PeerUnavailableError(city, "silent")


@pytest.fixture
def find_body(relier: Node, stock: Stock) -> bytes:
    """A find that Wuhou answers with every material of the stock."""
    peers = Silent()
    find_materials(replace(relier, peers=peers), [consent(relier, stock)], "my-registrar-01")
    return peers.sent[0]


@pytest.fixture
def url(consortium: Consortium) -> str:
    return consortium[ISSUER].registered_url()


def count_answered(consortium: Consortium, city: str) -> int:
    node = consortium[ISSUER].node
    with node.database.read() as tx:
        return len(tx.finds.list_finds("answered", 1000))


def assert_refused(
    consortium: Consortium, request: Request, code: str, status: int = 422, **send: Any
) -> Answer:
    """Refused with `code`, unsigned because nothing was verified, and nothing stored."""
    before = count_answered(consortium, ISSUER)
    answer = request.send(**send)
    assert (answer.status, answer.code) == (status, code)
    assert "signature" not in answer.headers
    assert count_answered(consortium, ISSUER) == before
    return answer


def assert_accepted(consortium: Consortium, request: Request, **send: Any) -> Answer:
    """Answered, and signed by the city asked."""
    node = consortium[ISSUER].node
    answer = request.send(**send)
    assert answer.status == 200, answer
    assert request.verified_by(answer, node, node.city)
    return answer


def test_find_without_signature_is_refused(
    consortium: Consortium, relier: Node, url: str, find_body: bytes
) -> None:
    request = signed(relier, url, FIND_PATH, find_body)
    assert_refused(consortium, unsigned(request), "message_unsigned")
    for name in request.headers:
        assert_refused(consortium, unsigned(request, name), "message_unsigned")
    assert_accepted(consortium, request)


def test_find_in_the_name_of_another_city_is_refused(
    consortium: Consortium, relier: Node, url: str, find_body: bytes
) -> None:
    other = consortium[BYSTANDER].node.city
    request = signed(relier, url, FIND_PATH, find_body, city=other)
    assert_refused(consortium, request, "message_key_unknown")
    assert_accepted(consortium, signed(relier, url, FIND_PATH, find_body))


def test_find_of_a_member_the_terms_do_not_name_gets_a_signed_refusal(
    consortium: Consortium, url: str, find_body: bytes
) -> None:
    issuer = consortium[ISSUER].node
    request = signed(consortium[BYSTANDER].node, url, FIND_PATH, find_body)
    answer = request.send()
    assert (answer.status, answer.code) == (403, "not_receiver")
    assert request.verified_by(answer, issuer, issuer.city)


def test_find_sent_twice_is_refused_and_a_new_nonce_is_not(
    consortium: Consortium, relier: Node, url: str, find_body: bytes
) -> None:
    request = signed(relier, url, FIND_PATH, find_body)
    first = assert_accepted(consortium, request)
    assert_refused(consortium, request, "message_replayed", 403)
    again = assert_accepted(consortium, signed(relier, url, FIND_PATH, find_body))
    assert again.body == first.body  # the same question: one find, one answer


def test_find_signed_for_another_address_is_refused_whatever_host_says(
    consortium: Consortium, relier: Node, url: str, find_body: bytes
) -> None:
    other = consortium[BYSTANDER].registered_url()
    for host in ("", other.removeprefix("http://")):
        request = signed(relier, url, FIND_PATH, find_body, signed_url=other)
        assert_refused(consortium, request, "message_signature_invalid", host=host)
    mine = signed(relier, url, FIND_PATH, find_body)
    assert_accepted(consortium, mine, host="elsewhere.example:1")  # Host is never read


@pytest.mark.parametrize("host", ["x/peer/v1/find?a=", "x/peer/v1/find#", "[", "x@y:z", ""])
def test_release_signed_for_another_route_is_refused_whatever_host_says(
    consortium: Consortium, relier: Node, url: str, find_body: bytes, host: str
) -> None:
    request = signed(relier, url, RELEASE_PATH, find_body, signed_path=FIND_PATH)
    assert_refused(consortium, request, "message_signature_invalid", host=host)


@pytest.mark.parametrize("later_s", [-360, 60])
def test_find_made_too_early_or_too_late_is_refused(
    consortium: Consortium, relier: Node, url: str, find_body: bytes, later_s: int
) -> None:
    request = signed(relier, url, FIND_PATH, find_body, later_s=later_s)
    assert_refused(consortium, request, "message_not_current")
    assert_accepted(consortium, signed(relier, url, FIND_PATH, find_body, later_s=later_s // 60))


def test_find_with_another_body_is_refused(
    consortium: Consortium, relier: Node, url: str, find_body: bytes
) -> None:
    request = signed(relier, url, FIND_PATH, find_body)
    assert_refused(consortium, request, "message_body_mismatch", body=find_body + b" ")
    assert_refused(consortium, request, "message_body_mismatch", body=b"")
    assert_accepted(consortium, request)


@pytest.mark.parametrize("missing", REQUEST_COMPONENTS)
def test_find_that_leaves_a_component_unsigned_is_refused(
    consortium: Consortium, relier: Node, url: str, find_body: bytes, missing: str
) -> None:
    kept = [component for component in REQUEST_COMPONENTS if component != missing]
    request = signed(relier, url, FIND_PATH, find_body, components=kept)
    answer = request.send()
    assert answer.code in ("message_unsigned", "message_signature_invalid")
    assert "signature" not in answer.headers


def test_message_over_its_limit_is_refused_before_it_is_read_whole(
    consortium: Consortium, relier: Node, url: str
) -> None:
    whole, more = b"x" * MAX_BODY_BYTES, b"x" * (MAX_BODY_BYTES + 1)
    assert_refused(consortium, signed(relier, url, FIND_PATH, more), "body_too_large")
    answer = signed(relier, url, FIND_PATH, whole).send()
    assert answer.code != "body_too_large"  # verified, and refused as a find
    assert "signature" in answer.headers


@pytest.mark.parametrize("query", ["?a=%ff", "?\xff", "?a=1"])
def test_query_nobody_signed_is_refused_as_a_bad_signature(
    consortium: Consortium, relier: Node, url: str, find_body: bytes, query: str
) -> None:
    request = signed(relier, url, FIND_PATH, find_body)
    if query.isascii():
        assert_refused(
            consortium, replace(request, path=FIND_PATH + query), "message_signature_invalid"
        )


def test_unknown_release_gets_a_signed_refusal(
    consortium: Consortium, relier: Node, url: str
) -> None:
    issuer = consortium[ISSUER].node
    body = b'{"request":"' + b"5a" * 32 + b'","v":"tongban/answer-fetch/v1"}'
    request = signed(relier, url, ANSWER_PATH, body)
    answer = request.send()
    assert (answer.status, answer.code) == (404, "release_unknown")
    assert request.verified_by(answer, issuer, issuer.city)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/peer/v1/nothing", 404),
        ("POST", "/peer/v2/find", 404),
        ("GET", FIND_PATH, 405),
        ("POST", "/log/checkpoint", 405),
        ("GET", "/docs", 404),
    ],
)
def test_unknown_route_or_method_is_a_problem_answer(
    consortium: Consortium, url: str, method: str, path: str, status: int
) -> None:
    answer = Request(url, path, b"", {}).send(method=method)
    assert answer.status == status
    assert answer.code == {404: "route_not_found", 405: "method_not_allowed"}[status]


def test_unexpected_error_is_500_without_a_word_of_it(
    consortium: Consortium,
    relier: Node,
    url: str,
    find_body: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any) -> bytes:
        raise ValueError(f"invalid number {NUMBER}")

    with monkeypatch.context() as patched:
        patched.setattr(finding, "answer_find", fail)
        answer = signed(relier, url, FIND_PATH, find_body).send()
    assert (answer.status, answer.code) == (500, "internal")
    assert_accepted(consortium, signed(relier, url, FIND_PATH, find_body))
    said = caplog.text + "".join(capfd.readouterr())
    assert "ValueError" in said  # it was logged, by its type
    assert NUMBER not in said + answer.body.decode()


NOT_TILES = [
    "/log/tile/../checkpoint",
    "/log/tile/0/../../../node.toml",
    "/log/tile/%2e%2e/%2e%2e/node.toml",
    "/log/tile/0/%2e%2e%2f%2e%2e%2fnode.toml",
    "/log/tile/0/..%5c..%5cnode.toml",
    "/log/tile//etc/passwd",
    "/log/tile/%2fetc%2fpasswd",
    "/log/tile/staging/000",
    "/log/tile/0/0",
    "/log/tile/0/0000",
    "/log/tile/0/000/",
    "/log/tile/00/000",
    "/log/tile/0/x000/000",
    "/log/tile/0/X001/000",
    "/log/tile/0/000.p",
    "/log/tile/0/000.p/0",
    "/log/tile/0/000.p/256",
    "/log/tile/0/000.p/01",
    "/log/tile/0/000%00",
    "/log/tile/6400/000",
    "/log/tile/Entries/000",
    "/log/tile/data/000",
    "/log/0/checkpoint",
    "/log/-1/checkpoint",
    "/log/x/checkpoint",
    "/log/99999999999999999999/checkpoint",
]


@pytest.mark.parametrize("path", NOT_TILES)
def test_log_path_that_is_no_tile_is_a_problem_answer(url: str, path: str) -> None:
    answer = Request(url, path, b"", {}).send(method="GET")
    assert answer.status in (404, 422), answer
    assert answer.code in (
        "tile_not_found",
        "malformed_tile_path",
        "request_malformed",
        "route_not_found",
    )


def test_log_serves_its_partial_tiles_and_no_other_width(consortium: Consortium, url: str) -> None:
    note = Request(url, "/log/checkpoint", b"", {}).send(method="GET")
    assert note.status == 200
    size = int(note.body.split(b"\n")[1])
    assert 8 <= size < 255
    for path, width in (("0/000", 32), ("entries/000", 36)):
        served = Request(url, f"/log/tile/{path}.p/{size}", b"", {}).send(method="GET")
        assert (served.status, len(served.body)) == (200, size * width)
        more = Request(url, f"/log/tile/{path}.p/{size + 1}", b"", {}).send(method="GET")
        assert (more.status, more.code) == (404, "tile_not_found")
        whole = Request(url, f"/log/tile/{path}", b"", {}).send(method="GET")
        assert (whole.status, whole.code) == (404, "tile_not_found")


def test_log_of_a_generation_that_is_not_there_makes_no_directory(
    consortium: Consortium, url: str
) -> None:
    logs = Path(consortium.path) / ISSUER / "log"
    for path in ("/log/7/checkpoint", "/log/7/tile/0/000"):
        answer = Request(url, path, b"", {}).send(method="GET")
        assert (answer.status, answer.code) == (404, "tile_not_found")
    assert [each.name for each in logs.iterdir()] == ["1"]
    assert Request(url, "/log/1/checkpoint", b"", {}).send(method="GET").status == 200
