"""What the window's templates show of a run: states in plain words, verdicts, papers, needs.

No rule is decided here; the flows say what is so, this says it to a clerk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from api.access import Principal
from ledger_node.core.access import Permission
from ledger_node.core.canonical import JsonValue
from ledger_node.core.errors import LedgerError, UnavailableError
from ledger_node.core.refusal import Refusal, build_refusal_error
from ledger_node.core.reuse import (
    PURSUED,
    WAITED_FOR,
    Choice,
    RunState,
    StepState,
)
from ledger_node.core.types import MaterialId
from ledger_node.core.verdict import LineState, Question
from ledger_node.flows.case_review import is_waiting
from ledger_node.flows.deciding import judge_run, list_decisions
from ledger_node.flows.holdings import HeldPaper, describe_paper, list_held_papers, list_needs
from ledger_node.flows.home_consents import list_home_consents
from ledger_node.flows.judging import JudgedMaterial
from ledger_node.flows.node import Node
from ledger_node.flows.window import Run, list_conditions, open_visit
from ledger_node.ports.database_reuse import StepRow
from ledger_node.seed import load_catalogue

QUESTIONS: Final[Mapping[Question, tuple[str, str]]] = {
    Question.UNCHANGED: ("内容未改动", "Unchanged"),
    Question.ISSUER_ENTITLED: ("来源有资格", "Issuer entitled"),
    Question.VALID_AS_OF: ("现在有效", "Valid now"),
    Question.RIGHT_PERSON: ("是本人的", "Right person"),
}
STEP_WORDS: Final[Mapping[StepState, tuple[str, str, str]]] = {
    StepState.CONSENTED: ("正在联系", "Contacting", "wait"),
    StepState.ASKING: ("正在查询有没有所需材料", "Asking what it has", "wait"),
    StepState.FOUND: ("查到了，正在登记授权", "Found; recording the consent", "wait"),
    StepState.RECORDING: ("授权登记中", "Consent is being recorded", "wait"),
    StepState.REQUESTED: ("授权已登记，正在调取并核对", "Recorded; fetching and checking", "wait"),
    StepState.ARRIVED: ("已取到", "Arrived", "good"),
    StepState.DECIDING: ("正在归档采信凭证", "Filing the receipt", "wait"),
    StepState.DECIDED: ("已决定", "Decided", "good"),
    StepState.EMPTY: ("没有所需材料", "Has none of it", "plain"),
    StepState.SILENT: ("没有回应", "Did not answer", "bad"),
    StepState.LATE: ("超过五分钟还没取到，取到后会补上", "Over five minutes; still trying", "wait"),
    StepState.REFUSED: ("不能提供", "Refused", "bad"),
}
CHOICE_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    Choice.RELIED: ("已采信", "Relied on", "good"),
    Choice.OVERRIDDEN: ("未通过核对，凭理由使用", "Used against the verdict", "bad"),
    Choice.DECLINED: ("已通过核对，凭理由不用", "Not used, against the verdict", "wait"),
    Choice.REJECTED: ("未采信", "Not relied on", "plain"),
}
FIELD_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "number": ("证件号", "number"),
    "issued_on": ("签发日期", "date of issue"),
    "valid_from": ("有效期自", "valid from"),
    "valid_until": ("有效期至", "valid until"),
    "issuer.name": ("制发机关", "issued by"),
    "issuer.code": ("机关信用代码", "credit code of the issuer"),
    "pages": ("核对页数", "pages compared"),
    "type_code": ("材料种类", "type of paper"),
    "documents": ("扫描件", "files"),
    "subjects": ("材料上的人", "persons on it"),
    "role": ("身份", "role"),
    "scheme": ("证件种类", "kind of document"),
    "name": ("姓名", "name"),
}
_FIELD_NAMED: Final = re.compile("“([a-z0-9_.]{1,60})”")
_PLAIN_ZH: Final = (
    ("与链上锚定的登记一致", "与存证时的登记一致"),
    ("手头没有链上数据可以确认", "目前还没有存证记录可以确认"),
    ("上链锚定", "存证"),
    ("链上锚定", "存证"),
    ("锚定", "存证"),
    ("链上时间", "存证时间"),
    ("链上没有", "存证记录里没有"),
    ("与链上", "与存证记录"),
    ("链上", "存证记录"),
    ("日志头", "存证批次"),
    ("日志条目", "存证条目"),
    ("合约", "规则"),
    ("区块", "存证时点"),
    ("密钥", "签章"),
)
_PLAIN_EN: Final = (
    ("registered and anchored", "registered and recorded"),
    ("on chain", "on record"),
    ("no chain facts", "no records"),
    ("The chain", "The record"),
    ("the chain", "the record"),
    ("anchored", "recorded"),
    ("anchors", "records"),
    ("anchor", "recording"),
    ("head", "batch"),
    ("block", "moment"),
)
_OWN_PROBLEMS: Final[Mapping[str, tuple[str, str]]] = {
    "grant_not_recorded": (
        "授权没有登记成功。可以请市民重新签字。",
        "The consent could not be recorded; the person can sign again.",
    ),
    "not_available": (
        "对方没有可以提供的这份材料。",
        "The other city has no such material to give.",
    ),
    "material_not_reliable": (
        "材料在决定前被撤回或替代，请重新决定。",
        "The material was withdrawn or superseded before the decision; decide again.",
    ),
    "receipt_does_not_hold": (
        "归档前复核没有通过，请重新决定。",
        "The check before filing failed; decide again.",
    ),
    "officer_not_entitled": (
        "您的账号不能作采信决定，请主管或审批员办理。",
        "Your account may not decide; ask a reviewer.",
    ),
}


def list_open_runs(node: Node, account_id: str) -> list[dict[str, Any]]:
    """Visits of this account that are not over, newest first."""
    states = (RunState.OPEN, RunState.ASKED, RunState.RUNNING, RunState.READY)
    with node.database.read() as tx:
        rows = tx.reuse.list_runs(account_id, states)
    catalogue = load_catalogue()
    shown = []
    for row in rows:
        visit = open_visit(node, row)
        item = catalogue.items.get(visit.item or "")
        shown.append({"row": row, "name": visit.person.name, "item": item, "case": visit.case})
    return shown


def list_services() -> list[Any]:
    """All items of the catalogue, in its order."""
    return list(load_catalogue().items.values())


def run_tag(run: Run) -> str:
    """Changes whenever something a clerk sees has changed."""
    moved = max([run.row.updated_at, *(step.updated_at for step in run.steps)])
    return f"{run.row.revision}-{int(moved.timestamp() * 1e6)}"


def build_run_view(node: Node, run: Run, principal: Principal) -> dict[str, Any]:
    """Everything the page of a run shows."""
    catalogue = load_catalogue()
    visit = run.visit
    held = list_held_papers(node, visit.person)
    item = None if visit.item is None else catalogue.get_item(visit.item)
    materials = _judge(node, run, principal)
    waiting = run.state in (RunState.ASKED, RunState.RUNNING) or any(
        step.state in (StepState.DECIDING, StepState.LATE) for step in run.steps
    )
    return {
        "run": run,
        "visit": visit,
        "state": run.state.value,
        "tag": run_tag(run),
        "live": waiting and run.state not in (RunState.CLOSED, RunState.ABANDONED),
        "person_number": mask(visit.person.number),
        "agent_number": mask(visit.agent.number) if visit.agent else "",
        "item": item,
        "services": list_services() if item is None else [],
        "picking": item is None,
        "questions": [
            (code, catalogue.conditions[code], code in visit.conditions)
            for code in (() if item is None else list_conditions(item))
        ],
        "needs": list_needs(node, catalogue, visit, run.steps, held),
        "home": list_home_consents(node, run, catalogue),
        "types": catalogue.types,
        "steps": [_show_step(step) for step in run.steps],
        "waited": sum(step.state in WAITED_FOR for step in run.steps),
        "held": held,
        "papers": _list_papers(node, visit.papers),
        "undecided": any(step.state == StepState.ARRIVED for step in run.steps),
        "pursued": any(step.state in PURSUED for step in run.steps),
        "review_waiting": is_waiting(node, run.row.case_id),
        "may_decide": principal.may(Permission.DECISIONS_MAKE),
        **materials,
    }


def mask(number: str) -> str:
    """A number as it may stand on a screen others can see."""
    return number if len(number) < 9 else f"{number[:4]}{'•' * (len(number) - 8)}{number[-4:]}"


def plain(zh: str, en: str) -> tuple[str, str]:
    """A sentence of the ledger in the words of a window: 存证 instead of chain words."""
    for word, instead in _PLAIN_ZH:
        zh = zh.replace(word, instead)
    for word, instead in _PLAIN_EN:
        en = en.replace(word, instead)
    return zh, en


def say_refusal(error: LedgerError) -> tuple[str, str]:
    """What is wrong with a field, in the words of a window."""
    if error.code == "malformed_identifier":
        return (
            "证件号不对：位数或校验码不符，请照证件再核对一遍。",
            "This is no such number: its length or check digit is wrong; compare it again.",
        )
    if error.code == "document_already_registered":
        return (
            "这个证件号已经登记过。",
            "A paper with this number is registered already.",
        )
    return _name_field(*plain(error.message_zh, error.message_en))


def _name_field(zh: str, en: str) -> tuple[str, str]:
    """A refusal of the registration, with the field named as the form names it."""
    named = _FIELD_NAMED.match(zh)
    if named is None:
        return zh, en
    name, part = named.group(1), named.group(1).rpartition(".")[2]
    words = FIELD_WORDS.get(name) or FIELD_WORDS.get(part) or (name, name)
    return zh.replace(f"“{name}”", f"“{words[0]}”"), en.replace(f"{name}:", f"{words[1]}:")


def say_problem(code: str | None) -> tuple[str, str] | None:
    """Why a step ended or waits, in plain words."""
    if code is None:
        return None
    if code in _OWN_PROBLEMS:
        return _OWN_PROBLEMS[code]
    for refusal in Refusal:
        error = build_refusal_error(refusal)
        if error.code == code:
            return plain(error.message_zh, error.message_en)
    return f"原因代码：{code}。", f"Reason: {code}."


def _show_step(step: StepRow) -> dict[str, Any]:
    zh, en, kind = STEP_WORDS[StepState(step.state)]
    if step.state == StepState.DECIDED and step.receipt_id is None:
        zh, en, kind = "已决定，没有采信", "Decided; nothing relied on", "plain"
    return {
        "row": step,
        "city": step.city,
        "words": (zh, en),
        "kind": kind,
        "problem": say_problem(step.problem_code),
        "waiting": step.state in WAITED_FOR,
        "silent": step.state == StepState.SILENT,
    }


def _judge(node: Node, run: Run, principal: Principal) -> dict[str, Any]:
    """Materials that came, with verdicts; what cannot be judged now says why."""
    officer = principal.officer or ""
    try:
        judged = judge_run(node, run, officer) if _has_arrived(run) else ()
        problem = None
    except LedgerError as error:
        judged, problem = (), error
        if not isinstance(error, UnavailableError) and not _is_ours(error):
            raise
    decisions = list_decisions(node, run) if judged else {}
    shown = [_show_material(each, decisions.get(each.commitment)) for each in judged]
    return {
        "materials": shown,
        "judging_problem": problem,
        "all_hold": bool(shown) and all(each["state"] == "holds" for each in shown),
        "first_as_of": judged[0].as_of_s if judged else None,
    }


def _is_ours(error: LedgerError) -> bool:
    return error.code in ("officer_not_entitled",)


def _has_arrived(run: Run) -> bool:
    came = (StepState.ARRIVED, StepState.DECIDING, StepState.DECIDED)
    return any(step.state in came for step in run.steps)


def _show_material(judged: JudgedMaterial, decision: Any) -> dict[str, Any]:
    lines = [
        (line.state.value, QUESTIONS[line.question], plain(line.sentence_zh, line.sentence_en))
        for line in judged.lines
    ]
    against = next((line for line in judged.lines if line.state is not LineState.HOLDS), None)
    row, reason = decision or (None, "")
    return {
        "id": judged.commitment.hex(),
        "city": judged.city,
        "type": load_catalogue().types.get(judged.type_code),
        "type_code": judged.type_code,
        "state": judged.state.value,
        "lines": lines,
        "against": None if against is None else plain(against.sentence_zh, against.sentence_en),
        "values": _list_values(judged.values),
        "grade": judged.values.get("grade"),
        "documents": judged.documents,
        "as_of": judged.as_of_s,
        "decision": row,
        "choice": None if row is None else CHOICE_WORDS[row.choice],
        "reason": reason,
    }


def _list_values(values: Mapping[str, JsonValue]) -> list[tuple[str, str, str, bool]]:
    """(Chinese name, English name, value, whether it is a day) of what fills the form."""
    issuer = values.get("issuer")
    subjects = values.get("subjects")
    names = (
        "、".join(str(each.get("name", "")) for each in subjects if isinstance(each, dict))
        if isinstance(subjects, list)
        else ""
    )
    rows = (
        ("持有人", "Holder", names, False),
        ("证件号", "Number", values.get("number"), False),
        ("制发机关", "Issued by", issuer.get("name") if isinstance(issuer, dict) else None, False),
        ("签发日期", "Issued on", values.get("issued_on"), True),
        ("有效期自", "Valid from", values.get("valid_from"), True),
        ("有效期至", "Valid until", values.get("valid_until"), True),
    )
    return [(zh, en, str(value), is_day) for zh, en, value, is_day in rows if value]


def _list_papers(node: Node, ids: tuple[str, ...]) -> list[HeldPaper]:
    """Papers registered during the visit, in order."""
    with node.database.read() as tx:
        stored = tx.intake.load_materials([MaterialId(each) for each in ids])
        return [describe_paper(node, tx, each) for each in stored]
