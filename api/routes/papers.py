"""Papers of a case, printed: 受理通知书, 一次性告知书, 不予受理决定书, 送达回证.

The file is made when it is asked for and kept nowhere; what it says stands in the case. Spec:
docs/spec/papers.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from api.access import Principal, allow
from api.deps import get_runtime
from api.pages.case_papers import CasePaper, PaperForm, build_case_paper, list_due_papers
from api.pages.cities import name_city
from api.pages.render import NO_STORE, page
from api.routes.cases import find_own_case
from ledger_node.core.access import Permission
from ledger_node.core.errors import LedgerError, MalformedInputError
from ledger_node.core.trail import TrailAction
from ledger_node.flows.case_papers import CaseFolder, load_case_folder
from ledger_node.flows.cases import Case
from ledger_node.papers import PaperSize, RefusalGround, ServiceMethod
from ledger_node.seed import load_catalogue
from ledger_node.wiring import Runtime

router = APIRouter(tags=["cases"], include_in_schema=False)

Handler = Annotated[Principal, allow(Permission.CASES_HANDLE)]
Short = Annotated[str, Form(max_length=100)]
Long = Annotated[str, Form(max_length=1000)]
GROUNDS: Final = {
    RefusalGround.NOT_REQUIRED: ("依法不需要办理", "Not required by law"),
    RefusalGround.NOT_COMPETENT: ("不属于本机关职权", "Not within our competence"),
    RefusalGround.INCOMPLETE: ("告知后仍未补正", "Still incomplete after notice"),
    RefusalGround.NOT_ELIGIBLE: ("不符合受理条件", "Conditions not met"),
}


METHODS: Final = {
    ServiceMethod.DIRECT: "Handed over",
    ServiceMethod.ELECTRONIC: "Electronically",
    ServiceMethod.POST: "By post",
    ServiceMethod.LEFT: "Left at the place",
    ServiceMethod.ENTRUSTED: "By another office",
    ServiceMethod.PUBLIC: "By public notice",
}


class PaperChoiceError(MalformedInputError):
    """A choice in the form is none of those offered. Fields: field."""

    code = "paper_choice"

    def __init__(self, field: str) -> None:
        super().__init__(
            "表单里有一项不是可选的内容，请重新选择。",
            "A choice in the form is none of those offered; choose again.",
            field=field,
        )


@router.get("/cases/{case_id}/papers", response_class=HTMLResponse)
def read_papers(request: Request, principal: Handler, case_id: str) -> Response:
    """The papers this case has come to, each with its few fields."""
    case = find_own_case(request, principal, case_id, TrailAction.PAPERS)
    folder = load_case_folder(get_runtime(request).node, case, load_catalogue())
    return _show_papers(request, principal, case, folder, None)


@router.post("/cases/{case_id}/papers/{paper}")
def print_paper(
    request: Request,
    principal: Handler,
    case_id: str,
    paper: CasePaper,
    office: Short = "",
    document_number: Short = "",
    size: Short = PaperSize.A4.value,
    day: Short = "",
    ground: Short = RefusalGround.NOT_ELIGIBLE.value,
    article: Short = "",
    competent: Short = "",
    review_body: Short = "",
    court: Short = "",
    titles: Long = "",
    method: Short = ServiceMethod.DIRECT.value,
    place: Short = "",
) -> Response:
    """One paper as a PDF to print."""
    runtime = get_runtime(request)
    case = find_own_case(request, principal, case_id, TrailAction(f"print_{paper.value}"))
    folder = load_case_folder(runtime.node, case, load_catalogue())
    outlet = _name_outlet(runtime, case)
    try:
        form = PaperForm(
            office.strip() or _name_office(runtime),
            outlet,
            document_number.strip(),
            _read_day(day),
            _choose(ground, list(RefusalGround), "ground"),
            article.strip(),
            competent.strip(),
            review_body.strip(),
            court.strip(),
            titles,
            _choose(method, list(ServiceMethod), "method"),
            place.strip(),
        )
        chosen = PaperSize(_choose(size, list(PaperSize), "size"))
        pdf = build_case_paper(paper, case, folder, form, chosen, runtime.node.clock.now())
    except LedgerError as error:
        return _show_papers(request, principal, case, folder, error)
    disposition = {"Content-Disposition": f'inline; filename="{paper.value}.pdf"'}
    return Response(pdf, media_type="application/pdf", headers={**NO_STORE, **disposition})


def _show_papers(
    request: Request,
    principal: Principal,
    case: Case,
    folder: CaseFolder,
    error: LedgerError | None,
) -> Response:
    runtime = get_runtime(request)
    context = {
        "case": case,
        "due": [each.value for each in list_due_papers(folder)],
        "folder": folder,
        "office": _name_office(runtime),
        "outlet": _name_outlet(runtime, case),
        "grounds": [(each.value, *GROUNDS[each]) for each in RefusalGround],
        "methods": [(each.value, METHODS[each]) for each in ServiceMethod],
        "problem": None if error is None else (error.message_zh, error.message_en),
    }
    return page(request, principal, "cases/papers.html", context, 200 if error is None else 422)


def _name_office(runtime: Runtime) -> str:
    city = runtime.settings.city_name or name_city(runtime.node.city, "zh")
    return f"{city}行政审批局"


def _name_outlet(runtime: Runtime, case: Case) -> str:
    with runtime.node.database.read() as tx:
        names = {row.outlet: row.name_zh for row in tx.accounts.list_outlets()}
    window = f" {case.row.window} 号窗口" if case.row.window else ""
    return f"{names.get(case.row.outlet or '', '')}{window}".strip()


def _read_day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise PaperChoiceError("day") from error


def _choose(value: str, offered: Sequence[str], field: str) -> str:
    if value not in offered:
        raise PaperChoiceError(field)
    return value
