"""The slip a person takes home: what was consented to, and how to take it back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from api.pages.assets import STATIC
from api.pages.cities import name_city
from api.pages.consent_view import FIELD_WORDS, name_type
from ledger_node.core.ceremony import CeremonyState, ConsentOption
from ledger_node.core.revocation_code import RevocationCode
from ledger_node.core.terms import GrantBasis, GrantorKind
from ledger_node.flows.consenting import Ceremony
from ledger_node.papers.consent import (
    ConfirmedBy,
    ConsentLine,
    ConsentSlip,
    GrantorRole,
    render_consent_slip,
)
from ledger_node.papers.values import CaseFacts, Fonts, Office, PaperSize, Party, mask_number
from ledger_node.seed import load_catalogue
from ledger_node.wiring import Runtime

FONT: Final = Path("vendor") / "noto-sans-sc.ttf"
STATEMENT: Final = (
    "本人同意上述城市将勾选的材料提供给接收方,仅用于所列事项;每次调取均有存证,本人可随时查询。"
    "撤回后不再提供新的材料;撤回前已作出的决定不受影响,已归档凭证中的内容按办件档案期限保存。"
)
_BY: Final = {
    GrantBasis.PASSKEY: ConfirmedBy.PASSKEY,
    GrantBasis.ASSERTION: ConfirmedBy.CITY_LOGIN,
}
_ROLES: Final = {
    GrantorKind.SELF: GrantorRole.SELF,
    GrantorKind.GUARDIAN: GrantorRole.GUARDIAN,
    GrantorKind.AGENT: GrantorRole.AGENT,
}


def build_slip(
    runtime: Runtime, ceremony: Ceremony, revocation: RevocationCode | None, size: PaperSize
) -> bytes:
    """The slip as PDF; without a code it is the form to be signed on paper."""
    body = ceremony.body
    item = load_catalogue().items.get(body.item)
    item_name = body.item if item is None else item.zh
    subject = Party(body.subject.name, mask_number(body.subject.number))
    city = runtime.settings.city_name or name_city(runtime.node.city, "zh")
    confirmed = ceremony.state is CeremonyState.CONFIRMED
    slip = ConsentSlip(
        office=Office(f"{city}政务服务", outlet=f"{body.outlet} {body.window}".strip()),
        number=ceremony.ceremony_id[:8].upper(),
        subject=subject,
        grantor=subject,
        role=_ROLES[body.grantor.kind],
        lines=_list_lines(ceremony, item_name),
        statement=STATEMENT,
        text_version=body.text,
        confirmed_by=_find_means(ceremony),
        confirmed_at=ceremony.row.updated_at,
        made_at=runtime.node.clock.now(),
        revocation_code="" if revocation is None else revocation.printed,
        qr_text="" if revocation is None else f"TONGBAN-REVOKE {revocation.public_part}",
        withdraw_at=f"{runtime.settings.origin}/me" if confirmed else "",
        officers=() if ceremony.row.officer is None else (ceremony.row.officer,),
        case=CaseFacts(body.case, item_name, body.item, subject),
        signature_line=not confirmed,
    )
    return render_consent_slip(slip, size, Fonts(STATIC / FONT))


def _find_means(ceremony: Ceremony) -> ConfirmedBy:
    by = _BY.get(GrantBasis(ceremony.row.basis))
    if by is not None:
        return by
    return ConfirmedBy.PAD if ceremony.row.signature_how == "pad" else ConfirmedBy.SLIP


def _list_lines(ceremony: Ceremony, item_name: str) -> tuple[ConsentLine, ...]:
    """One line per box: what is ticked, or everything offered on the form to be signed."""
    body = ceremony.body
    chosen = [each for each in body.options if not body.ticked or each.key in body.ticked]
    until = ceremony.row.created_at + timedelta(seconds=body.window_s)
    receiver = name_city(body.receiving, "zh")
    return tuple(
        ConsentLine(
            name_type(option.grant.code, "zh"),
            _describe_what(option),
            _name_holders(option, ceremony),
            receiver,
            item_name,
            until,
            body.uses,
        )
        for option in chosen
    )


def _describe_what(option: ConsentOption) -> str:
    fields = "、".join(FIELD_WORDS.get(each, (each,))[0] for each in option.grant.fields)
    if not option.grant.documents:
        return fields
    return f"整份文件；{fields}" if fields else "整份文件"


def _name_holders(option: ConsentOption, ceremony: Ceremony) -> str:
    cities = ceremony.body.releasing if option.city is None else (option.city,)
    return "、".join(name_city(each, "zh") for each in cities)
