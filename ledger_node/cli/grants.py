"""`tongban terms`, `find`, `grant`, `revoke`: consent at the window, and what it leads to."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger_node.cli.city import NodeOption, WaitOption, open_city, wait_for
from ledger_node.cli.fields import read_fields
from ledger_node.cli.inputs import (
    demand_writable,
    digest_file,
    parse_ids,
    read_input,
    write_output,
)
from ledger_node.cli.materials import FieldsOption
from ledger_node.cli.officer import OfficerIdOption
from ledger_node.cli.output import (
    DOES_NOT_HOLD,
    HOLDS,
    UNAVAILABLE,
    JsonOption,
    command,
    print_result,
    waiting,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger_node.core.types import GrantId
    from ledger_node.flows.finding import FindOutcome
    from ledger_node.flows.node import Node
    from ledger_node.wiring import Runtime

_HEX32 = re.compile(r"[0-9a-f]{64}")

GrantArgument = Annotated[str, typer.Argument(help="授权编号（十六进制） / id of the grant, hex")]


class Means(StrEnum):
    """How the person signed."""

    PAD = "pad"
    SLIP = "slip"


@command
def terms(
    fields: FieldsOption,
    officers: Annotated[
        list[str], typer.Option("--officer", help="经办人，一名或两名 / one or two officers")
    ],
    signature: Annotated[
        Path,
        typer.Option("--signature", help="签名图像或扫描件，请妥存 / pad image or slip; keep it"),
    ],
    node: NodeOption,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="授权书写入此文件 / write the file there")
    ] = None,
    means: Annotated[Means, typer.Option(help="签名板或纸单 / pad or slip")] = Means.PAD,
    card_read: Annotated[
        bool, typer.Option("--card-read/--no-card-read", help="证件已由读卡器读取 / read by device")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """柜台授权：拟定条款、经办人签名 / consent at the counter: terms, signed by officers."""
    demand_writable(output)
    described = read_fields(fields)
    with open_city(node) as runtime:
        from ledger_node.cli.consent_file import build_consent
        from ledger_node.core.evidence_parts import SignatureMeans
        from ledger_node.flows.following import catch_up
        from ledger_node.flows.granting import CounterCeremony, confirm_at_counter, draft_terms
        from ledger_node.flows.signed_terms import export_signed_terms
        from ledger_node.wiring import open_officer_keys

        catch_up(runtime.node)
        consent = build_consent(runtime.node, described)
        keys = open_officer_keys(runtime.settings.data_dir)
        ceremony = CounterCeremony(
            consent.subject.scheme,
            card_read,
            digest_file(signature),
            SignatureMeans(means.value),
            tuple((officer, partial(keys.sign, officer)) for officer in officers),
        )
        drafts = draft_terms(runtime.node, consent)
        ids = confirm_at_counter(runtime.node, drafts, ceremony)
        data = export_signed_terms(runtime.node, ids)
    grants = [
        {"grant": grant_id.hex(), "releasing": city, "receiving": consent.receiving}
        for grant_id, city in zip(ids, consent.releasing, strict=True)
    ]
    result: dict[str, Any] = {"grants": grants}
    lines = [f"{each['releasing']} → {each['receiving']}：{each['grant']}" for each in grants]
    if output is not None:
        write_output(output, data)
        result["terms_file"] = str(output)
        lines.append(f"授权书已写入 {output}，内含个人信息 / written, holds personal data")
    print_result(result, lines, as_json=as_json)
    return HOLDS


@command
def find(
    terms_or_grants: Annotated[
        list[str], typer.Argument(help="授权书文件或授权编号 / signed terms files or grant ids")
    ],
    officer: OfficerIdOption,
    node: NodeOption,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="只问这些类型 / only these types")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """向授权所列城市查询有无材料 / ask the cities of the grants what exists; no content."""
    with open_city(node) as runtime:
        from ledger_node.flows.finding import find_materials

        grant_ids = _take_grants(runtime, terms_or_grants)
        _demand_officer(runtime.node, officer)
        with waiting("查询中", "asking"):
            outcomes = find_materials(runtime.node, grant_ids, officer, types or ())
    result = {"outcomes": [_describe_outcome(each) for each in outcomes]}
    print_result(
        result, [line for each in outcomes for line in _outcome_lines(each)], as_json=as_json
    )
    codes = {each.outcome for each in outcomes}
    if codes - {"answered", "silent"}:
        return DOES_NOT_HOLD
    return UNAVAILABLE if "silent" in codes else HOLDS


@command
def grant(
    grant_id: GrantArgument, node: NodeOption, wait_s: WaitOption = 0.0, as_json: JsonOption = False
) -> int:
    """把授权登记上链 / record a grant on chain."""
    with open_city(node) as runtime:
        from ledger_node.cli.transactions import demand_not_failed
        from ledger_node.flows.granting import record_grant

        wanted = _grant_id(grant_id)
        outbox_id = record_grant(runtime.node, wanted)

        def look() -> bool | None:
            demand_not_failed(runtime.node, outbox_id)
            with runtime.node.database.read() as tx:
                return True if tx.chain.find_grant(wanted) is not None else None

        recorded = wait_for(runtime, look, wait_s, "等待授权上链", "waiting for the chain")
    return _finish(
        grant_id, "recorded" if recorded else "submitted", bool(recorded), wait_s, as_json
    )


@command
def revoke(
    grant_id: GrantArgument, node: NodeOption, wait_s: WaitOption = 0.0, as_json: JsonOption = False
) -> int:
    """撤回授权 / revoke a grant on chain."""
    with open_city(node) as runtime:
        from ledger_node.cli.transactions import demand_not_failed
        from ledger_node.flows.following import catch_up
        from ledger_node.flows.granting import revoke_grant

        wanted = _grant_id(grant_id)
        catch_up(runtime.node)
        outbox_id = revoke_grant(runtime.node, wanted)

        def look() -> bool | None:
            demand_not_failed(runtime.node, outbox_id)
            with runtime.node.database.read() as tx:
                return True if tx.chain.find_revocation(wanted, final_only=True) else None

        revoked = wait_for(runtime, look, wait_s, "等待撤回上链", "waiting for the chain")
    return _finish(grant_id, "revoked" if revoked else "submitted", bool(revoked), wait_s, as_json)


def _finish(grant_id: str, state: str, done: bool, wait_s: float, as_json: bool) -> int:
    words = {
        "recorded": "已登记上链 / recorded on chain",
        "revoked": "已撤回 / revoked",
        "submitted": "已提交，待上链 / submitted, not final yet",
    }
    print_result({"grant": grant_id, "state": state}, [words[state]], as_json=as_json)
    return HOLDS if done or wait_s <= 0 else UNAVAILABLE


def _grant_id(text: str) -> GrantId:
    from ledger_node.core.types import GrantId

    return GrantId(parse_ids([text], "GRANT_ID")[0])


def _take_grants(runtime: Runtime, given: Sequence[str]) -> list[GrantId]:
    """Ids as given, and those of files, which are adopted first."""
    from ledger_node.flows.following import catch_up
    from ledger_node.flows.signed_terms import MAX_SIGNED_TERMS_BYTES, adopt_signed_terms

    found: list[GrantId] = []
    catch_up(runtime.node)
    for text in given:
        if _HEX32.fullmatch(text):
            found.append(_grant_id(text))
        else:
            data = read_input(Path(text), MAX_SIGNED_TERMS_BYTES)
            found.extend(adopt_signed_terms(runtime.node, data))
    return list(dict.fromkeys(found))


def _demand_officer(node: Node, officer: str) -> None:
    """Only an enrolled officer asks.

    Raises:
        OfficerNotFoundError: Nobody of that id is enrolled.
    """
    with node.database.read() as tx:
        tx.officers.load_officer(officer)


def _describe_outcome(outcome: FindOutcome) -> dict[str, Any]:
    return {
        "city": outcome.city,
        "grant": outcome.grant_id.hex(),
        "outcome": outcome.outcome,
        "message_zh": outcome.message_zh,
        "message_en": outcome.message_en,
        "candidates": [
            {
                "material": each.commitment.hex(),
                "type": each.type_code,
                "grade": each.grade.value,
                "standing": each.standing.value,
                "valid_from": each.valid_from,
                "valid_until": each.valid_until,
                "documents": each.document_count,
            }
            for each in outcome.candidates
        ],
    }


def _outcome_lines(outcome: FindOutcome) -> list[str]:
    if outcome.outcome != "answered":
        why = f"{outcome.message_zh} / {outcome.message_en}"
        return [f"{outcome.city}：{outcome.outcome} {why}"]
    if not outcome.candidates:
        return [f"{outcome.city}：没有 / nothing"]
    return [f"{outcome.city}：{len(outcome.candidates)} 份 / materials"] + [
        f"  {each.commitment.hex()} {each.type_code} {each.grade.value} {each.standing.value}"
        for each in outcome.candidates
    ]
