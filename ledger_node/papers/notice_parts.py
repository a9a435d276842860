"""What the notices of a case have in common."""

from __future__ import annotations

from ledger_node.papers.blocks import put_gap, put_paragraph
from ledger_node.papers.sheet import Sheet
from ledger_node.papers.values import CaseFacts, Party


def list_case_facts(case: CaseFacts) -> list[tuple[str, str]]:
    """Case number, item, applicant, agent."""
    facts = [
        ("办件编号", case.number),
        ("事项名称", case.item_name),
        ("事项编码", case.item_code),
        ("申请人", format_party(case.applicant)),
    ]
    if case.agent is not None:
        facts.append((case.agent_role, format_party(case.agent)))
    return facts


def format_party(party: Party) -> str:
    """Name, and the number if it is shown."""
    if not party.number:
        return party.name
    return f"{party.name}（{party.number_label}：{party.number}）"


def put_addressee(sheet: Sheet, case: CaseFacts) -> None:
    """The applicant, addressed."""
    put_paragraph(sheet, f"{case.applicant.name}：", indent=False)
    put_gap(sheet, 0.5)


def list_private_texts(case: CaseFacts | None, *parties: Party) -> tuple[str, ...]:
    """Names and numbers no QR code may carry."""
    named = list(parties)
    if case is not None:
        named.append(case.applicant)
        if case.agent is not None:
            named.append(case.agent)
    return tuple(text for party in named for text in (party.name, party.number))
