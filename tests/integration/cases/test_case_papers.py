"""Papers of a case over HTTP: made from what stands in it, for its window, when it is time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from ledger_node.core.case import CaseDraft, CaseEvent, CaseStage
from ledger_node.core.sealed import Subject
from ledger_node.flows.cases import Case, load_case, move_case, open_case
from ledger_node.flows.holdings import list_held_papers
from ledger_node.flows.sessions import begin_session
from tests.support.hall import OUTLET, Hall, make_account, open_hall, session_headers
from tests.support.pdf import read_pdf
from tests.support.stock import NAME, NUMBER, register_paper

pytestmark = pytest.mark.integration
PERSON = Subject("cn-resident-id", "510107199003070049", "何雨晴")
ITEM = "hpf-loan-remote"
REFUSAL = {
    "ground": "not_eligible",
    "article": "《住房公积金管理条例》第二十六条",
    "review_body": "武侯区人民政府",
    "court": "成都铁路运输第一法院",
}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with open_hall(tmp_path_factory.mktemp("papers")) as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(hall: Hall) -> TestClient:
    return hall.sign_in("reviewer")


def begin(hall: Hall, *events: tuple[CaseEvent, str]) -> Case:
    """A case of this window that took these steps."""
    node = hall.runtime.node
    draft = CaseDraft(ITEM, PERSON, None, None, OUTLET, "3", "A1", CaseStage.RECEIVED)
    case = open_case(node, draft, hall.account_id("reviewer"))
    for event, reason in events:
        case = move_case(node, load_case(node, case.row.case_id), event, "somebody", reason)
    return case


def read(answer: Any) -> str:
    """What stands on a PDF, without breaks."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    return read_pdf(answer.content)


def url(case: Case, paper: str = "") -> str:
    return f"/cases/{case.row.case_id}/papers" + (f"/{paper}" if paper else "")


@pytest.mark.parametrize("size", ["a4", "80mm"])
def test_acceptance_notice_tells_of_the_case(hall: Hall, desk: TestClient, size: str) -> None:
    case = begin(hall, (CaseEvent.ACCEPT, ""))
    sent = {"document_number": "武审受〔2026〕9号", "size": size, "day": "2026-12-31"}
    shown = read(desk.post(url(case, "acceptance"), data=sent))
    for text in (
        "受理通知书",
        case.row.number,
        "何雨晴",
        "5101**********0049",
        "武审受〔2026〕9号",
    ):
        assert text in shown
    assert "510107199003070049" not in shown
    assert "2026年12月31日" in shown, "what may follow, with its day"


def test_completion_notice_lists_everything_missing_at_once(hall: Hall, desk: TestClient) -> None:
    case = begin(hall, (CaseEvent.ASK_COMPLETION, "结婚证照片页模糊"))
    shown = read(desk.post(url(case, "completion"), data={"day": "2026-12-05"}))
    for text in ("一次性告知书", "购房合同", "结婚证照片页模糊", "2026年12月5日前补正"):
        assert text in shown


def test_refusal_names_reason_basis_and_remedies(hall: Hall, desk: TestClient) -> None:
    case = begin(hall, (CaseEvent.TURN_AWAY, "申请人未在本市缴存"))
    shown = read(desk.post(url(case, "refusal"), data=REFUSAL))
    for text in ("不予受理决定书", "申请人未在本市缴存", *REFUSAL.values()):
        if text != "not_eligible":
            assert text in shown
    without = desk.post(url(case, "refusal"), data={**REFUSAL, "court": ""})
    assert without.status_code == 422
    assert "未写明救济途径" in without.text


def test_receipt_of_service_lists_what_is_served(hall: Hall, desk: TestClient) -> None:
    case = begin(hall, (CaseEvent.ACCEPT, ""))
    titles = "受理通知书\n\n 收件凭证 \n"
    shown = read(desk.post(url(case, "service"), data={"titles": titles, "method": "邮寄送达"}))
    for text in ("送达回证", "受理通知书", "收件凭证", "■邮寄送达", "大厅3号窗口"):
        assert text in shown
    assert desk.post(url(case, "service"), data={"titles": " "}).status_code == 422


@pytest.mark.parametrize("paper", ["acceptance", "completion", "refusal", "service"])
def test_paper_before_its_step_is_refused_with_its_reason(
    hall: Hall, desk: TestClient, paper: str
) -> None:
    case = begin(hall)
    answer = desk.post(url(case, paper), data={**REFUSAL, "titles": "x"})
    assert answer.status_code == 422
    assert "还没有走到这一步" in answer.text
    assert "还没有可出的文书" in answer.text, "the page says what comes when"


@pytest.mark.parametrize(
    ("field", "value"), [("size", "a3"), ("day", "明天"), ("ground", "x"), ("method", "x")]
)
def test_choice_not_offered_is_refused(
    hall: Hall, desk: TestClient, field: str, value: str
) -> None:
    case = begin(hall, (CaseEvent.ACCEPT, ""))
    answer = desk.post(url(case, "acceptance"), data={field: value})
    assert answer.status_code == 422
    assert "不是可选的内容" in answer.text


def test_papers_of_another_outlets_case_are_not_found(hall: Hall, desk: TestClient) -> None:
    case = begin(hall, (CaseEvent.ACCEPT, ""))
    node = hall.runtime.node
    other = make_account(node, "reviewer", outlet=None)
    headers = session_headers(begin_session(node, other.row, second_factor=False))
    stranger = hall.client(**headers)
    assert stranger.get(url(case)).status_code == 404
    assert stranger.post(url(case, "acceptance")).status_code == 404
    assert desk.get(url(case)).status_code == 200


def test_printing_stands_in_the_trail_and_nothing_is_kept(hall: Hall, desk: TestClient) -> None:
    case = begin(hall, (CaseEvent.ACCEPT, ""))
    before = load_case(hall.runtime.node, case.row.case_id)
    assert read(desk.post(url(case, "acceptance")))
    with hall.runtime.node.database.read() as tx:
        rows = [row for _, row in tx.trail.list_access(None, 50)]
    noted = {row.action for row in rows if row.object_id == case.row.case_id}
    assert "print_acceptance" in noted
    assert load_case(hall.runtime.node, case.row.case_id) == before


@pytest.mark.parametrize("size", ["a4", "80mm"])
def test_slip_of_a_registered_paper_says_what_was_registered(hall: Hall, size: str) -> None:
    node = hall.runtime.node
    which = 1 if size == "a4" else 2
    register_paper(node, which)
    held = list_held_papers(node, Subject("cn-resident-id", NUMBER, NAME))[0]
    clerk = hall.sign_in("registrar")
    material_id = held.material.row.material_id
    shown = read(clerk.post(f"/window/papers/{material_id}/slip", data={"size": size}))
    for text in ("材料登记回执", material_id, NAME, "武侯区民政局", "存证中", "出具机关生成"):
        assert text in shown
    assert NUMBER not in shown
    assert clerk.get(f"/window/papers/{material_id}").text.count(f"{material_id}/slip") == 1
