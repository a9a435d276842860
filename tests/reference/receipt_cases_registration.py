"""Damages of a registration receipt: edits, the codes of the verdict, further arguments."""

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import receipts as r
from tests.reference.receipt_edits import (
    FOREIGN,
    both,
    drop,
    earlier,
    extra_disclosure,
    fields,
    flip_hex,
    happy,
    key_of,
    misnamed,
    no_facts,
    put,
    swap_city,
    with_status,
)

# name -> (edits of the story, codes of the verdict, more arguments)
REGISTRATION = {
    "happy": ({}, [], {}),
    "happy-with-its-document": ({}, [], {"document": "own"}),
    "pending-without-seal": (
        {"registration_seal": lambda old: None},
        ["receipt_pending", "receipt_pending", "receipt_pending"],
        {},
    ),
    "pending-without-facts": (
        {"trust": no_facts},
        ["anchor_unconfirmed", "status_unconfirmed"],
        {},
    ),
    "pending-facts-too-old": (
        {"facts": both(drop("heads", 1), earlier(60))},
        ["anchor_unconfirmed", "status_unconfirmed"],
        {},
    ),
    "signature-of-other-body": (
        {"registration_file": put("body", "registered_at", x.ANCHORED_AT - 61)},
        ["receipt_signature_invalid"],
        {},
    ),
    "signature-by-stolen-name": (
        {"registration_file": put("keyid", x.key_id(x.RELEASING, FOREIGN))},
        ["receipt_signature_invalid", "receipt_key_unknown"],
        {},
    ),
    "signed-by-unregistered-key": (
        {"registration_seed": lambda old: FOREIGN},
        ["receipt_key_unknown"],
        {},
    ),
    "signed-in-the-name-of-another-city": (
        {"registration_body": put("city", x.RECEIVING)},
        [
            "statement_commitment_mismatch",
            "receipt_signer_mismatch",
            "statement_commitment_mismatch",
        ],
        {},
    ),
    "message-key-not-yet-valid": (
        {"trust": key_of(x.RELEASING, "message", valid_from=x.ANCHORED_AT + 1)},
        ["receipt_key_unknown"],
        {},
    ),
    "message-key-no-longer-valid": (
        {"trust": key_of(x.RELEASING, "message", valid_until=x.ANCHORED_AT)},
        ["receipt_key_unknown"],
        {},
    ),
    "message-key-distrusted": (
        {"trust": key_of(x.RELEASING, "message", distrusted_since_block=20)},
        ["receipt_key_distrusted"],
        {},
    ),
    "happy-message-key-distrusted-later": (
        {"trust": key_of(x.RELEASING, "message", distrusted_since_block=21)},
        [],
        {},
    ),
    "not-sealed-and-key-distrusted-since": (
        {
            "registration_seal": lambda old: None,
            "trust": key_of(x.RELEASING, "message", distrusted_since_block=21),
        },
        ["receipt_pending", "receipt_key_distrusted", "receipt_pending"],
        {},
    ),
    "anchor-account-missing": (
        {"trust": key_of(x.RELEASING, "anchor", valid_until=x.ANCHORED_AT)},
        ["anchor_key_unknown"],
        {},
    ),
    "anchor-account-distrusted": (
        {"trust": key_of(x.RELEASING, "anchor", distrusted_since_block=20)},
        ["anchor_key_distrusted"],
        {},
    ),
    "issuer-not-a-member": (
        {"trust": lambda trust: trust | {"members": trust["members"][1:]}},
        ["receipt_key_unknown"],
        {},
    ),
    "digest-changed": (
        {"registration_body": flip_hex("digests", 4)},
        ["statement_commitment_mismatch", "statement_commitment_mismatch"],
        {},
    ),
    "commitment-changed": (
        {"registration_body": flip_hex("commitment")},
        ["statement_commitment_mismatch", "statement_commitment_mismatch"],
        {},
    ),
    "disclosure-of-another-document": (
        {"registration_body": extra_disclosure},
        ["disclosure_digest_mismatch", "disclosure_digest_mismatch"],
        {},
    ),
    "type-not-shown": (
        {"registration_shown": lambda old: [12]},
        ["disclosure_malformed", "disclosure_malformed"],
        {},
    ),
    "field-under-another-name": (
        {"fields": misnamed, "registration_shown": lambda old: [0, 6, 12]},
        ["disclosure_malformed", "disclosure_malformed"],
        {},
    ),
    "document-value-malformed": (
        {"document": put("digest", "sha-256:00")},
        ["disclosure_malformed"],
        {},
    ),
    "document-of-someone-else": (
        {},
        ["document_digest_mismatch"],
        {"document": f.sha256(b"another document")},
    ),
    "document-not-disclosed": (
        {"registration_shown": lambda old: [0]},
        ["document_digest_mismatch"],
        {"document": "own"},
    ),
    "proof-truncated": (
        {"registration_seal": lambda seal: seal | {"proof": seal["proof"][:-1]}},
        ["inclusion_proof_malformed"],
        {},
    ),
    "proof-of-another-leaf": (
        {"registration_seal": lambda seal: seal | r.place(7, happy().entries)},
        ["inclusion_root_mismatch"],
        {},
    ),
    "leaf-index-moved": (
        {"registration_seal": put("leaf_index", 7)},
        ["inclusion_proof_malformed"],
        {},
    ),
    "root-foreign": (
        {"registration_seal": flip_hex("root")},
        ["inclusion_root_mismatch"],
        {},
    ),
    "generation-of-seal": (
        {"registration_seal": put("generation", 1)},
        ["generation_mismatch"],
        {},
    ),
    "generation-of-body": (
        {"registration_body": put("generation", 1)},
        ["statement_commitment_mismatch", "statement_commitment_mismatch"],
        {},
    ),
    "head-never-anchored": ({"facts": drop("heads", 1)}, ["anchor_unknown"], {}),
    "anchor-of-another-city": (
        {"facts": lambda facts: swap_city(facts)},
        ["anchor_unknown"],
        {},
    ),
    "registered-after-its-anchor": (
        {"registration_body": put("registered_at", x.ANCHORED_AT + 31)},
        ["receipt_time_impossible"],
        {},
    ),
    "happy-clock-thirty-seconds-ahead": (
        {"registration_body": put("registered_at", x.ANCHORED_AT + 30)},
        [],
        {},
    ),
    "withdrawn": ({"facts": with_status(1, 60)}, ["status_withdrawn"], {}),
    "pending-superseded": ({"facts": with_status(2, 60)}, ["status_superseded"], {}),
    "spent": ({"facts": with_status(4, 60)}, ["status_spent"], {}),
    "erased": ({"facts": with_status(8, 60)}, ["status_erased"], {}),
    "valid-until-shown-and-over": (
        {
            "fields": fields(valid_until="2025-06-01"),
            "registration_shown": lambda old: [0, 6, 12],
        },
        ["validity_over"],
        {},
    ),
    "valid-from-shown-and-not-begun": (
        {
            "fields": fields(valid_from="2031-01-01"),
            "registration_shown": lambda old: [0, 5, 12],
        },
        ["validity_not_begun"],
        {},
    ),
    "valid-until-no-date": (
        {
            "fields": fields(valid_until="2031-02-30"),
            "registration_shown": lambda old: [0, 6, 12],
        },
        ["validity_unreadable"],
        {},
    ),
    "valid-until-a-number": (
        {
            "fields": fields(valid_until=20310501),
            "registration_shown": lambda old: [0, 6, 12],
        },
        ["validity_unreadable"],
        {},
    ),
}
for _member, _value in {
    "block_number": 21,
    "block_hash": "00" * 32,
    "block_timestamp": x.ANCHORED_AT + 1,
    "tx_hash": "00" * 32,
    "log_index": 1,
}.items():
    REGISTRATION[f"anchor-{_member.replace('_', '-')}-wrong"] = (
        {"registration_seal": put("anchored", _member, _value)},
        ["anchor_mismatch"],
        {},
    )
REGISTRATION["anchor-contract-foreign"] = (
    {"registration_seal": put("anchored", "contract", "0x" + "99" * 20)},
    ["anchor_mismatch", "anchor_contract_unknown"],
    {},
)
REGISTRATION["anchor-before-the-contract"] = (
    {"trust": put("contracts", 0, "from_block", 21)},
    ["anchor_contract_unknown"],
    {},
)
