"""Values longer than their place: they go on inside the page, nothing is lost at its edge."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2 as pdfium
import pytest

from ledger_node.papers import (
    PaperSize,
    PaperSizeNotOfferedError,
    render_acceptance_notice,
    render_completion_notice,
    render_service_receipt,
)
from tests.support.papers import (
    FONTS,
    LONG_NAME,
    build_acceptance,
    build_completion,
    build_service,
)

A4, ROLL = PaperSize.A4, PaperSize.THERMAL_80
LONG = "材料内容与申请事项不一致，" * 60


def _read(pdf: bytes) -> str:
    document = pdfium.PdfDocument(pdf)
    try:
        texts = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return "".join("".join(texts).split())


def build_long(kind: str) -> bytes:
    notice, receipt = build_completion(), build_service()
    if kind == "row":
        missing = (replace(notice.missing[0], remedy=LONG), *notice.missing[1:])
        return render_completion_notice(replace(notice, missing=missing), A4, FONTS)
    if kind == "office":
        office = replace(notice.office, name="某某自治县人民政府政务服务和数据管理局" * 3)
        return render_completion_notice(replace(notice, office=office), A4, FONTS)
    if kind == "server":
        return render_service_receipt(replace(receipt, servers=(LONG_NAME * 3,)), A4, FONTS)
    case = replace(notice.case, number="X1" * 60)
    return render_completion_notice(replace(notice, case=case), A4, FONTS)


@pytest.mark.parametrize("kind", ["row", "office", "server", "number"])
def test_value_too_long_for_its_place_goes_on_inside_the_page(kind: str) -> None:
    pdf = build_long(kind)
    document = pdfium.PdfDocument(pdf)
    for page in document:
        width, height = page.get_size()
        text = page.get_textpage()
        for place in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(place)
            assert left >= 0 <= bottom
            assert right <= width
            assert top <= height
    document.close()
    if kind == "row":
        shown = _read(pdf)
        assert shown.count("材料内容与申请事项不一致") >= 50, "cut only where pages end"


def test_list_longer_than_a_roll_is_refused() -> None:
    with pytest.raises(PaperSizeNotOfferedError):
        render_acceptance_notice(build_acceptance(400), ROLL, FONTS)
