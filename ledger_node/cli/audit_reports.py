"""`tongban audit key`, `tongban audit verify`: an auditor's own key, and signed reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger_node.cli.audit_sources import TrustOption, read_trust
from ledger_node.cli.inputs import MalformedArgumentError, demand_writable, read_input
from ledger_node.cli.output import HOLDS, JsonOption, command, print_result

if TYPE_CHECKING:
    from ledger_node.cli.audit_sources import Source
    from ledger_node.core.audit_report import ReportFacts
    from ledger_node.core.canonical import JsonObject
    from ledger_node.core.signed_note import VerifierKey

KeyOption = Annotated[
    Path | None, typer.Option("--key", help="审计员私钥文件 / the auditor's key file")
]
AuditorOption = Annotated[
    str | None, typer.Option("--auditor", help="审计员署名，无空格 / the auditor's name, no blanks")
]


def register(app: typer.Typer) -> None:
    """Add these commands to `tongban audit`."""
    app.command("key")(make_key)
    app.command("verify")(verify)


@command
def make_key(
    auditor: Annotated[str, typer.Argument(help="署名，无空格 / name, no blanks")],
    output: Annotated[Path, typer.Option("--output", "-o", help="私钥文件 / key file")],
    as_json: JsonOption = False,
) -> int:
    """新建审计员私钥，公布验证密钥 / make an auditor's key; publish the verifier key."""
    demand_writable(output)
    from ledger_node.core.signed_note import VerifierKey, encode_verifier_key
    from ledger_node.core.types import PublicKey
    from ledger_node.wiring import create_auditor_key

    encode_verifier_key(VerifierKey(auditor, PublicKey(bytes(32))))  # refuses a bad name first
    try:
        public_key = create_auditor_key(output)
    except FileExistsError:
        raise MalformedArgumentError(
            "--output", "已有此文件，不覆盖", "the file is there and is not replaced"
        ) from None
    text = encode_verifier_key(VerifierKey(auditor, PublicKey(public_key)))
    print_result({"verifier_key": text}, [f"验证密钥 / verifier key：{text}"], as_json=as_json)
    return HOLDS


@command
def verify(
    report: Annotated[Path, typer.Argument(help="签名报告 / signed report")],
    auditor_key: Annotated[
        str, typer.Option("--auditor-key", help="审计员的验证密钥 / the auditor's verifier key")
    ],
    trust: TrustOption = None,
    as_json: JsonOption = False,
) -> int:
    """核验签名的审计报告 / check a signed report."""
    from ledger_node.core.audit_report import MAX_REPORT_BYTES, verify_report
    from ledger_node.core.signed_note import parse_verifier_key

    key = parse_verifier_key(auditor_key)
    genesis = None if trust is None else read_trust(trust).genesis
    members = verify_report(read_input(report, MAX_REPORT_BYTES), key, genesis)
    inner = members["report"]
    assert isinstance(inner, dict)
    result = {"holds": True, "auditor": key.name, **members}
    lines = [
        f"签名成立：{key.name} / the signature holds",
        f"程序 {members['program']}，链 {members['engine']}，来源 {members['source']}"
        " / program, engine, source",
        f"差异 {inner['discrepancy_count']} / discrepancies",
    ]
    print_result(result, lines, as_json=as_json)
    return HOLDS


def facts_of(source: Source, sample: int | None) -> ReportFacts:
    """What an audit from this source was made with, now."""
    from importlib.metadata import version

    from ledger_node.core.audit_report import ReportFacts
    from ledger_node.edges.clock import SystemClock

    profile = source.profile
    return ReportFacts(
        program=version("tongban"),
        engine=source.engine,
        source=source.kind,
        domain=source.trust.domain,
        chain_id=profile.chain_id,
        genesis=profile.genesis_hash,
        membership=profile.membership,
        first_block=int(profile.first_block),
        sample=sample,
        finished_at_s=int(SystemClock().now().timestamp()),
    )


def sign_report(
    key: Path | None, auditor: str | None, facts: ReportFacts | None, report: JsonObject
) -> bytes:
    """The signed report; all four are given by then."""
    from ledger_node.core.audit_report import encode_signed_report
    from ledger_node.core.signed_note import VerifierKey
    from ledger_node.core.types import PublicKey
    from ledger_node.wiring import open_auditor_key

    assert key is not None
    assert auditor is not None
    assert facts is not None
    public_key, sign = open_auditor_key(key)
    signer: VerifierKey = VerifierKey(auditor, PublicKey(public_key))
    return encode_signed_report(facts, report, signer, sign)
