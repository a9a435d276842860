"""A brought receipt judged on looked-up facts: the same verdict as on every fact of the chain."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from api.app import build_app
from api.brought import MAX_RECEIPT_BYTES
from ledger_node.core.evidence_parts import OfficerRole
from ledger_node.core.receipt import NotAReceiptError
from ledger_node.core.receipt_v1 import encode_receipt_of_any_version, parse_receipt_of_any_version
from ledger_node.core.status import Standing
from ledger_node.core.trust_format import parse_trust
from ledger_node.core.types import Digest
from ledger_node.core.verdict import LineState
from ledger_node.core.verify import verify_receipt
from ledger_node.flows.chain_node import CHAIN_CONTRADICTION
from ledger_node.flows.halts import clear_halt, latch_halt
from ledger_node.flows.node import Node
from ledger_node.flows.receipts import build_registration_receipt
from ledger_node.flows.relying import complete_receipt, rely
from ledger_node.flows.trusting import build_trust_file
from ledger_node.flows.verifying import FactsInDoubtError, verify_brought_receipt
from tests.integration.way.story import RELIER, Way, paper_of
from tests.support.pdf import read_pdf

pytestmark = [pytest.mark.integration]
PAPER = paper_of("J510107-2020-000005")
CANARY = b"canary-7f3a91"


@pytest.fixture(scope="module")
def receipts(way: Way) -> dict[str, bytes]:
    """A receipt of every kind and end."""
    kept = {
        name: encode_receipt_of_any_version(
            build_registration_receipt(way.issuer, way.stock[name].material.material_id)
        )
        for name in ("renewed", "gone")
    }
    digest = way.stock["renewed"].digest
    receipt_id = rely(way.relier, digest, "my-supervisor-01", OfficerRole.SUPERVISOR, "granted")
    kept["pending"] = complete_receipt(way.relier, receipt_id)
    way.settle(
        lambda: (
            parse_receipt_of_any_version(complete_receipt(way.relier, receipt_id)).seal is not None
        )
    )
    kept["relied"] = complete_receipt(way.relier, receipt_id)
    way.consortium.turn()  # the issuing city follows the last anchor, too
    return kept


def on_all_facts(node: Node, receipt: bytes, document: Digest | None = None):
    trust = parse_trust(build_trust_file(node))
    return verify_receipt(receipt, trust, document=document, sensitive_types=node.sensitive_types)


def changed(receipt: bytes, *path: Any, value: Any) -> bytes:
    """The same receipt with one member replaced; still canonical."""
    whole = json.loads(receipt)
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    assert inner[path[-1]] != value
    inner[path[-1]] = value
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("renewed", LineState.HOLDS),
        ("gone", LineState.FAILS),
        ("pending", LineState.PENDING),
        ("relied", LineState.HOLDS),
    ],
)
def test_verify_brought_receipt_gives_the_verdict_of_all_facts(
    way: Way, receipts: dict[str, bytes], name: str, state: LineState
) -> None:
    for node in (way.issuer, way.relier):  # SQLite and PostgreSQL
        found = verify_brought_receipt(node, receipts[name])
        assert found.verdict.state is state
        expected = on_all_facts(node, receipts[name])
        assert [line.code for line in found.verdict.lines] == [line.code for line in expected.lines]
        assert found.as_of is not None
        assert found.age_s is not None
        assert 0 <= found.age_s < 300


@pytest.mark.parametrize(
    "path",
    [
        ("seal", "anchored", "block_number"),
        ("seal", "anchored", "log"),
        ("body", "grant", "consumed", "log"),
        ("body", "grant", "consumed", "block_number"),
        ("body", "grant", "recorded", "block_number"),
        ("body", "decided_at"),
    ],
)
def test_verify_brought_receipt_false_place_fails_with_the_code_of_all_facts(
    way: Way, receipts: dict[str, bytes], path: tuple[str, ...]
) -> None:
    false = changed(receipts["relied"], *path, value=2)
    found = verify_brought_receipt(way.relier, false).verdict
    # The seal is not signed: a log that is not carried is not proven, and never green.
    unproven = path == ("seal", "anchored", "log")
    assert found.state is (LineState.PENDING if unproven else LineState.FAILS)
    assert found.codes == on_all_facts(way.relier, false).codes


def test_verify_brought_receipt_permit_of_another_release_is_a_mismatch_as_on_all_facts(
    way: Way, receipts: dict[str, bytes]
) -> None:
    salt = json.loads(receipts["relied"])["body"]["release_salt"]
    false = changed(receipts["relied"], "body", "release_salt", value=salt[::-1])
    found = verify_brought_receipt(way.relier, false).verdict
    assert found.codes == on_all_facts(way.relier, false).codes
    assert "permit_mismatch" in found.codes or "receipt_signature_invalid" in found.codes


def test_verify_brought_receipt_document_is_compared(way: Way, receipts: dict[str, bytes]) -> None:
    number = list(way.stock).index("renewed")
    right = paper_of(f"J510107-2020-{number:06}")
    for data, state in ((right, LineState.HOLDS), (b"another", LineState.FAILS)):
        digest = Digest(hashlib.sha256(data).digest())
        found = verify_brought_receipt(way.issuer, receipts["renewed"], document=digest)
        assert found.verdict.state is state
        assert found.document_checked


def test_verify_brought_receipt_later_news_is_told_beside_the_verdict(
    way: Way, receipts: dict[str, bytes]
) -> None:
    (news,) = verify_brought_receipt(way.relier, receipts["gone"]).later
    assert news.standing is Standing.WITHDRAWN
    assert verify_brought_receipt(way.relier, receipts["renewed"]).later == ()


def test_verify_brought_receipt_own_trust_file_decides_instead_of_the_node(
    way: Way, receipts: dict[str, bytes]
) -> None:
    trust = build_trust_file(way.issuer)
    found = verify_brought_receipt(way.relier, receipts["renewed"], trust=trust)
    assert (found.verdict.state, found.source) == (LineState.HOLDS, "trust_file")
    stranger = json.loads(trust)
    stranger["consortium"] = "another.example"
    data = json.dumps(stranger, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert verify_brought_receipt(way.relier, receipts["renewed"], trust=data).verdict.state is (
        LineState.FAILS
    )


def test_verify_brought_receipt_chain_in_doubt_gives_no_verdict_but_a_trust_file_does(
    way: Way, receipts: dict[str, bytes]
) -> None:
    trust = build_trust_file(way.relier)
    latch_halt(way.relier, CHAIN_CONTRADICTION, "planted")
    try:
        with pytest.raises(FactsInDoubtError):
            verify_brought_receipt(way.relier, receipts["renewed"])
        verify_brought_receipt(way.relier, receipts["renewed"], trust=trust)
    finally:
        clear_halt(way.relier, CHAIN_CONTRADICTION, "test")
    verify_brought_receipt(way.relier, receipts["renewed"])


def test_verify_brought_receipt_no_receipt_is_refused(way: Way) -> None:
    for data in (b"", b"{}", b"%PDF-1.7"):
        with pytest.raises(NotAReceiptError):
            verify_brought_receipt(way.relier, data)


@pytest.fixture
def page(way: Way) -> TestClient:
    """A browser without script and without login."""
    runtime = way.consortium[RELIER]
    return TestClient(
        build_app(runtime),
        base_url=runtime.settings.origin,
        headers={"accept": "text/html"},
        follow_redirects=False,
    )


def test_verify_page_upload_of_both_gives_a_page_and_keeps_nothing(
    way: Way, receipts: dict[str, bytes], page: TestClient
) -> None:
    number = list(way.stock).index("renewed")
    files = {
        "receipt": ("r.json", receipts["renewed"]),
        "document": ("d.pdf", paper_of(f"J510107-2020-{number:06}")),
        "trust": ("", b""),
    }
    answer = page.post("/verify", files=files)
    assert answer.status_code == 200
    assert 'class="verdict holds"' in answer.text
    assert "已与您带来的文件核对" in answer.text
    assert "<html" in answer.text
    files["document"] = ("d.pdf", b"another")
    assert 'class="verdict fails" open' in page.post("/verify", files=files).text
    assert answer.headers["cache-control"] == "no-store"


def test_verify_certificate_says_what_the_page_says_and_is_kept_nowhere(
    way: Way, receipts: dict[str, bytes], page: TestClient
) -> None:
    number = list(way.stock).index("renewed")
    paper = paper_of(f"J510107-2020-{number:06}")
    digests = [hashlib.sha256(each).hexdigest() for each in (receipts["renewed"], paper)]
    for document, word in ((paper, "核验通过"), (b"another", "核验未通过")):
        files = {"receipt": ("r.json", receipts["renewed"]), "document": ("d.pdf", document)}
        for size in ("a4", "80mm"):
            answer = page.post("/verify/certificate", files=files, data={"action": size})
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.headers["cache-control"] == "no-store"
            shown = read_pdf(answer.content)
            assert word in shown
            assert digests[0] in shown
            assert (digests[1] in shown) is (document == paper)
    assert (
        page.post("/verify/certificate", files={"document": files["document"]}).status_code == 422
    )


def test_verify_page_digest_instead_of_the_document_gives_the_same(
    receipts: dict[str, bytes], way: Way, page: TestClient
) -> None:
    number = list(way.stock).index("renewed")
    digest = hashlib.sha256(paper_of(f"J510107-2020-{number:06}")).hexdigest()
    answer = page.post(
        "/verify",
        files={"receipt": ("r.json", receipts["renewed"])},
        data={"document_digest": digest},
        headers={"hx-request": "true"},
    )
    assert 'class="verdict holds"' in answer.text
    assert "<html" not in answer.text
    assert "data-say" in answer.text


def without_facts(trust: bytes) -> bytes:
    """The same trust file, its facts of the ledger left out."""
    whole = json.loads(trust)
    assert whole["facts"] is not None
    whole["facts"] = None
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def test_verify_page_trust_file_without_facts_says_what_is_missing_and_what_to_do(
    way: Way, receipts: dict[str, bytes], page: TestClient
) -> None:
    trust = build_trust_file(way.issuer)
    files = {"receipt": ("r", receipts["renewed"]), "trust": ("t", without_facts(trust))}
    shown = page.post("/verify", files=files).text
    assert 'class="verdict pending"' in shown
    assert "信任文件没有账本事实" in shown
    assert "凭证刚开出" not in shown
    assert "尚待存证" not in shown
    files["trust"] = ("t", trust)
    assert 'class="verdict holds"' in page.post("/verify", files=files).text
    pending = {"receipt": ("r", receipts["pending"])}
    assert "凭证刚开出" in page.post("/verify", files=pending).text


def test_verify_page_goes_by_the_rule_of_the_item_it_is_told(
    receipts: dict[str, bytes], page: TestClient
) -> None:
    files = {"receipt": ("r", receipts["renewed"])}
    for given, said in (
        (None, "必备材料"),
        ("required", "必备材料"),
        ("defer", "可容缺后补的材料"),
    ):
        data = {} if given is None else {"necessity": given}
        assert f'class="hint">{said}' in page.post("/verify", files=files, data=data).text
    assert page.post("/verify", files=files, data={"necessity": "any"}).status_code == 422


@pytest.mark.parametrize(
    ("files", "code", "status"),
    [
        ({"document": ("d.pdf", PAPER)}, "no_receipt", 422),
        ({"receipt": ("r.json", b"")}, "no_receipt", 422),
        ({"receipt": ("r.json", b"{}")}, "receipt_unreadable", 422),
        ({"receipt": ("r.json", b" " * (MAX_RECEIPT_BYTES + 1))}, "brought_too_large", 413),
    ],
)
def test_verify_page_refusal_is_a_kind_page_with_its_code(
    page: TestClient, files: dict[str, Any], code: str, status: int
) -> None:
    answer = page.post("/verify", files=files)
    assert answer.status_code == status
    assert code in answer.text
    assert "<html" in answer.text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=\"re"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A" * 9000),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="action"\r\n\r\n'
            + b"y" * 300 + b"\r\n--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 2 + b"--x--\r\n",
        ),
    ],
)  # fmt: skip
def test_verify_page_body_that_is_not_its_form_is_refused(
    page: TestClient, content_type: str, body: bytes
) -> None:
    answer = page.post("/verify", content=body, headers={"content-type": content_type})
    assert answer.status_code in (413, 422)
    assert "<html" in answer.text


def test_verify_page_document_larger_than_the_setting_is_refused(
    way: Way, receipts: dict[str, bytes]
) -> None:
    runtime = way.consortium[RELIER]
    small = replace(runtime, settings=runtime.settings.model_copy(update={"max_document_bytes": 9}))
    client = TestClient(
        build_app(small), base_url=runtime.settings.origin, headers={"accept": "text/html"}
    )
    for size, status in ((9, 200), (10, 413)):
        files = {"receipt": ("r.json", receipts["renewed"]), "document": ("d", b"x" * size)}
        assert client.post("/verify", files=files).status_code == status


def test_verify_page_address_that_asks_too_often_waits(page: TestClient) -> None:
    answers = [page.post("/verify", files={"receipt": ("r", b"{}")}) for _ in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {422}
    assert answers[-1].status_code == 429
    assert "rate_limited" in answers[-1].text


def test_verify_page_nothing_brought_reaches_the_log(
    way: Way, receipts: dict[str, bytes], page: TestClient, capfd: pytest.CaptureFixture[str]
) -> None:
    del way
    receipt_id = json.loads(receipts["renewed"])["body"]["receipt"]
    with structlog.testing.capture_logs() as logs:
        page.post("/verify", files={"receipt": (f"{CANARY!r}.json", b'{"a":"' + CANARY + b'"}')})
        files = {"receipt": ("r.json", receipts["renewed"]), "document": ("d", CANARY)}
        assert page.post("/verify", files=files).status_code == 200
    text = repr(logs) + "".join(capfd.readouterr())
    assert "receipt_unreadable" in text  # the scanner sees what is logged
    digest = hashlib.sha256(CANARY).hexdigest()
    for secret in (CANARY.decode(), CANARY.hex(), digest, receipt_id):
        assert secret not in text
