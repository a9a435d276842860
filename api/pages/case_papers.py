"""Papers of a case: which are offered, and their facts out of the case and the officer's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from api.pages.assets import STATIC
from api.pages.cities import name_city
from api.pages.consent_slip import FONT
from api.pages.consent_view import name_type
from ledger_node.core.case import CaseEvent
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.sealed import Subject
from ledger_node.flows.case_papers import CaseFolder, TakenMaterial
from ledger_node.flows.cases import Case
from ledger_node.papers import (
    AcceptanceNotice,
    AcceptedMaterial,
    CaseFacts,
    CompletionNotice,
    DeferredMaterial,
    Fonts,
    MissingMaterial,
    Office,
    PaperSize,
    Party,
    RefusalDecision,
    RefusalGround,
    Remedy,
    ServedDocument,
    ServiceMethod,
    ServiceReceipt,
    mask_number,
    render_acceptance_notice,
    render_completion_notice,
    render_refusal_decision,
    render_service_receipt,
)
from ledger_node.papers.numerals import BEIJING
from ledger_node.seed import load_catalogue

FONTS: Final = Fonts(STATIC / FONT)
_FORMS: Final = {"A": "出具机关生成", "B": "原件核验", "C": "未核对原件", "D": "告知承诺"}


class CasePaper(StrEnum):
    """A paper of a case, by the step it belongs to."""

    ACCEPTANCE = "acceptance"  # 受理通知书
    COMPLETION = "completion"  # 一次性告知书
    REFUSAL = "refusal"  # 不予受理决定书
    SERVICE = "service"  # 送达回证


_AFTER: Final[Mapping[CasePaper, tuple[CaseEvent, ...]]] = {
    CasePaper.ACCEPTANCE: (CaseEvent.ACCEPT,),
    CasePaper.COMPLETION: (CaseEvent.ASK_COMPLETION,),
    CasePaper.REFUSAL: (CaseEvent.TURN_AWAY,),
    CasePaper.SERVICE: (
        CaseEvent.ACCEPT,
        CaseEvent.ASK_COMPLETION,
        CaseEvent.TURN_AWAY,
        CaseEvent.GRANT,
        CaseEvent.REFUSE,
    ),
}


class PaperNotDueError(MalformedInputError):
    """The case has not taken the step this paper tells of."""

    code = "paper_not_due"

    def __init__(self) -> None:
        super().__init__(
            "办件还没有走到这一步，不能出这份文书。请先在办件页办理这一步。",
            "The case has not come to the step this paper tells of; take that step first.",
        )


@dataclass(frozen=True, slots=True)
class PaperForm:
    """What the officer fills in.

    Attributes:
        office, outlet: As it signs, and where the window is.
        document_number: 文号; may be empty.
        day: An ISO date whose meaning the paper gives: due day, last day to complete or to hand
            in what may follow; None: none.
        ground, article, competent, review_body, court: Of the refusal.
        titles: Papers that are served, one a line.
        method, place: How and where they are served.
    """

    office: str
    outlet: str
    document_number: str
    day: date | None
    ground: str
    article: str
    competent: str
    review_body: str
    court: str
    titles: str
    method: str
    place: str


def list_due_papers(folder: CaseFolder) -> tuple[CasePaper, ...]:
    """Papers of the steps the case has taken."""
    return tuple(paper for paper in CasePaper if _find_step(folder, paper) is not None)


def build_case_paper(
    paper: CasePaper,
    case: Case,
    folder: CaseFolder,
    form: PaperForm,
    size: PaperSize,
    now: datetime,
) -> bytes:
    """The paper as PDF.

    Raises:
        PaperNotDueError: The case has not taken its step.
        PaperFactsError, PaperSizeNotOfferedError, GlyphMissingError: It cannot be made so.
    """
    step = _find_step(folder, paper)
    if step is None:
        raise PaperNotDueError
    builders = {
        CasePaper.ACCEPTANCE: _build_acceptance,
        CasePaper.COMPLETION: _build_completion,
        CasePaper.REFUSAL: _build_refusal,
        CasePaper.SERVICE: _build_service,
    }
    return builders[paper](case, folder, form, size, now)


def _find_step(folder: CaseFolder, paper: CasePaper) -> object | None:
    return next((step for event in _AFTER[paper] if (step := folder.find_step(event))), None)


def _build_acceptance(
    case: Case, folder: CaseFolder, form: PaperForm, size: PaperSize, now: datetime
) -> bytes:
    accepted = folder.find_step(CaseEvent.ACCEPT)
    assert accepted is not None
    day = form.day
    later = [each for each in folder.missing if each.later]
    notice = AcceptanceNotice(
        Office(form.office, outlet=form.outlet),
        form.document_number,
        _case_facts(case),
        _day(folder.received_at(case)),
        _day(accepted.at),
        tuple(_list_taken(each) for each in folder.taken),
        _day(accepted.at),
        now,
        deferred=tuple(DeferredMaterial(each.need.zh, day) for each in later if day is not None),
    )
    return render_acceptance_notice(notice, size, FONTS)


def _build_completion(
    case: Case, folder: CaseFolder, form: PaperForm, size: PaperSize, now: datetime
) -> bytes:
    asked = folder.find_step(CaseEvent.ASK_COMPLETION)
    assert asked is not None
    missing = [
        MissingMaterial(each.need.zh, "未提交", _name_remedy(each.need.any_of))
        for each in folder.missing
        if not each.later
    ]
    if asked.reason:
        missing.append(MissingMaterial("窗口说明", asked.reason, "按左列说明补正"))
    notice = CompletionNotice(
        Office(form.office, outlet=form.outlet),
        form.document_number,
        _case_facts(case),
        _day(folder.received_at(case)),
        tuple(missing),
        _day(asked.at),
        now,
        form.day,
        tuple(each.need.zh for each in folder.present),
    )
    return render_completion_notice(notice, size, FONTS)


def _build_refusal(
    case: Case, folder: CaseFolder, form: PaperForm, size: PaperSize, now: datetime
) -> bytes:
    turned = folder.find_step(CaseEvent.TURN_AWAY)
    assert turned is not None
    decision = RefusalDecision(
        Office(form.office, outlet=form.outlet),
        form.document_number,
        _case_facts(case),
        _day(folder.received_at(case)),
        RefusalGround(form.ground),
        turned.reason,
        Remedy(form.review_body, form.court),
        _day(turned.at),
        now,
        form.article,
        form.competent,
    )
    return render_refusal_decision(decision, size, FONTS)


def _build_service(
    case: Case, folder: CaseFolder, form: PaperForm, size: PaperSize, now: datetime
) -> bytes:
    del folder
    titles = [line.strip() for line in form.titles.splitlines() if line.strip()]
    receipt = ServiceReceipt(
        Office(form.office, outlet=form.outlet),
        form.document_number,
        _case_facts(case),
        case.draft.applicant.name,
        form.place or form.outlet or form.office,
        ServiceMethod(form.method),
        tuple(ServedDocument(title) for title in titles),
        now,
    )
    return render_service_receipt(receipt, size, FONTS)


def _case_facts(case: Case) -> CaseFacts:
    item = load_catalogue().items.get(case.draft.item)
    agent = case.draft.agent
    return CaseFacts(
        case.row.number,
        case.draft.item if item is None else item.zh,
        case.draft.item,
        _party(case.draft.applicant),
        "" if item is None else item.en,
        None if agent is None else _party(agent),
    )


def _party(person: Subject) -> Party:
    return Party(person.name, mask_number(person.number))


def _list_taken(taken: TakenMaterial) -> AcceptedMaterial:
    name = name_type(taken.type_code, "zh")
    if taken.city is not None:
        return AcceptedMaterial(name, "电子材料", f"{name_city(taken.city, 'zh')}共享")
    return AcceptedMaterial(name, _FORMS.get(taken.grade or "", ""), "本人提交")


def _name_remedy(types: tuple[str, ...]) -> str:
    names = "、".join(name_type(each, "zh") for each in types)
    return f"提交下列之一：{names}" if len(types) > 1 else f"提交{names}"


def _day(at: datetime) -> date:
    return at.astimezone(BEIJING).date()
