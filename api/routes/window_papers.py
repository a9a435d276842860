"""Registering a paper at the window, and what became of one.

The form names its fields as `flows/submission.py` does, so that a refusal marks the field it means.
Files pass through a spooled temporary file into the sealer; nothing of them is kept in clear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any, BinaryIO, Final, cast

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from api.access import Principal, allow
from api.deps import get_runtime
from api.pages.registration_slip import build_registration_slip
from api.pages.render import NO_STORE, fragment, page
from api.pages.window_view import mask
from api.routes.window import RUNS, clerk_of, field_problem, go_to, log_access
from ledger_node.core.access import Permission
from ledger_node.core.canonical import JsonValue
from ledger_node.core.errors import ConflictError, MalformedInputError
from ledger_node.core.statement_parts import Extent
from ledger_node.core.trail import TrailAction
from ledger_node.core.types import MaterialId
from ledger_node.flows.holdings import describe_paper
from ledger_node.flows.inspecting import inspect_document
from ledger_node.flows.intake import DocumentAlreadyRegisteredError, register
from ledger_node.flows.materials import load_material
from ledger_node.flows.node import Node
from ledger_node.flows.submission import (
    MAX_SUBJECTS,
    DocumentFile,
    EmptyDocumentError,
    MalformedSubmissionError,
    Subject,
    Submission,
)
from ledger_node.flows.window import Run, RunMovedError, add_paper, load_run
from ledger_node.papers import PaperSize
from ledger_node.ports.inspecting import DocumentInspector
from ledger_node.seed import load_catalogue
from ledger_node.wiring import Runtime

router = APIRouter(tags=["window"], include_in_schema=False)
Registrar = Annotated[Principal, allow(Permission.MATERIALS_REGISTER)]
Reader = Annotated[Principal, allow(Permission.MATERIALS_READ)]

ROLES: Final = (
    ("holder", "持有人", "Holder"),
    ("spouse", "配偶", "Spouse"),
    ("child", "子女", "Child"),
    ("parent", "父母", "Parent"),
    ("co-owner", "共有人", "Co-owner"),
    ("guardian", "监护人", "Guardian"),
    ("agent", "代办人", "Agent"),
    ("representative", "法定代表人", "Legal representative"),
    ("company", "企业", "Enterprise"),
)
SCHEMES: Final = (
    ("cn-resident-id", "居民身份证", "Resident identity card"),
    ("passport", "护照", "Passport"),
    ("cn-credit-code", "统一社会信用代码", "Credit code"),
)
GRADES: Final = (
    (
        "A",
        "机关直接提供",
        "From the authority",
        "制发机关直接给出或本市系统生成，可直接使用。",
        "Given by the issuing authority itself; can be used at once.",
    ),
    (
        "B",
        "当面核对了原件",
        "Original seen",
        "您看过原件，与交来的一致；以后各城都可直接使用。",
        "You compared it with the original; every city can use it.",
    ),
    (
        "C",
        "只有复印件或照片",
        "Copy only",
        "没看到原件。先存着，看过原件之前不作依据。",
        "The original was not seen; kept, but not relied on until it is.",
    ),
    (
        "D",
        "本人承诺",
        "Own promise",
        "本人写的说明或承诺，按告知承诺办理。",
        "Written by the person, under a promise.",
    ),
)
_RUN_ID = re.compile(r"[0-9a-f-]{36}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,62}/[a-z0-9][a-z0-9.+-]{0,62}")


@router.get(f"{RUNS}/{{run_id}}/papers/new", response_class=HTMLResponse)
def read_paper_form(
    request: Request, principal: Registrar, run_id: str, type: str = ""
) -> Response:
    """The empty form."""
    run = load_run(get_runtime(request).node, run_id, principal.account_id)
    context = {
        "run": run,
        "visit": run.visit,
        "person_number": mask(run.visit.person.number),
        "types": load_catalogue().types.values(),
        "chosen": type if type in load_catalogue().types else "",
        "roles": ROLES,
        "schemes": SCHEMES,
        "grades": GRADES,
        "officer": clerk_of(principal).officer,
        "device": _device_of(principal, run),
    }
    return page(request, principal, "window/paper_form.html", context)


@router.post(f"{RUNS}/{{run_id}}/papers", response_class=HTMLResponse)
async def register_paper(request: Request, principal: Registrar, run_id: str) -> Response:
    """Register the paper; a refusal marks the field it means and keeps the form."""
    form = await request.form(max_files=1000, max_fields=4000)
    try:
        return await run_in_threadpool(_register, request, principal, run_id, form)
    finally:
        await form.close()


@router.get("/window/papers/{material_id}", response_class=HTMLResponse)
def read_paper(request: Request, principal: Reader, material_id: str, visit: str = "") -> Response:
    """A paper this city holds: what was registered, whether it is recorded, its slip."""
    node = get_runtime(request).node
    opened = load_material(node, MaterialId(material_id))
    with node.database.transaction() as tx:
        paper = describe_paper(node, tx, opened.stored)
        tx.trail.log_access(
            node.clock.now(), principal.account_id, TrailAction.READ, "material", material_id
        )
    context = {
        "paper": paper,
        "values": opened.values.values,
        "parts": opened.parts,
        "type": load_catalogue().types.get(opened.stored.row.type_code),
        "subjects": [
            (each.get("role"), each.get("name"), mask(str(each.get("number", ""))))
            for each in _subjects_of(opened.values.values)
        ],
        "roles": {code: (zh, en) for code, zh, en in ROLES},
        "visit_id": visit if _RUN_ID.fullmatch(visit) else "",
        "grade": next(each for each in GRADES if each[0] == opened.stored.row.grade),
    }
    return page(request, principal, "window/paper.html", context)


@router.post("/window/papers/{material_id}/slip")
def print_slip(
    request: Request, principal: Reader, material_id: str, size: Annotated[str, Form()] = "a4"
) -> Response:
    """The slip of a registered paper as a PDF to print."""
    runtime = get_runtime(request)
    node = runtime.node
    opened = load_material(node, MaterialId(material_id))
    with node.database.transaction() as tx:
        paper = describe_paper(node, tx, opened.stored)
        tx.trail.log_access(
            node.clock.now(), principal.account_id, TrailAction.PRINT, "material", material_id
        )
    chosen = PaperSize.THERMAL_80 if size == PaperSize.THERMAL_80 else PaperSize.A4
    pdf = build_registration_slip(runtime, paper, opened.values.values, chosen)
    disposition = {"Content-Disposition": 'inline; filename="registration.pdf"'}
    return Response(pdf, media_type="application/pdf", headers={**NO_STORE, **disposition})


@router.get("/window/papers/{material_id}/state", response_class=HTMLResponse)
def read_paper_state(request: Request, principal: Reader, material_id: str) -> Response:
    """存证中 or 已存证; asked for again until it is recorded."""
    node = get_runtime(request).node
    with node.database.read() as tx:
        paper = describe_paper(node, tx, tx.intake.load_material(MaterialId(material_id)))
    return fragment(request, principal, "window/paper_state_live.html", {"paper": paper})


def _register(request: Request, principal: Principal, run_id: str, form: FormData) -> Response:
    runtime = get_runtime(request)
    run = load_run(runtime.node, run_id, principal.account_id)
    try:
        if _text(form, "revision") != str(run.row.revision):
            raise RunMovedError
        submission = _read_submission(runtime, principal, run, form)
        registered = register(runtime.node, runtime.queue, submission)
    except (MalformedInputError, DocumentAlreadyRegisteredError, RunMovedError) as error:
        return field_problem(request, _named(error), "window/paper_problem.html")
    add_paper(runtime.node, run, registered.material_id)
    log_access(request, principal, TrailAction.REGISTER, run_id)
    return go_to(request, f"/window/papers/{registered.material_id}?visit={run_id}")


def _named(error: MalformedInputError | ConflictError) -> MalformedInputError | ConflictError:
    """The error with the name of a field of the form."""
    known = {
        "subjects": "subjects.0.role",
        "documents": "document-input",
        "type_code": "type-search",
    }
    name = str(error.fields.get("field", ""))
    if isinstance(error, DocumentAlreadyRegisteredError):
        name = "number"
    error.fields["field"] = known.get(name, name)
    return error


def _read_submission(
    runtime: Runtime, principal: Principal, run: Run, form: FormData
) -> Submission:
    node = runtime.node
    subjects = _read_subjects(run, form)
    grade = _text(form, "grade")
    documents = _read_documents(form, runtime.inspector)
    return Submission(
        type_code=_text(form, "type_code"),
        subjects=subjects,
        grade=grade,
        documents=documents,
        issuer=_read_issuer(form),
        number=_text(form, "number") or None,
        issued_on=_text(form, "issued_on") or None,
        valid_from=_text(form, "valid_from") or None,
        valid_until=_text(form, "valid_until") or None,
        original_check=_read_check(node, principal, run, form) if grade == "B" else None,
        predecessor=MaterialId(_text(form, "predecessor")) if form.get("predecessor") else None,
    )


def _read_subjects(run: Run, form: FormData) -> tuple[Subject, ...]:
    person = run.visit.person
    first = Subject(_text(form, "subjects.0.role"), person.scheme, person.number, person.name)
    others = []
    for index in range(1, MAX_SUBJECTS + 1):
        prefix = f"subjects.{index}"
        if f"{prefix}.role" not in form:
            break
        parts = (_text(form, f"{prefix}.{name}") for name in ("role", "scheme", "number", "name"))
        others.append(Subject(*parts))
    return (first, *others)


def _read_documents(form: FormData, inspector: DocumentInspector) -> tuple[DocumentFile, ...]:
    uploads = [
        each for each in form.getlist("document") if isinstance(each, UploadFile) and each.filename
    ]
    return tuple(_read_document(form, index, each, inspector) for index, each in enumerate(uploads))


def _read_document(
    form: FormData, index: int, upload: UploadFile, inspector: DocumentInspector
) -> DocumentFile:
    concerns = tuple(
        sorted(
            {
                int(str(who))
                for who in form.getlist(f"document.{index}.concerns")
                if str(who).isdecimal()
            }
        )
    )
    extent = _text(form, f"document.{index}.extent") or Extent.COMPLETE.value
    media_type = (upload.content_type or "").partition(";")[0].strip().lower()
    if extent not in set(Extent):
        raise MalformedSubmissionError(f"document.{index}", "须为完整或节录", "complete or extract")

    def open_source() -> BinaryIO:
        upload.file.seek(0)
        return cast(BinaryIO, _Unclosed(upload.file))

    known = media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"
    if upload.size == 0:
        raise EmptyDocumentError(index)
    found = inspect_document(inspector, upload.file, known)
    return DocumentFile(open_source, found.media_type, None, Extent(extent), concerns)


class _Unclosed:
    """The form's temporary file; whoever reads it does not end it."""

    def __init__(self, file: Any) -> None:
        self.read = file.read

    def __enter__(self) -> _Unclosed:
        return self

    def __exit__(self, *_: object) -> None:
        """The form closes its files."""


def _read_issuer(form: FormData) -> Mapping[str, str] | None:
    code, name = _text(form, "issuer.code"), _text(form, "issuer.name")
    return {"code": code, "name": name} if code or name else None


def _read_check(
    node: Node, principal: Principal, run: Run, form: FormData
) -> Mapping[str, JsonValue]:
    """Who compared the original, where, when; only the number of pages comes from the form."""
    pages = _text(form, "pages")
    if not pages.isdecimal() or not 0 < int(pages) <= 10_000:
        raise MalformedSubmissionError("pages", "请填写核对的页数", "how many pages were compared")
    return {
        "officer": clerk_of(principal).officer,
        "device": _device_of(principal, run),
        "checked_at": node.clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "pages": int(pages),
    }


def _device_of(principal: Principal, run: Run) -> str:
    """Where the original was seen: the window, and the reader there if one read the card."""
    place = "/".join(each for each in (principal.outlet, principal.window) if each) or "window"
    return f"{place} {run.visit.device}".strip() if run.visit.device else place


def _subjects_of(values: Mapping[str, JsonValue]) -> list[dict[str, JsonValue]]:
    subjects = values.get("subjects")
    return (
        [each for each in subjects if isinstance(each, dict)] if isinstance(subjects, list) else []
    )


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
