"""`tongban verify`: a receipt judged offline, from the file and a trust file alone.

Imports the core only: no database, chain or server library, so that the check starts at once and
an auditor can read all of what it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_node.cli.inputs import digest_file, read_input
from ledger_node.cli.output import DOES_NOT_HOLD, HOLDS, JsonOption, command, print_result

if TYPE_CHECKING:
    from ledger_node.core.trust import Trust
    from ledger_node.core.verdict import Verdict

_MARKS = {"holds": "✓", "fails": "✗", "pending": "…", "not_stated": "–"}
_TITLES = {
    "unchanged": ("未被改动", "unchanged"),
    "issuer_entitled": ("出具方有权", "issuer entitled"),
    "valid_as_of": ("时点有效", "valid as of"),
    "right_person": ("当事人相符", "right person"),
}
_SUMMARY = {
    "holds": ("成立", "holds"),
    "fails": ("不成立", "does not hold"),
    "pending": (
        "待定：尚缺上链事实，不能算成立",
        "pending: not yet confirmed, it does not hold yet",
    ),
}


@command
def run(
    file: Annotated[Path, typer.Argument(help="凭证文件，- 为标准输入 / the receipt, - for stdin")],
    trust: Annotated[Path, typer.Option("--trust", help="信任文件 / the trust file")],
    document: Annotated[
        Path | None, typer.Option("--document", help="核对此文件 / check this document too")
    ] = None,
    sensitive: Annotated[
        str | None,
        typer.Option(
            "--sensitive",
            help="须两名经办人的材料类型，逗号分隔 / material types that need two officers",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """离线核验凭证：四行结论，逐行说明理由 / verify a receipt offline: four verdict lines."""
    from ledger_node.core.receipt import MAX_RECEIPT_BYTES
    from ledger_node.core.trust_format import MAX_TRUST_BYTES, parse_trust
    from ledger_node.core.verify import verify_receipt
    from ledger_node.seed import load_catalogue

    trusted = parse_trust(read_input(trust, MAX_TRUST_BYTES))
    verdict = verify_receipt(
        read_input(file, MAX_RECEIPT_BYTES),
        trusted,
        document=None if document is None else digest_file(document),
        sensitive_types=load_catalogue().sensitive_types
        if sensitive is None
        else frozenset(filter(None, sensitive.split(","))),
    )
    print_result(describe(verdict, trusted), write_lines(verdict, trusted), as_json=as_json)
    return HOLDS if verdict.state.value == "holds" else DOES_NOT_HOLD


def describe(verdict: Verdict, trust: Trust) -> dict[str, Any]:
    """The verdict for machines."""
    return {
        "holds": verdict.state.value == "holds",
        "state": verdict.state.value,
        "codes": [code.value for code in verdict.codes],
        "kind": verdict.kind.value,
        "receipt": verdict.receipt_id,
        "city": verdict.city,
        "city_name": name_of(verdict, trust),
        "as_of_block": verdict.as_of_block,
        "lines": [
            {
                "question": line.question.value,
                "state": line.state.value,
                "code": None if line.code is None else line.code.value,
                "sentence_zh": line.sentence_zh,
                "sentence_en": line.sentence_en,
                "rests_on": [each.value for each in line.rests_on],
            }
            for line in verdict.lines
        ],
    }


def write_lines(verdict: Verdict, trust: Trust) -> list[str]:
    """The verdict for people: one line, then the four."""
    zh, en = _SUMMARY[verdict.state.value]
    codes = "".join(f" [{code}]" for code in dict.fromkeys(verdict.codes))
    lines = [f"{name_of(verdict, trust)} {verdict.receipt_id}：{zh} / {en}{codes}"]
    for line in verdict.lines:
        title_zh, title_en = _TITLES[line.question.value]
        lines.append(f"{_MARKS[line.state.value]} {title_zh}：{line.sentence_zh}")
        lines.append(f"  {title_en}: {line.sentence_en}")
    if verdict.as_of_block is not None:
        lines.append(f"依据截至区块 {verdict.as_of_block} / facts reach to this block")
    return lines


def name_of(verdict: Verdict, trust: Trust) -> str:
    """Name of the city as the trust file gives it; its code if it names none."""
    member = trust.members.get(verdict.city)
    return verdict.city if member is None else member.name
