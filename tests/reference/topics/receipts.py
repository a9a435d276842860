"""Vectors of receipts: every link of the chain of evidence broken once, by whoever could do it.

`registration/` and `reliance/` hold semantic damages: what follows the damaged step is made anew,
so a lie in `body` is signed and logged by the relying city itself. `spelling/` holds bytes that are
no receipt at all, `trust/` trust files.
"""

from functools import cache

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import receipts as r
from tests.reference.vector_files import flip_bit, vector


@cache
def happy():
    return r.Story()


FOREIGN = f.sha256(b"stolen")


def put(*path_and_value):
    """A change that sets one member deep inside."""
    *path, last, value = path_and_value

    def change(old):
        node = old
        for name in path:
            node = node[name]
        node[last] = value
        return old

    return change


def flip_hex(*path):
    """A change that flips one bit of a hex text."""

    def change(old):
        node = old
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = flip_bit(bytes.fromhex(node[path[-1]])).hex()
        return old

    return change


def both(*changes):
    def change(old):
        for each in changes:
            old = each(old)
        return old

    return change


def no_facts(trust):
    return trust | {"facts": None}


def drop(name, index):
    """Facts without one item."""

    def change(facts):
        return facts | {name: [each for at, each in enumerate(facts[name]) if at != index]}

    return change


def key_of(city, role, **changes):
    """Trust with one key changed."""

    def change(trust):
        member = next(each for each in trust["members"] if each["city"] == city)
        key = next(each for each in member["keys"] if each["role"] == role)
        key |= changes
        return trust

    return change


def with_status(flag, block):
    def change(facts):
        return facts | {"statuses": [happy().status(flag, block)]}

    return change


def add_status(flag, block):
    return lambda facts: facts | {"statuses": [*facts["statuses"], happy().status(flag, block)]}


def earlier(seconds):
    """Facts that end before the last block of the story."""
    return put("as_of", {"number": 10, "hash": "00" * 32, "timestamp": x.ANCHORED_AT - seconds})


def fields(**changes):
    return lambda old: [(name, changes.get(name, value)) for name, value in old]


def extra_disclosure(body):
    body["disclosed"][1]["text"] = f.disclosure(x.salt("false"), "document.0", r.DOCUMENT)
    return body


def misnamed(old):
    return [(name, value) if name != "valid_until" else ("valid_to", value) for name, value in old]


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


def swap_city(facts):
    facts["heads"][1]["city"] = x.RECEIVING
    facts["heads"].sort(key=lambda head: (head["city"], head["size"]))
    return facts


def other_officer(evidence):
    """The signature of somebody who never signed this."""
    signature = f.b64(x.sign(x.SEEDS["wang"], b"something else"))
    evidence["officers"][0]["signature"] = signature
    return evidence


def resealed(**changes):
    """A body edit of the decision; the relying city signs and logs it anew."""
    return lambda body: body | changes


def message_flip(name):
    def change(body):
        headers = body[name]["headers"]
        at = headers["signature"].index(":") + 1
        letter = "B" if headers["signature"][at] == "A" else "A"
        headers["signature"] = headers["signature"][:at] + letter + headers["signature"][at + 1 :]
        return body

    return change


def edit_opening(name, key, value):
    return put("openings", name, "body", key, value)


def credential_status(flag):
    return happy().status(flag, 60) | {"leaf_hash": x.credential_leaf("wang").hex()}


def opened_as_somebody(body):
    body["openings"]["subject"]["body"]["number"] = "510107200001010010"
    return body


OTHER_TERMS = x.terms(salt=x.salt("other terms").hex())

RELIANCE = {
    "happy": ({}, [], {}),
    "happy-with-its-document": ({}, [], {"document": "own"}),
    "happy-two-officers-sensitive": (
        {"officers": lambda old: ["wang", "li"]},
        [],
        {"sensitive_types": ["marriage-cert"]},
    ),
    "happy-subjects-not-shown": ({"relied_shown": lambda old: [0, 3, 12]}, [], {}),
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


def _semantic(kind, cases):
    for name, (edits, codes, arguments) in cases.items():
        story = r.Story(**edits) if edits else happy()
        document = arguments.get("document", b"")
        if document == "own":
            document = f.sha256("结婚证扫描件".encode())
        state = "pending" if name.startswith("pending") else "fails"
        yield vector(
            f"receipt/{kind}",
            name,
            f"{kind} receipt: {name.replace('-', ' ')}",
            receipt=f.jcs(getattr(story, kind)).decode(),
            trust=f.jcs(story.trust).decode(),
            document=document,
            sensitive_types=arguments.get("sensitive_types", []),
            state="holds" if name.startswith("happy") else state,
            codes=codes,
        )


def _spelling():
    registration, reliance = happy().registration, happy().reliance
    text = f.jcs(registration)
    seal = registration["seal"]
    spellings = {
        "blank-inside": text.replace(b":", b": ", 1),
        "members-out-of-order": b'{"v":"tongban/receipt/v0",' + text[1:-28] + b"}",
        "cut-off": text[:-1],
        "empty": b"",
        "not-an-object": b"[]",
        "no-json": b"PK\x03\x04",
        "other-version": f.jcs(registration | {"v": "tongban/receipt/v1"}),
        "unknown-kind": f.jcs(registration | {"kind": "registered"}),
        "kind-of-the-other": f.jcs(registration | {"kind": "reliance", "seal": None}),
        "unknown-member": f.jcs(registration | {"note": "x"}),
        "member-missing": f.jcs({k: v for k, v in registration.items() if k != "seal"}),
        "body-a-list": f.jcs(registration | {"body": []}),
        "upper-case-signature-key": f.jcs(registration | {"keyid": registration["keyid"].upper()}),
        "signature-too-short": f.jcs(registration | {"signature": f.b64(bytes(63))}),
        "signature-unpadded": f.jcs(
            registration | {"signature": registration["signature"].rstrip("=")}
        ),
        "seal-with-salt": f.jcs(registration | {"seal": seal | {"salt": "00" * 32}}),
        "seal-unknown-member": f.jcs(registration | {"seal": seal | {"note": 1}}),
        "upper-case-root": f.jcs(registration | {"seal": seal | {"root": "AB" * 32}}),
        "body-unknown-member": f.jcs(put("body", "note", 1)(_copy(registration))),
        "no-digests": f.jcs(put("body", "digests", [])(_copy(registration))),
        "positions-falling": f.jcs(
            put("body", "disclosed", registration["body"]["disclosed"][::-1])(_copy(registration))
        ),
        "reliance-seal-without-salt": f.jcs(
            reliance | {"seal": {k: v for k, v in reliance["seal"].items() if k != "salt"}}
        ),
        "reliance-no-materials": f.jcs(put("body", "materials", [])(_copy(reliance))),
        "reliance-material-twice": f.jcs(
            put("body", "materials", reliance["body"]["materials"] * 2)(_copy(reliance))
        ),
        "reliance-answer-not-200": f.jcs(
            put("body", "answer_message", "status", 202)(_copy(reliance))
        ),
        "reliance-status-16": f.jcs(put("body", "materials", 0, "status", 16)(_copy(reliance))),
        "reliance-header-missing": f.jcs(
            put("body", "request_message", "headers", {})(_copy(reliance))
        ),
        "reliance-request-of-other-version": f.jcs(
            put("body", "request", "v", "tongban/release-request/v2")(_copy(reliance))
        ),
        "reliance-role-unknown": f.jcs(put("body", "decision", "role", "mayor")(_copy(reliance))),
    }
    for name, data in spellings.items():
        yield vector(
            "receipt/spelling", name, name.replace("-", " "), "NotAReceiptError", bytes=data
        )
    yield vector("receipt/spelling", "happy-registration", "a registration receipt", bytes=text)
    yield vector("receipt/spelling", "happy-reliance", "a reliance receipt", bytes=f.jcs(reliance))


def _copy(value):
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _trust():
    good = happy().trust
    shape, encoding = "UnexpectedShapeError", "MalformedEncodingError"

    def case(name, error=None, **changes):
        data = f.jcs(_copy(good) | changes)
        return vector("receipt/trust", name, name.replace("-", " "), error, bytes=data)

    def facts(*path_and_value):
        return {"facts": put(*path_and_value)(_copy(good["facts"]))}

    def member(*path_and_value):
        return {"members": put(*path_and_value)(_copy(good["members"]))}

    keys = good["members"][0]["keys"]
    first, second = keys[0] | {"valid_until": x.NOW}, keys[0] | {"valid_from": x.NOW}
    yield case("happy")
    yield case("happy-without-facts", facts=None)
    yield case("happy-key-replaced", **member(0, "keys", [first, second, *keys[1:]]))
    yield case("other-version", "UnknownVersionError", v="tongban/trust/v2")
    yield case("unknown-member", shape, note="x")
    yield case("domain-with-blank", "MalformedOriginError", consortium="tongban example")
    yield case("chain-id-zero", shape, chain_id=0)
    yield case("genesis-short", encoding, genesis="00")
    yield case("validators-not-yet", shape, validators=["x"])
    yield case("members-falling", shape, members=good["members"][::-1])
    yield case("member-twice", shape, members=good["members"][:1] * 2)
    yield case("contracts-falling", shape, contracts=good["contracts"][::-1])
    yield case(
        "contract-role-unknown",
        shape,
        contracts=[good["contracts"][0] | {"role": "proxy"}],
    )
    yield case("key-role-unknown", shape, **member(0, "keys", 0, "role", "root"))
    yield case("keys-overlap", shape, **member(0, "keys", [keys[0], second]))
    late = first | {"valid_until": x.NOW + 1}
    yield case("keys-overlap-by-a-second", shape, **member(0, "keys", [late, second]))
    yield case("keys-falling", shape, **member(0, "keys", keys[::-1]))
    yield case("key-short", encoding, **member(0, "keys", 0, "key", "00"))
    yield case("heads-falling", shape, **facts("heads", good["facts"]["heads"][::-1]))
    yield case("head-twice", shape, **facts("heads", good["facts"]["heads"][:1] * 2))
    yield case("head-empty", shape, **facts("heads", 0, "size", 0))
    yield case("grant-twice", shape, **facts("grants", good["facts"]["grants"] * 2))
    yield case("basis-5", shape, **facts("grants", 0, "basis", 5))
    yield case("status-3", shape, **facts("statuses", [happy().status(3, 60)]))
    yield case("happy-status", **facts("statuses", [happy().status(2, 60)]))
    yield case(
        "consumption-twice", shape, **facts("consumptions", good["facts"]["consumptions"] * 2)
    )
    yield case("facts-unknown-member", shape, **facts("note", "x"))


def build_vectors():
    yield from _semantic("registration", REGISTRATION)
    yield from _semantic("reliance", RELIANCE)
    yield from _spelling()
    yield from _trust()
