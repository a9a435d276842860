"""Every paper as who gets it sees it: what stands on it, inside the page, readable by a machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
import zxingcpp

from ledger_node.core.verdict import LineState
from ledger_node.papers import (
    ConsentSlip,
    Fonts,
    FontUnreadableError,
    GlyphMissingError,
    PaperFactsError,
    PaperSize,
    PaperSizeNotOfferedError,
    Party,
    QrContentError,
    RefusalDecision,
    RegistrationSlip,
    VerificationCertificate,
    mask_number,
    render_acceptance_notice,
    render_completion_notice,
    render_consent_slip,
    render_refusal_decision,
    render_registration_slip,
    render_service_receipt,
    render_verification_certificate,
)
from tests.support.papers import (
    FONTS,
    LONG_NAME,
    RARE,
    build_acceptance,
    build_certificate,
    build_completion,
    build_consent,
    build_refusal,
    build_registration,
    build_service,
    list_samples,
)
from tests.support.pdf import read_pdf, squeeze

A4, ROLL = PaperSize.A4, PaperSize.THERMAL_80
SAMPLES = list_samples()
POINT_MM = 25.4 / 72
# What is shown in other words, or only in the QR code.
UNSHOWN = {"qr_text", "question", "error", "sentence_en", "receipt_kind"}
# What a paper leaves out of the case and the office, because it does not belong on it.
LEFT_OUT = {
    "completion": {"item_name_en"},
    "refusal": {"item_name_en"},
    "service": {
        "address",
        "phone",
        "applicant",
        "agent",
        "agent_role",
        "item_code",
        "item_name_en",
    },
    "consent": {"agent", "agent_role", "item_code", "item_name_en"},
    "registration": {"verify_url"},
}
SHOWN: dict[str, tuple[Any, Callable[..., bytes]]] = {
    "acceptance": (build_acceptance(), render_acceptance_notice),
    "completion": (build_completion(), render_completion_notice),
    "refusal": (build_refusal(), render_refusal_decision),
    "service": (build_service(), render_service_receipt),
    "consent": (build_consent(), render_consent_slip),
    "certificate": (build_certificate(), render_verification_certificate),
    "registration": (build_registration(), render_registration_slip),
}
A4_ONLY = {"refusal", "service"}
PRINTED = [
    (name, size) for name in SHOWN for size in (A4, ROLL) if size is A4 or name not in A4_ONLY
]
QR = {
    "acceptance-a4": build_acceptance().progress_url,
    "acceptance-80mm": build_acceptance().progress_url,
    "consent-a4": build_consent().qr_text,
    "consent-80mm": build_consent().qr_text,
    "certificate-a4": build_certificate().verify_url,
    "certificate-80mm": build_certificate().verify_url,
    "registration-80mm": build_registration().verify_url,
}


@cache
def draw(sample: str) -> bytes:
    return SAMPLES[sample]()


def list_texts(value: Any, unshown: set[str], name: str = "") -> Iterator[str]:
    """Every text among the facts, by the dataclasses themselves."""
    if name in unshown or value is None or isinstance(value, (Path, date, datetime, bytes)):
        return
    if is_dataclass(value):
        for each in fields(value):
            yield from list_texts(getattr(value, each.name), unshown, each.name)
    elif isinstance(value, tuple):
        for part in value:
            yield from list_texts(part, unshown)
    elif isinstance(value, str) and not isinstance(value, Enum):
        yield value


@pytest.mark.parametrize(("paper", "size"), PRINTED)
def test_paper_shows_every_fact_it_was_given(paper: str, size: PaperSize) -> None:
    facts, _ = SHOWN[paper]
    shown = read_pdf(draw(f"{paper}-{size.value}"))
    given = list_texts(facts, UNSHOWN | LEFT_OUT.get(paper, set()))
    missing = [each for each in given if squeeze(each) not in shown]
    assert not missing


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_text_stays_inside_the_page(sample: str) -> None:
    document = pdfium.PdfDocument(draw(sample))
    for page in document:
        width, height = page.get_size()
        if sample.endswith("80mm"):
            assert width == pytest.approx(80 / POINT_MM, abs=0.1)
        else:
            assert (width, height) == pytest.approx((210 / POINT_MM, 297 / POINT_MM), abs=0.1)
        text = page.get_textpage()
        boxes = [text.get_charbox(place) for place in range(text.count_chars())]
        assert min(box[0] for box in boxes) > 0
        assert min(box[1] for box in boxes) > 0
        assert max(box[2] for box in boxes) < width
        assert max(box[3] for box in boxes) < height
    document.close()


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_font_is_in_the_file_and_no_other_is_asked_for(sample: str) -> None:
    pdf = draw(sample)
    assert pdf.count(b"/FontFile2") == 1
    names = set(re.findall(rb"/BaseFont /([^\s/]+)", pdf))
    assert names
    assert all(re.fullmatch(rb"[A-Z]{6}\+.*", name) for name in names), "a subset of one font"


@pytest.mark.parametrize("sample", sorted(QR))
def test_qr_code_as_printed_reads_as_it_was_given(sample: str) -> None:
    document = pdfium.PdfDocument(draw(sample))
    found = [
        code.text
        for page in document
        for code in zxingcpp.read_barcodes(page.render(scale=3, grayscale=True).to_pil())
    ]
    document.close()
    assert found == [QR[sample]]


def test_separator_sheets_read_one_code_a_page() -> None:
    document = pdfium.PdfDocument(draw("separators-a4"))
    codes = [
        [each.text for each in zxingcpp.read_barcodes(page.render(scale=2).to_pil())]
        for page in document
    ]
    document.close()
    assert [len(each) for each in codes] == [1, 1]
    assert "marriage-certificate" in codes[0][0]
    assert "household-register" in codes[1][0]


@pytest.mark.parametrize("sample", ["consent-80mm"])
def test_same_facts_make_the_same_bytes(sample: str) -> None:
    assert SAMPLES[sample]() == draw(sample)


def test_facts_about_the_file_name_nobody() -> None:
    for sample in SAMPLES:
        document = pdfium.PdfDocument(draw(sample))
        about = " ".join(document.get_metadata_dict().values())
        document.close()
        for private in (RARE, LONG_NAME, "4321", "510107-2026"):
            assert private not in about


def test_long_lists_go_on_over_numbered_pages() -> None:
    document = pdfium.PdfDocument(draw("acceptance-many-a4"))
    texts = [squeeze(page.get_textpage().get_text_range()) for page in document]
    document.close()
    assert len(texts) > 2
    for place, text in enumerate(texts, 1):
        assert re.search(rf"{place}[/／]{len(texts)}|第{place}页", text), text[-80:]
        if "结婚证（第" in text or place < len(texts):
            assert "材料名称" in text, "the head of the table stands on each page"


def test_roll_is_one_page_as_long_as_its_content() -> None:
    short = replace(build_consent(1), revocation_code="", qr_text="")
    lengths = []
    for pdf in (render_consent_slip(short, ROLL, FONTS), draw("consent-80mm")):
        document = pdfium.PdfDocument(pdf)
        assert len(document) == 1
        lengths.append(document[0].get_height())
        document.close()
    assert lengths == sorted(set(lengths))


@pytest.mark.parametrize("rare", ["\U0002b740\U0003106c", "\u200b", "😀"])
def test_character_the_font_lacks_is_refused_and_named(rare: str) -> None:
    notice = build_acceptance()
    case = replace(notice.case, applicant=Party(f"王{rare}"))
    with pytest.raises(GlyphMissingError) as refused:
        render_acceptance_notice(replace(notice, case=case), A4, FONTS)
    assert refused.value.fields["characters"].startswith("U+")


def test_rare_characters_of_names_are_printed() -> None:
    assert RARE in read_pdf(draw("acceptance-a4"))


def test_font_that_is_none_is_refused(tmp_path: Path) -> None:
    for name, content in (("missing.ttf", None), ("text.ttf", b"no font at all")):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(FontUnreadableError):
            render_acceptance_notice(build_acceptance(), A4, Fonts(path))


def test_consent_code_whole_in_the_qr_code_is_refused() -> None:
    slip = build_consent()
    for text in (f"tongban:{slip.revocation_code}", "x" + slip.revocation_code.replace("-", "")):
        with pytest.raises(QrContentError):
            render_consent_slip(replace(slip, qr_text=text), A4, FONTS)


def test_number_or_name_in_a_qr_code_is_refused() -> None:
    notice = build_acceptance()
    number = notice.case.applicant.number
    with pytest.raises(QrContentError):
        render_acceptance_notice(replace(notice, progress_url=f"https://a/{number}"), A4, FONTS)
    slip: RegistrationSlip = replace(build_registration(), verify_url="https://a/J5107****0042")
    with pytest.raises(QrContentError):
        render_registration_slip(slip, A4, FONTS)


@pytest.mark.parametrize("name", sorted(A4_ONLY))
def test_papers_that_are_filed_are_not_made_on_a_roll(name: str) -> None:
    facts, render = SHOWN[name]
    with pytest.raises(PaperSizeNotOfferedError):
        render(facts, ROLL, FONTS)


def change(facts: Any, **values: Any) -> Any:
    return replace(facts, **values)


@pytest.mark.parametrize(
    ("facts", "render"),
    [
        (change(build_completion(), missing=()), render_completion_notice),
        (change(build_refusal(), reason=" "), render_refusal_decision),
        (change(build_refusal(), competent_office=""), render_refusal_decision),
        (
            change(build_refusal(), remedy=replace(build_refusal().remedy, court="")),
            render_refusal_decision,
        ),
        (change(build_service(), documents=()), render_service_receipt),
        (change(build_consent(), lines=()), render_consent_slip),
        (change(build_registration(), subjects=()), render_registration_slip),
        (change(build_registration(), grade="E"), render_registration_slip),
        (change(build_certificate(), lines=()), render_verification_certificate),
        (
            change(build_certificate(), lines=build_certificate().lines[::-1]),
            render_verification_certificate,
        ),
    ],
)
def test_facts_that_make_no_paper_are_refused(facts: Any, render: Callable[..., bytes]) -> None:
    with pytest.raises(PaperFactsError):
        render(facts, A4, FONTS)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (LineState.HOLDS, "核验通过"),
        (LineState.PENDING, "尚待确认"),
        (LineState.FAILS, "核验未通过"),
    ],
)
def test_certificate_says_the_worst_of_its_lines(state: LineState, word: str) -> None:
    certificate: VerificationCertificate = build_certificate(state)
    assert word in read_pdf(render_verification_certificate(certificate, A4, FONTS))


def test_signature_line_or_picture_but_never_both() -> None:
    slip: ConsentSlip = build_consent()
    assert "本人签名" in read_pdf(render_consent_slip(slip, A4, FONTS))
    bare = replace(slip, signature_line=False)
    assert "本人签名" not in read_pdf(render_consent_slip(bare, A4, FONTS))


def test_refusal_names_review_and_court() -> None:
    decision: RefusalDecision = build_refusal()
    shown = read_pdf(render_refusal_decision(decision, A4, FONTS))
    assert "60日内向成都市武侯区人民政府申请行政复议" in shown
    assert "6个月内依法向成都铁路运输第一法院提起行政诉讼" in shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [("510107199003070049", "5101**********0049"), ("12345678", "********"), ("", "")],
)
def test_mask_number_keeps_four_at_each_end(number: str, shown: str) -> None:
    assert mask_number(number) == shown
