"""Parsers of steps 4, 9 and 11: policies, receipts, trust files."""

import dataclasses
import json

from ledger_node.core import anchor, receipt, receipt_v1, tlog_proof, trust_format
from ledger_node.core.receipt_registration import encode_registration_body, read_registration_body
from ledger_node.core.receipt_reliance_format import encode_reliance_body, read_reliance_body
from tests.fuzz.parsers import ParserCase
from tests.vector_runner import VECTORS


def _load(kind, name, topic="receipt"):
    path = VECTORS / topic / kind / f"{name}.json"
    return bytes.fromhex(json.loads(path.read_text(encoding="utf-8"))["bytes"])


def _parse_whole(data):
    """A receipt with its body read, and written back from what was read."""
    parsed = receipt.parse_receipt(data)
    if parsed.kind is receipt.ReceiptKind.REGISTRATION:
        body = encode_registration_body(read_registration_body(parsed.body))
    else:
        body = encode_reliance_body(read_reliance_body(parsed.body))
    seal = parsed.seal
    return receipt.ReceiptFile(parsed.kind, body, parsed.key_id, parsed.signature, seal)


def _parse_whole_v1(data):
    parsed = receipt_v1.parse_receipt_v1(data)
    if parsed.kind is receipt.ReceiptKind.REGISTRATION:
        body = encode_registration_body(read_registration_body(parsed.body))
    else:
        body = encode_reliance_body(read_reliance_body(parsed.body, parsed.version), parsed.version)
    return dataclasses.replace(parsed, body=body)


def _encode_any(parsed):
    if parsed.version == receipt.RECEIPT_VERSION_1:
        return receipt_v1.encode_receipt_v1(parsed)
    return receipt.encode_receipt(parsed)


CASES = [
    ParserCase(
        "core.anchor.parse_finality_policy",
        "text",
        anchor.parse_finality_policy,
        ["immediate", "finalized", "depth:1", "depth:64", "depth:100000"],
        anchor.encode_finality_policy,
    ),
    ParserCase(
        "core.receipt.parse_receipt",
        "json",
        _parse_whole,
        [_load("spelling", "happy-registration"), _load("spelling", "happy-reliance")],
        receipt.encode_receipt,
    ),
    ParserCase(
        "core.receipt_v1.parse_receipt_v1",
        "json",
        _parse_whole_v1,
        [_load("spelling", f"happy-{kind}", "receipt_v1") for kind in ("registration", "reliance")],
        receipt_v1.encode_receipt_v1,
    ),
    ParserCase(
        "core.receipt_v1.parse_receipt_of_any_version",
        "json",
        receipt_v1.parse_receipt_of_any_version,
        [
            _load("spelling", "happy-registration"),
            _load("spelling", "happy-registration", "receipt_v1"),
        ],
        _encode_any,
    ),
    ParserCase(
        "core.trust_format.parse_trust",
        "json",
        trust_format.parse_trust,
        [_load("trust", name) for name in ("happy", "happy-without-facts", "happy-validators")],
        trust_format.encode_trust,
    ),
    ParserCase(
        "core.tlog_proof.parse_tlog_proof",
        "bytes",
        tlog_proof.parse_tlog_proof,
        [_load("entry", name, "tlog_proof") for name in ("happy-2", "happy-without-extra")],
        tlog_proof.encode_tlog_proof,
    ),
]
