"""The signed report of an audit: what was read, what was found, and the auditor's own signature.

Step 11. Spec: docs/spec/audit-report.md; vectors: tests/vectors/audit_report/. Signed as the
small signed files are (signed_body.py), by a key that is the auditor's alone: no member vouches
for it, whoever reads the report has to know it.

Invariants:
    * RFC 8785 bytes with one spelling; key and version stand under the signature.
    * Nothing in it names or describes a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64,
    encode_canonical,
    parse_base64,
    parse_canonical,
    require_int,
    require_members,
    require_text,
)
from ledger_node.core.chain_facts_format import read_block
from ledger_node.core.errors import VerificationError
from ledger_node.core.shapes import (
    encode_address,
    read_address,
    read_bytes32,
    read_flag,
    read_short_text,
    read_version,
)
from ledger_node.core.signed_body import compute_signed_message
from ledger_node.core.signed_note import VerifierKey, encode_verifier_key, parse_verifier_key
from ledger_node.core.types import Address, BlockHash

REPORT_VERSION = "tongban/audit-report/v1"
MAX_REPORT_BYTES = 4 * 1024 * 1024
_FACTS = (
    "program",
    "engine",
    "source",
    "domain",
    "chain_id",
    "genesis",
    "membership",
    "first_block",
    "sample",
    "finished_at",
)
_MEMBERS = ("v", *_FACTS, "report", "keyid", "signature")
REPORT_MEMBERS = (
    "clean",
    "as_of",
    "blocks",
    "events",
    "event_counts",
    "logs",
    "storage_reads",
    "database_rows",
    "documents_read",
    "state_digest",
    "discrepancy_count",
    "discrepancies",
)


class ReportSignatureError(VerificationError):
    """The report is not signed by the auditor it is said to be of. Fields: key_name."""

    code = "report_signature_invalid"

    def __init__(self, key_name: str) -> None:
        super().__init__(
            f"报告的签名不成立，或不是 {key_name} 所签。",
            f"The signature of the report does not hold, or is not by {key_name}.",
            key_name=key_name,
        )


class ReportContradictionError(VerificationError):
    """A report says of itself what its own figures contradict, or is of another chain."""

    code = "report_contradiction"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"报告自相矛盾，或属于另一条链（{what}）。",
            f"The report contradicts itself, or is of another chain: {what}.",
            what=what,
        )


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What an audit was made with.

    Attributes:
        program: Version of the program.
        engine: What the endpoint calls itself; `copy` when the chain was a copy.
        source: `rpc` or `copy`.
        domain: Of the consortium.
        chain_id, genesis, membership, first_block: What pinned the chain.
        sample: Grants and statuses read back at most; None for all.
        finished_at_s: Unix time on the auditor's clock.
    """

    program: str
    engine: str
    source: str
    domain: str
    chain_id: int
    genesis: BlockHash
    membership: Address
    first_block: int
    sample: int | None
    finished_at_s: int


def encode_signed_report(
    facts: ReportFacts, report: JsonObject, key: VerifierKey, sign: Callable[[bytes], bytes]
) -> bytes:
    """Write and sign a report.

    Args:
        report: From `flows.auditing.encode_report`.
        key: The auditor's name and public key.
        sign: Makes the Ed25519 signature with that key.
    """
    unsigned: JsonObject = {
        "v": REPORT_VERSION,
        "program": facts.program,
        "engine": facts.engine,
        "source": facts.source,
        "domain": facts.domain,
        "chain_id": facts.chain_id,
        "genesis": facts.genesis.hex(),
        "membership": encode_address(facts.membership),
        "first_block": facts.first_block,
        "sample": facts.sample,
        "finished_at": facts.finished_at_s,
        "report": report,
        "keyid": encode_verifier_key(key),
    }
    signature = sign(compute_signed_message(REPORT_VERSION, unsigned))
    return encode_canonical({**unsigned, "signature": encode_base64(signature)})


def verify_report(
    data: bytes, auditor: VerifierKey, genesis: BlockHash | None = None
) -> JsonObject:
    """Check a report; returns its members.

    Args:
        auditor: Whose report it is said to be.
        genesis: Of the chain it should speak of, if the reader knows it.

    Raises:
        ReportSignatureError: Another key signed, or the signature does not hold.
        ReportContradictionError: `clean` beside discrepancies, or another chain.
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError,
        MalformedNoteError: Not exactly such a file.
    """
    value = parse_canonical(data, what=REPORT_VERSION, max_bytes=MAX_REPORT_BYTES)
    read_version(value, REPORT_VERSION, what=REPORT_VERSION)
    members = require_members(value, _MEMBERS, what=REPORT_VERSION)
    key = parse_verifier_key(require_text(members["keyid"], what="keyid"))
    text = require_text(members["signature"], what="signature")
    signature = parse_base64(text, what="signature", length_bytes=64)
    unsigned = {name: each for name, each in members.items() if name != "signature"}
    try:
        if key != auditor:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(
            signature, compute_signed_message(REPORT_VERSION, unsigned)
        )
    except (InvalidSignature, ValueError) as error:
        raise ReportSignatureError(auditor.name) from error
    found = read_bytes32(members["genesis"], what="genesis")
    if genesis is not None and found != genesis:
        raise ReportContradictionError("genesis")
    _read_facts(members)
    _read_report(members["report"])
    return members


def _read_facts(members: JsonObject) -> None:
    for name in ("program", "engine", "source", "domain"):
        read_short_text(members[name], what=name)
    for name in ("chain_id", "first_block", "finished_at"):
        require_int(members[name], what=name)
    if members["sample"] is not None:
        require_int(members["sample"], what="sample")
    read_address(members["membership"], what="membership")


def _read_report(value: JsonValue) -> None:
    report = require_members(value, REPORT_MEMBERS, what="report")
    clean = read_flag(report["clean"], what="clean")
    count = require_int(report["discrepancy_count"], what="discrepancy_count")
    as_of = read_block(report["as_of"], what="as_of")
    blocks = require_int(report["blocks"], what="blocks")
    if clean != (count == 0):
        raise ReportContradictionError("clean")
    if not 0 < blocks <= as_of.number + 1:
        raise ReportContradictionError("blocks")
