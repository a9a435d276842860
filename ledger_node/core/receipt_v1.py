"""Receipts of version 1: one file for decades, with what it rests on of the chain inside.

Steps 2 and 9 of the data flow. Spec: design section 10, docs/spec/receipt-v1.md. Vectors:
tests/vectors/receipt_v1/.

Over version 0 (receipt.py): a member `chain` outside the signature (headers, logs, storage), events
named by what a proof can hold, and in a reliance receipt the four verdicts as the clerk saw them.

Invariants:
    * RFC 8785 bytes, no unknown member, as in version 0; neither version passes for the other.
Not here: checks (verify.py, chain_proofs.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64,
    encode_canonical,
    parse_canonical,
)
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.receipt import (
    MAX_RECEIPT_BYTES,
    RECEIPT_VERSION_1,
    ReceiptFile,
    ReceiptKind,
    Seal,
    compute_receipt_message,
    encode_receipt,
    encode_seal,
    encode_unsigned,
    parse_receipt,
    read_envelope,
    refuse_as_receipt,
)
from ledger_node.core.receipt_chain import (
    ChainEvidence,
    encode_chain_evidence,
    read_chain_evidence,
)

_WHAT = "receipt"
_MEMBERS = ("v", "kind", "body", "keyid", "signature", "seal", "chain")


def build_receipt_v1(
    kind: ReceiptKind,
    body: JsonObject,
    key_id: MessageKeyId,
    sign: Callable[[bytes], bytes],
    seal: Seal | None = None,
    chain: ChainEvidence | None = None,
) -> ReceiptFile:
    """Receipt over a body; seal and chain may be added later.

    Args:
        kind: What it is about.
        body: From `encode_registration_body`, or `encode_reliance_body` of version 1.
        key_id: City and message key that signs.
        sign: Makes the Ed25519 signature with that key.
        seal: If the entry is anchored already.
        chain: Evidence of every event and state the receipt names.
    """
    signature = sign(compute_receipt_message(kind, body, key_id, RECEIPT_VERSION_1))
    return ReceiptFile(kind, body, key_id, signature, seal, chain, RECEIPT_VERSION_1)


def encode_receipt_v1(receipt: ReceiptFile) -> bytes:
    """Write a receipt of version 1 as RFC 8785 bytes."""
    chain = receipt.chain
    return encode_canonical(
        {
            **encode_unsigned(receipt.kind, receipt.body, receipt.key_id, receipt.version),
            "signature": encode_base64(receipt.signature),
            "seal": encode_seal(receipt.seal, receipt.version),
            "chain": None if chain is None else encode_chain_evidence(chain),
        }
    )


def encode_receipt_of_any_version(receipt: ReceiptFile) -> bytes:
    """Write a receipt as its version does."""
    if receipt.version == RECEIPT_VERSION_1:
        return encode_receipt_v1(receipt)
    return encode_receipt(receipt)


def parse_receipt_v1(data: bytes) -> ReceiptFile:
    """Read a receipt of version 1; its body is read by the module of its kind.

    Raises:
        NotAReceiptError: Not exactly such a receipt.
    """
    with refuse_as_receipt():
        value = parse_canonical(data, what=_WHAT, max_bytes=MAX_RECEIPT_BYTES)
        receipt = read_envelope(value, RECEIPT_VERSION_1, _MEMBERS)
        chain = _member(value, "chain")
        return replace(receipt, chain=None if chain is None else read_chain_evidence(chain))


def parse_receipt_of_any_version(data: bytes) -> ReceiptFile:
    """Read a receipt of version 0 or 1, as its `v` says.

    Raises:
        NotAReceiptError: Not exactly a receipt of either.
    """
    with refuse_as_receipt():
        value = parse_canonical(data, what=_WHAT, max_bytes=MAX_RECEIPT_BYTES)
    if _member(value, "v") == RECEIPT_VERSION_1:
        return parse_receipt_v1(data)
    return parse_receipt(data)


def _member(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, dict) else None
