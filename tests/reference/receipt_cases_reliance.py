"""Damages of a reliance receipt: edits, the codes of the verdict, further arguments."""

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import receipts as r
from tests.reference.receipt_edits import (
    FOREIGN,
    OTHER_TERMS,
    add_status,
    both,
    credential_status,
    drop,
    edit_opening,
    fields,
    flip_hex,
    happy,
    key_of,
    message_flip,
    no_facts,
    opened_as_somebody,
    other_officer,
    put,
    resealed,
    with_status,
)

RELIANCE = {
    "happy": ({}, [], {}),
    "happy-with-its-document": ({}, [], {"document": "own"}),
    "happy-two-officers-sensitive": (
        {"officers": lambda old: ["wang", "li"]},
        [],
        {"sensitive_types": ["marriage-cert"]},
    ),
    "happy-subjects-not-shown": ({"relied_shown": lambda old: [0, 3, 12]}, [], {}),
    "happy-subjects-absent": ({"fields": fields(subjects=None)}, [], {}),
    "happy-clock-thirty-seconds-behind": (
        {"body": both(put("decided_at", x.NOW - 25), put("state_block", "timestamp", x.NOW + 5))},
        [],
        {},
    ),
    "pending-without-seal": (
        {"reliance_seal": lambda old: None},
        ["receipt_pending", "receipt_pending"],
        {},
    ),
    "pending-without-facts": (
        {"trust": no_facts},
        ["anchor_unconfirmed", "grant_unconfirmed", "evidence_unconfirmed"],
        {},
    ),
    "pending-facts-end-before-the-permit": (
        {
            "facts": both(
                drop("heads", 2),
                drop("consumptions", 0),
                put("as_of", {"number": 80, "hash": "00" * 32, "timestamp": x.NOW}),
            )
        },
        ["permit_unconfirmed", "status_unconfirmed"],
        {},
    ),
    "pending-disputed": ({"relied": put("open_objections", 1)}, ["status_disputed"], {}),
    # The receipt itself.
    "signature-of-other-body": (
        {"reliance_file": put("body", "decided_at", r.DECIDED_AT + 1)},
        ["receipt_signature_invalid"],
        {},
    ),
    "signed-by-unregistered-key": (
        {"reliance_seed": lambda old: FOREIGN},
        ["receipt_key_unknown"],
        {},
    ),
    "message-key-distrusted": (
        {"trust": key_of(x.RECEIVING, "message", distrusted_since_block=84)},
        ["receipt_key_distrusted"],
        {},
    ),
    "relying-city-not-the-receiver": (
        {"terms": put("receiving", x.OTHER)},
        ["acknowledgement_invalid", "receiver_mismatch"],
        {},
    ),
    "signed-for-another-city": (
        {"body": resealed(city=x.RELEASING)},
        ["reliance_inclusion_mismatch", "receipt_signer_mismatch"],
        {},
    ),
    "reliance-body-changed-after-logging": (
        {"reliance_seal": lambda seal: seal | {"salt": "00" * 32}},
        ["reliance_inclusion_mismatch"],
        {},
    ),
    "reliance-proof-of-another-leaf": (
        {"reliance_seal": lambda seal: seal | {"leaf_index": 0}},
        ["reliance_inclusion_mismatch"],
        {},
    ),
    "reliance-generation": (
        {"reliance_seal": put("generation", 1)},
        ["generation_mismatch"],
        {},
    ),
    "reliance-head-never-anchored": (
        {"facts": drop("heads", 2)},
        ["reliance_anchor_unknown"],
        {},
    ),
    "reliance-anchored-elsewhere": (
        {"reliance_seal": put("anchored", "log_index", 3)},
        ["reliance_anchor_mismatch"],
        {},
    ),
    "reliance-anchor-account-distrusted": (
        {"trust": key_of(x.RECEIVING, "anchor", distrusted_since_block=84)},
        ["anchor_key_distrusted"],
        {},
    ),
    "decided-after-its-anchor": (
        {"body": resealed(decided_at=x.NOW + 151)},
        ["receipt_time_impossible"],
        {},
    ),
    # The material.
    "material-not-in-answer": (
        {"body": put("materials", 0, "commitment", "00" * 32)},
        ["material_not_released", "material_not_released", "material_not_released"],
        {},
    ),
    "proof-of-another-leaf": (
        {"released": lambda old: old | r.place(7, happy().entries)},
        ["inclusion_root_mismatch"],
        {},
    ),
    "proof-truncated": (
        {"released": lambda old: old | {"proof": old["proof"][:-1]}},
        ["inclusion_proof_malformed"],
        {},
    ),
    "head-never-anchored": ({"facts": drop("heads", 1)}, ["anchor_unknown"], {}),
    "anchored-elsewhere": (
        {"relied": put("anchored", "tx_hash", "00" * 32)},
        ["anchor_mismatch"],
        {},
    ),
    "anchored-in-foreign-contract": (
        {"relied": put("anchored", "contract", "0x" + "99" * 20)},
        ["anchor_mismatch", "anchor_contract_unknown"],
        {},
    ),
    "issuer-anchor-account-distrusted": (
        {"trust": key_of(x.RELEASING, "anchor", distrusted_since_block=20)},
        ["anchor_key_distrusted"],
        {},
    ),
    "statement-digest-changed": (
        {"released": flip_hex("digests", 4)},
        ["statement_commitment_mismatch"] * 3,
        {},
    ),
    "disclosure-changed": (
        {
            "relied": lambda old: (
                old
                | {
                    "disclosed": [
                        {"position": 0, "text": old["disclosed"][0]["text"]},
                        {"position": 3, "text": f.disclosure(x.salt("x"), "number", "J1")},
                    ]
                }
            )
        },
        ["disclosure_digest_mismatch"] * 3,
        {},
    ),
    "type-not-shown": (
        {"relied_shown": lambda old: [3, 12]},
        ["disclosure_malformed"] * 3,
        {},
    ),
    "document-value-malformed": (
        {"document": put("digest", "sha-256:00")},
        ["disclosure_malformed"],
        {},
    ),
    "type-not-in-terms": (
        {"terms": lambda terms: terms | {"types": terms["types"][1:]}},
        ["type_not_granted"] * 3,
        {},
    ),
    "document-swapped": (
        {},
        ["document_digest_mismatch"],
        {"document": f.sha256(b"another document")},
    ),
    # Messages.
    "request-signature": (
        {"body": message_flip("request_message")},
        ["request_signature_invalid"] * 2,
        {},
    ),
    "request-signed-by-unregistered-key": (
        {"request_seed": lambda old: FOREIGN},
        ["request_key_invalid"],
        {},
    ),
    "request-key-under-the-name-of-another-city": (
        {"request_keyid": lambda old: x.OTHER + old[6:]},
        ["request_key_invalid"],
        {},
    ),
    "request-to-another-route": (
        {"body": put("request_message", "path", "/peer/v1/find")},
        ["request_signature_invalid"] * 2,
        {},
    ),
    "request-to-another-city": (
        {"body": put("request_message", "url", "http://127.0.0.1:8102")},
        ["request_signature_invalid"] * 2,
        {},
    ),
    "request-without-created": (
        {
            "body": put(
                "request_message", "headers", "signature-input", 'tongban=("@method");tag="t"'
            )
        },
        ["request_signature_invalid"] * 2,
        {},
    ),
    "request-changed-by-relying-city": (
        {"body": put("request", "officer", "m-wu")},
        ["request_signature_invalid"] * 2,
        {},
    ),
    "answer-to-another-request": (
        {"answer": put("request", "00" * 32)},
        ["answer_digest_mismatch"] * 2,
        {},
    ),
    "answer-changed-by-relying-city": (
        {"body": put("answer", "answered_at", x.NOW + 3)},
        ["answer_signature_invalid"] * 2,
        {},
    ),
    "answer-signature": (
        {"body": message_flip("answer_message")},
        ["answer_signature_invalid"] * 2,
        {},
    ),
    "answer-to-another-fetch": (
        {"body": put("answer_message", "request", "path", "/peer/v1/releases")},
        ["answer_signature_invalid"] * 2,
        {},
    ),
    "answer-signed-by-unregistered-key": (
        {"answer_seed": lambda old: FOREIGN},
        ["answer_key_invalid"],
        {},
    ),
    "answer-signed-by-the-relying-city": (
        {
            "answer_seed": lambda old: x.MESSAGE_SEEDS[x.RECEIVING],
            "answer_keyid": lambda old: x.key_id(x.RECEIVING),
        },
        ["answer_key_invalid"] * 2,
        {},
    ),
    "answer-key-distrusted": (
        {"trust": key_of(x.RELEASING, "message", distrusted_since_block=84)},
        ["answer_key_invalid"],
        {},
    ),
    "happy-answer-key-distrusted-later": (
        {"trust": key_of(x.RELEASING, "message", distrusted_since_block=85)},
        [],
        {},
    ),
    "acknowledgement-changed": (
        {"body": put("acknowledgement", "received_at", x.NOW + 31)},
        ["acknowledgement_invalid"] * 2,
        {},
    ),
    "acknowledgement-of-another-release": (
        {"acknowledgement": put("release", "00" * 32)},
        ["acknowledgement_mismatch"],
        {},
    ),
    "acknowledgement-of-another-answer": (
        {"acknowledgement": put("answer", "00" * 32)},
        ["acknowledgement_mismatch"],
        {},
    ),
    "acknowledgement-by-unregistered-key": (
        {
            "acknowledgement_file": lambda old: x.signed_file(
                "tongban/acknowledgement/v1",
                {k: v for k, v in old.items() if k not in ("v", "keyid", "signature")},
                seed=FOREIGN,
            )
        },
        ["acknowledgement_key_invalid"],
        {},
    ),
    # Permit and grant.
    "release-salt-changed": (
        {"body": put("release_salt", "00" * 32)},
        ["acknowledgement_mismatch"],
        {},
    ),
    "permit-unknown": ({"facts": drop("consumptions", 0)}, ["permit_unknown"], {}),
    "permit-of-other-bytes": (
        {"consumption": put("release_commitment", "00" * 32)},
        ["permit_mismatch"],
        {},
    ),
    "permit-of-another-grant": (
        {"consumption": put("terms", "00" * 32)},
        ["permit_mismatch"],
        {},
    ),
    "permit-elsewhere": (
        {"body": put("grant", "consumed", "log_index", 5)},
        ["permit_mismatch"],
        {},
    ),
    "grant-unknown": (
        {"facts": drop("grants", 0)},
        ["grant_unknown", "evidence_unconfirmed"],
        {},
    ),
    "grant-of-other-terms": (
        {"grant_fact": put("terms", x.grant_id(OTHER_TERMS).hex())},
        ["terms_commitment_mismatch", "evidence_unconfirmed"],
        {},
    ),
    "grant-elsewhere": (
        {"body": put("grant", "recorded", "log_index", 5)},
        ["grant_mismatch"],
        {},
    ),
    "grant-recorded-for-more-uses": (
        {"grant_fact": put("uses", 9)},
        ["terms_commitment_mismatch"],
        {},
    ),
    "grant-recorded-by-another-city": (
        {"grant_fact": put("recorder", x.OTHER)},
        ["terms_commitment_mismatch"],
        {},
    ),
    "grant-revoked-before": (
        {"grant_fact": put("revoked", r.position(80, x.GRANTS))},
        ["grant_revoked"],
        {},
    ),
    "happy-grant-revoked-after": (
        {"grant_fact": put("revoked", r.position(82, x.GRANTS))},
        [],
        {},
    ),
    "grant-window-over": ({"terms": put("not_after", x.NOW + 5)}, ["grant_outside_window"], {}),
    "grant-window-over-and-nothing-at-hand": (
        {"terms": put("not_after", x.NOW + 5), "trust": no_facts},
        ["anchor_unconfirmed", "grant_outside_window", "evidence_unconfirmed"],
        {},
    ),
    "grant-window-not-begun": (
        {"terms": put("not_before", x.NOW + 6)},
        ["grant_outside_window"],
        {},
    ),
    "grant-of-another-chain": ({"terms": put("chain_id", 1)}, ["chain_mismatch"], {}),
    "grants-contract-not-current": (
        {"trust": put("contracts", 2, "from_block", 82)},
        ["chain_mismatch"],
        {},
    ),
    "grant-recorded-after-consumption": (
        {
            "body": put("grant", "recorded", r.position(82, x.GRANTS)),
            "grant_fact": put("recorded", r.position(82, x.GRANTS)),
        },
        ["permit_mismatch"],
        {},
    ),
    # State.
    "status-hidden": ({"facts": with_status(1, 60)}, ["status_mismatch"], {}),
    "status-withdrawn": (
        {"relied": put("status", 1), "facts": with_status(1, 60)},
        ["status_withdrawn"],
        {},
    ),
    "happy-withdrawn-after-the-decision": ({"facts": with_status(1, 85)}, [], {}),
    "status-spent": (
        {"relied": put("status", 4), "facts": with_status(4, 60)},
        ["status_spent"],
        {},
    ),
    "pending-superseded": (
        {"relied": put("status", 2), "facts": with_status(2, 60)},
        ["status_superseded"],
        {},
    ),
    "status-erased": (
        {"relied": put("status", 10), "facts": both(with_status(2, 60), add_status(8, 61))},
        ["status_erased"],
        {},
    ),
    "state-read-before-the-permit": (
        {"body": put("state_block", "number", 80)},
        ["state_block_impossible"],
        {},
    ),
    "state-read-after-the-decision": (
        {"body": put("state_block", "timestamp", x.NOW + 91)},
        ["state_block_impossible"],
        {},
    ),
    "decided-before-the-permit": (
        {"body": both(put("decided_at", x.NOW - 30), put("state_block", "timestamp", x.NOW - 30))},
        ["decision_before_permit"],
        {},
    ),
    "validity-over": ({"fields": fields(valid_until="2026-01-31")}, ["validity_over"], {}),
    "validity-not-begun": (
        {"fields": fields(valid_from="2031-01-01")},
        ["validity_not_begun"],
        {},
    ),
    # Person and purpose.
    "subject-not-of-the-terms": ({"body": opened_as_somebody}, ["subject_mismatch"], {}),
    "subject-without-number": (
        {
            "terms": put("subject", x.commit("subject", {"name": "张三"}, "subject").hex()),
            "body": put("openings", "subject", "body", {"name": "张三"}),
        },
        ["subject_mismatch"],
        {},
    ),
    "subject-not-in-the-material": (
        {"fields": fields(subjects=[{"scheme": "passport", "number": "E1"}])},
        ["subject_not_in_material"],
        {},
    ),
    "subjects-no-list": ({"fields": fields(subjects="张三")}, ["subject_not_in_material"], {}),
    "item-not-of-the-terms": (
        {"body": edit_opening("item", "code", "other")},
        ["purpose_mismatch"],
        {},
    ),
    "case-not-of-the-terms": (
        {"body": edit_opening("case", "number", "2026-0043")},
        ["purpose_mismatch"],
        {},
    ),
    "evidence-not-the-recorded-one": (
        {"grant_fact": put("evidence", "00" * 32)},
        ["evidence_commitment_mismatch"],
        {},
    ),
    "evidence-salt-changed": (
        {"request": put("evidence_salt", "00" * 32)},
        ["evidence_commitment_mismatch"],
        {},
    ),
    "evidence-for-other-terms": (
        {
            "evidence": lambda old: x.counter(x.challenge(x.grant_id(OTHER_TERMS))),
        },
        ["evidence_invalid"],
        {},
    ),
    "evidence-officer-did-not-sign": ({"evidence": other_officer}, ["evidence_officer"], {}),
    "evidence-one-officer-for-sensitive": (
        {},
        ["evidence_officer"],
        {"sensitive_types": ["marriage-cert"]},
    ),
    "evidence-passkey-of-another-page": (
        {
            "terms": put("basis", "passkey"),
            "evidence": lambda old: x.passkey(
                bytes.fromhex(old["challenge"]), origin="https://evil.example"
            ),
            "grant_fact": put("basis", 1),
        },
        ["evidence_passkey"],
        {},
    ),
    "happy-passkey": (
        {
            "terms": put("basis", "passkey"),
            "evidence": lambda old: x.passkey(bytes.fromhex(old["challenge"])),
            "grant_fact": put("basis", 1),
        },
        [],
        {},
    ),
    "evidence-credential-never-anchored": (
        {"facts": drop("heads", 0)},
        ["evidence_credential"],
        {},
    ),
    "happy-credential-superseded-not-withdrawn": (
        {"facts": lambda facts: facts | {"statuses": [credential_status(2)]}},
        [],
        {},
    ),
    "evidence-credential-withdrawn": (
        {"facts": lambda facts: facts | {"statuses": [credential_status(1)]}},
        ["evidence_credential"],
        {},
    ),
}
