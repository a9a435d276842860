"""The API as a program uses it: uploads, materials, keys, pages, problems. No chain."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import build_app
from ledger_node.core.case import CaseDraft
from ledger_node.flows import idempotency
from ledger_node.flows.cases import open_case
from ledger_node.flows.idempotency import drop_old_keys
from ledger_node.flows.uploading import sweep_uploads
from tests.support.hall import ORIGIN, OUTLET, PERSON, Hall, begin_headers, open_hall
from tests.support.pdf import build_pdf, build_pdf_of

pytestmark = pytest.mark.integration

NUMBER, NAME = "510107199003070049", "何雨晴"
PDF = build_pdf(b"a paper of the test" * 40)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("api")) as opened:
        yield opened


@pytest.fixture
def client(hall: Hall) -> TestClient:
    return hall.sign_in("registrar")


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text.ljust(8, "-")}


def upload(client: TestClient, name: str, data: bytes = PDF, **headers: str) -> str:
    slot = client.post("/api/v1/uploads", json={"media_type": "application/pdf"}, headers=key(name))
    assert slot.status_code == 201, slot.text
    upload_id = str(slot.json()["upload_id"])
    sent = client.put(f"/api/v1/uploads/{upload_id}", content=data, headers=raw(**headers))
    assert sent.status_code == 200, sent.text
    assert sent.json()["sha256"] == hashlib.sha256(data).hexdigest()
    return upload_id


def raw(**headers: str) -> dict[str, str]:
    return {"content-type": "application/octet-stream", **headers}


def paper(which: int, *documents: dict[str, Any]) -> dict[str, Any]:
    return {
        "type_code": "marriage-cert",
        "grade": "A",
        "subjects": [
            {"role": "holder", "scheme": "cn-resident-id", "number": NUMBER, "name": NAME}
        ],
        "number": f"J-2020-{which:06}",
        "documents": list(documents) or [{"sha256": f"{which:064x}"}],
    }


def code_of(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["x-request-id"]
    return str(problem["code"])


def test_material_from_an_upload_is_registered_read_and_given_back(
    hall: Hall, client: TestClient
) -> None:
    upload_id = upload(client, "first-upload")
    body = paper(1, {"upload_id": upload_id, "pages": 2})
    made = client.post("/api/v1/materials", json=body, headers=key("first-paper"))
    assert made.status_code == 201, made.text
    material_id = made.json()["material_id"]
    read = client.get(f"/api/v1/materials/{material_id}").json()
    assert read["values"]["subjects"][0]["name"] == NAME
    assert read["documents"][0]["sha256"] == hashlib.sha256(PDF).hexdigest()
    document = client.get(f"/api/v1/materials/{material_id}/documents/0")
    assert document.content == PDF
    assert document.headers["content-type"] == "application/octet-stream"
    assert document.headers["content-disposition"].startswith("attachment;")
    assert document.headers["x-content-type-options"] == "nosniff"
    assert client.get(f"/api/v1/materials/{material_id}/proof").json()["state"] == "pending"
    receipt = client.get(f"/api/v1/materials/{material_id}/receipt")
    again = {"if-none-match": receipt.headers["etag"]}
    assert client.get(f"/api/v1/materials/{material_id}/receipt", headers=again).status_code == 304
    slot = client.get(f"/api/v1/uploads/{upload_id}").json()
    assert (slot["state"], slot["material_id"]) == ("used", material_id)
    assert not list((hall.runtime.settings.data_dir / "uploads").iterdir())  # no plaintext is left
    with hall.runtime.node.database.read() as tx:
        trail = [(row.action, row.object_id) for _, row in tx.trail.list_access(None, 50)]
    assert ("read", material_id) in trail
    assert ("view", f"{material_id}/0") in trail


def test_same_key_same_body_gives_the_same_answer_once(hall: Hall, client: TestClient) -> None:
    with hall.runtime.node.database.read() as tx:
        before = tx.intake.count_materials()
    first = client.post("/api/v1/materials", json=paper(2), headers=key("twice"))
    second = client.post("/api/v1/materials", json=paper(2), headers=key("twice"))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.status_code == 201
    with hall.runtime.node.database.read() as tx:
        assert tx.intake.count_materials() == before + 1
    other = client.post("/api/v1/materials", json=paper(3), headers=key("twice"))
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    twin = client.post("/api/v1/materials", json=paper(3), headers=key("other-key"))
    assert twin.status_code == 201


def test_same_key_of_another_account_is_another_key(hall: Hall, client: TestClient) -> None:
    mine = client.post("/api/v1/materials", json=paper(4), headers=key("shared"))
    elsewhere = hall.sign_in("reviewer")
    theirs = elsewhere.post("/api/v1/materials", json=paper(5), headers=key("shared"))
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["material_id"] != theirs.json()["material_id"]


def test_refusal_is_not_stored_under_its_key(client: TestClient) -> None:
    wrong = paper(6) | {"type_code": "no-such-type"}
    refused = client.post("/api/v1/materials", json=wrong, headers=key("mended"))
    assert (refused.status_code, code_of(refused)) == (422, "unknown_material_type")
    mended = client.post("/api/v1/materials", json=paper(6), headers=key("mended"))
    assert mended.status_code == 201


def test_request_without_a_key_is_refused(client: TestClient) -> None:
    answer = client.post("/api/v1/materials", json=paper(7))
    assert (answer.status_code, code_of(answer)) == (422, "request_malformed")


def test_same_key_at_once_is_done_once_and_the_other_told_to_wait(
    hall: Hall, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    sealer = hall.runtime.node.sealer

    class SlowSealer:
        def seal(self, *arguments: Any) -> Any:
            begun.set()
            assert go_on.wait(20)
            return sealer.seal(*arguments)

    app = build_app(replace(hall.runtime, node=replace(hall.runtime.node, sealer=SlowSealer())))
    headers = begin_headers(hall.runtime.node, "registrar", hall.person)
    slow = TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN, **headers})
    body = paper(8, {"upload_id": upload(client, "for-the-slow")})
    answers: list[Any] = []
    worker = threading.Thread(
        target=lambda: answers.append(
            slow.post("/api/v1/materials", json=body, headers=key("at-once"))
        )
    )
    worker.start()
    assert begun.wait(20)
    second = client.post("/api/v1/materials", json=body, headers=key("at-once"))
    go_on.set()
    worker.join(20)
    assert (second.status_code, code_of(second)) == (409, "request_in_progress")
    assert int(second.headers["retry-after"]) >= 1
    assert answers[0].status_code == 201
    third = client.post("/api/v1/materials", json=body, headers=key("at-once"))
    assert third.content == answers[0].content


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", ["key", "row", "answer"])
def test_request_cut_off_is_taken_up_by_the_next_turn(
    hall: Hall, client: TestClient, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    which = {"key": 10, "row": 11, "answer": 12}[after]
    body = paper(which, {"upload_id": upload(client, f"cut-{after}", build_pdf(after.encode()))})
    name = key(f"cut-off-{after}")
    node = hall.runtime.node
    fired: list[str] = []

    def die(*_: Any, **__: Any) -> Any:
        fired.append(after)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_let_go", lambda *_, **__: None)  # it lets go of nothing
        if after == "key":
            patch.setattr("ledger_node.flows.intake.store_rows", die)
        elif after == "row":
            patch.setattr("api.routes.v1.materials.settle_uploads", die)
        else:
            patch.setattr("api.routes.v1.base.Answer", die)
        with pytest.raises(Killed):
            client.post("/api/v1/materials", json=body, headers=name)
    assert fired
    waiting = client.post("/api/v1/materials", json=body, headers=name)
    assert code_of(waiting) == "request_in_progress"
    hall.clock.ahead += timedelta(seconds=30)
    done = client.post("/api/v1/materials", json=body, headers=name)
    assert done.status_code == 201, done.text
    with node.database.read() as tx:
        rows = tx.intake.list_materials(1000)
    registered = [row for row in rows if row.row.material_id == done.json()["material_id"]]
    assert len(registered) == 1
    again = client.post("/api/v1/materials", json=body, headers=key(f"new-key-{after}"))
    assert code_of(again) in {"document_already_registered", "upload_not_stored"}
    read = client.get(f"/api/v1/materials/{done.json()['material_id']}/documents/0")
    assert read.content == build_pdf(after.encode())


def test_upload_refused_leaves_nothing(hall: Hall, client: TestClient) -> None:
    folder = hall.runtime.settings.data_dir / "uploads"
    before = set(folder.iterdir()) if folder.exists() else set()
    slot = client.post(
        "/api/v1/uploads", json={"media_type": "application/pdf"}, headers=key("refused-up")
    ).json()
    path = f"/api/v1/uploads/{slot['upload_id']}"
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    cases = [
        (PDF, {"content-digest": f"sha-256=:{wrong}:"}, 422, "content_digest_mismatch"),
        (PDF, {"content-digest": "md5=:AAAA:"}, 422, "content_digest_malformed"),
        (b"", {}, 422, "document_empty"),
        (PDF, {"content-type": "application/json"}, 415, "media_type_unsupported"),
    ]
    for data, headers, status, code in cases:
        answer = client.put(path, content=data, headers=raw(**headers))
        assert (answer.status_code, code_of(answer)) == (status, code)
    assert (set(folder.iterdir()) if folder.exists() else set()) == before
    assert client.get(path).json()["state"] == "open"
    right = base64.b64encode(hashlib.sha256(PDF).digest()).decode()
    twin = client.put(path, content=PDF, headers=raw(**{"content-digest": f"sha-256=:{right}:"}))
    assert twin.status_code == 200
    again = client.put(path, content=PDF, headers=raw())
    assert again.json() == twin.json()
    other = client.put(path, content=PDF + b"x", headers=raw())
    assert (other.status_code, code_of(other)) == (409, "upload_differs")


@pytest.mark.parametrize("announced", [True, False])
def test_upload_at_the_limit_passes_and_one_more_byte_does_not(
    hall: Hall, tmp_path: Any, announced: bool
) -> None:
    settings = hall.runtime.settings.model_copy(update={"max_document_bytes": 5000})
    app = build_app(replace(hall.runtime, settings=settings))
    headers = begin_headers(hall.runtime.node, "registrar", hall.person)
    small = TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN, **headers})
    folder = settings.data_dir / "uploads"
    for size, status in ((5000, 200), (5001, 413)):
        slot = small.post(
            "/api/v1/uploads",
            json={"media_type": "application/pdf"},
            headers=key(f"limit-{size}-{announced}"),
        ).json()
        before = len(list(folder.iterdir())) if folder.exists() else 0
        data = build_pdf_of(size)
        content: Any = data if announced else iter([data[:4000], data[4000:]])
        answer = small.put(f"/api/v1/uploads/{slot['upload_id']}", content=content, headers=raw())
        assert answer.status_code == status, answer.text
        if status == 413:
            assert code_of(answer) == "upload_too_large"
            assert len(list(folder.iterdir())) == before


def test_upload_of_another_account_is_not_there(hall: Hall, client: TestClient) -> None:
    upload_id = upload(client, "mine-only")
    elsewhere = hall.sign_in("reviewer")
    assert code_of(elsewhere.get(f"/api/v1/uploads/{upload_id}")) == "upload_not_found"
    taken = elsewhere.post(
        "/api/v1/materials", json=paper(20, {"upload_id": upload_id}), headers=key("not-mine")
    )
    assert (taken.status_code, code_of(taken)) == (404, "upload_not_found")
    twin = client.post(
        "/api/v1/materials", json=paper(20, {"upload_id": upload_id}), headers=key("is-mine")
    )
    assert twin.status_code == 201


def test_expired_slots_and_keys_are_swept(hall: Hall, client: TestClient) -> None:
    upload_id = upload(client, "swept")
    folder = hall.runtime.settings.data_dir / "uploads"
    assert any(path.name.startswith(upload_id) for path in folder.iterdir())
    assert sweep_uploads(hall.runtime.node, hall.runtime.uploads) == 0
    hall.clock.ahead += timedelta(hours=1, seconds=1)
    later = hall.sign_in("registrar")  # the session is over too
    assert code_of(later.get(f"/api/v1/uploads/{upload_id}")) == "upload_not_found"
    assert sweep_uploads(hall.runtime.node, hall.runtime.uploads) >= 1
    assert not any(path.name.startswith(upload_id) for path in folder.iterdir())
    hall.clock.ahead += timedelta(hours=23)
    assert drop_old_keys(hall.runtime.node) >= 1


def test_pages_of_materials_are_whole_while_others_come(hall: Hall) -> None:
    client = hall.sign_in("registrar")
    with hall.runtime.node.database.read() as tx:
        expected = [row.row.material_id for row in tx.paging.page_materials(None, 1000)]
    assert len(expected) >= 5
    seen: list[str] = []
    cursor, turn = "", 0
    while True:
        page = client.get("/api/v1/materials", params={"limit": 2, "cursor": cursor}).json()
        seen += [item["material_id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor, turn = page["next"], turn + 1
        client.post("/api/v1/materials", json=paper(100 + turn), headers=key(f"between-{turn}"))
    assert seen == expected
    assert turn >= 2


def test_cursor_of_another_list_or_changed_is_refused(hall: Hall) -> None:
    client = hall.sign_in("registrar")
    cursor = client.get("/api/v1/materials", params={"limit": 1}).json()["next"]
    for path in ("/api/v1/grants", "/api/v1/finds", "/api/v1/releases", "/api/v1/receipts"):
        answer = client.get(path, params={"cursor": cursor})
        assert (answer.status_code, code_of(answer)) == (422, "page_cursor_malformed")
    raw_cursor = bytearray(base64.b64decode(cursor, altchars=b"-_"))
    for at in range(len(raw_cursor)):
        changed = bytes(b ^ (1 if i == at else 0) for i, b in enumerate(raw_cursor))
        text = base64.b64encode(changed, altchars=b"-_").decode()
        assert code_of(client.get("/api/v1/materials", params={"cursor": text})) == (
            "page_cursor_malformed"
        )
    assert client.get("/api/v1/materials", params={"cursor": cursor}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "route_not_found"),
        ("DELETE", "/api/v1/materials", 405, "method_not_allowed"),
        ("GET", "/api/v1/materials/not-a-uuid", 422, "request_malformed"),
        ("GET", "/api/v1/materials?limit=0", 422, "request_malformed"),
        ("GET", f"/api/v1/grants/{'0' * 64}", 404, ""),
        ("GET", f"/api/v1/materials/00000000-0000-4000-8000-{'0' * 12}", 404, "material_not_found"),
    ],
)
def test_refusals_are_problems_even_for_browsers(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path, headers={"accept": "text/html"})
    assert answer.status_code == status
    assert code_of(answer) == code or not code
    if status == 405:
        assert answer.headers["allow"]


def test_body_of_another_kind_or_too_large_is_refused(client: TestClient) -> None:
    text = client.post(
        "/api/v1/materials", content=b"{}", headers={**key("kind"), "content-type": "text/plain"}
    )
    assert (text.status_code, code_of(text)) == (415, "media_type_unsupported")
    large = json.dumps(paper(30) | {"retention": "x" * 1_100_000}).encode()
    answer = client.post(
        "/api/v1/materials",
        content=large,
        headers={**key("large"), "content-type": "application/json"},
    )
    assert (answer.status_code, code_of(answer)) == (413, "request_too_large")
    broken = client.post(
        "/api/v1/materials",
        content=b'{"type_code":',
        headers={**key("broken"), "content-type": "application/json"},
    )
    assert (broken.status_code, code_of(broken)) == (422, "request_malformed")


def test_without_session_401_and_with_another_role_403(hall: Hall) -> None:
    nobody = hall.client()
    answer = nobody.get("/api/v1/materials")
    assert (answer.status_code, code_of(answer)) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    auditor = hall.sign_in("auditor")
    refused = auditor.get("/api/v1/materials")
    assert (refused.status_code, code_of(refused)) == (403, "not_permitted_here")
    assert hall.sign_in("registrar").get("/api/v1/materials").status_code == 200
    assert nobody.get("/api/v1/log").status_code == 200


def test_request_without_the_form_token_is_refused(hall: Hall) -> None:
    headers = begin_headers(hall.runtime.node, "registrar", hall.person)
    del headers["x-csrf-token"]
    client = hall.client(**headers)
    answer = client.post("/api/v1/materials", json=paper(40), headers=key("forged"))
    assert (answer.status_code, code_of(answer)) == (403, "forged_request")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abcdefgh-1234", True),
        ("short", False),
        ("has space in it", False),
        ("510107199003070049", False),  # a number of a person never reaches a log this way
        ("x" * 65, False),
        ("line\tfeed-12345", False),
    ],
)
def test_request_id_is_the_callers_only_if_it_is_one(
    client: TestClient, given: str, kept: bool
) -> None:
    answer = client.get("/api/v1/log", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is kept
    assert len(answer.headers["x-request-id"]) >= 8


def test_limits_hold_for_an_account_an_address_and_everybody(hall: Hall) -> None:
    def limited(**changes: int) -> Any:
        names = {f"api_requests_per_{name}minute": value for name, value in changes.items()}
        settings = hall.runtime.settings.model_copy(update=names)
        return build_app(replace(hall.runtime, settings=settings))

    def statuses(app: Any, count: int, **headers: str) -> list[int]:
        one = TestClient(app, base_url=ORIGIN, headers={"origin": ORIGIN, **headers})
        answers = [one.get("/api/v1/log") for _ in range(count)]
        for answer in answers:
            if answer.status_code == 429:
                assert code_of(answer) == "rate_limited"
                assert 1 <= int(answer.headers["retry-after"]) <= 60
        return [answer.status_code for answer in answers]

    mine = begin_headers(hall.runtime.node, "registrar", hall.person)
    other = begin_headers(hall.runtime.node, "reviewer", hall.person)
    app = limited(account_per_=3)
    assert statuses(app, 4, **mine) == [200, 200, 200, 429]
    assert statuses(app, 2, **other) == [200, 200]
    assert statuses(limited(address_per_=2), 3) == [200, 200, 429]
    app = limited(**{"": 3})
    assert statuses(app, 2, **mine) + statuses(app, 2, **other) == [200, 200, 200, 429]


def test_search_by_file_is_logged_once_per_key(hall: Hall) -> None:
    client = hall.sign_in("registrar")
    draft = CaseDraft("hpf-loan-remote", PERSON, None, None, OUTLET, None, None, "open")
    case = open_case(hall.runtime.node, draft, hall.account_id("registrar"))
    made = client.post("/api/v1/materials", json=paper(900), headers=key("searched"))
    assert made.status_code == 201, made.text
    body = {"case_id": case.row.case_id, "sha256": f"{900:064x}"}
    path = "/api/v1/verifications/search"

    def count() -> int:
        with hall.runtime.node.database.read() as tx:
            return sum(row.action == "search" for _, row in tx.trail.list_access(None, 500))

    before = count()
    assert code_of(client.post(path, json=body)) == "request_malformed"
    first = client.post(path, json=body, headers=key("search-1"))
    assert first.json()["items"][0]["material_id"] == made.json()["material_id"]
    assert client.post(path, json=body, headers=key("search-1")).content == first.content
    assert count() == before + 1
    other = client.post(path, json=body | {"sha256": "cd" * 32}, headers=key("search-1"))
    assert code_of(other) == "idempotency_key_reused"
    twin = client.post(path, json=body | {"sha256": "cd" * 32}, headers=key("search-2"))
    assert (twin.json(), count()) == ({"items": []}, before + 2)
    strange = body | {"case_id": "00000000-0000-4000-8000-000000000000"}
    refused = client.post(path, json=strange, headers=key("search-3"))
    assert (refused.status_code, code_of(refused)) == (403, "no_open_case")
    assert count() == before + 2
