"""Damages of receipts of version 1: what they carry of the chain, each link broken once.

Edits of `body` are lies of the relying city, signed and logged anew by it. name -> (receipt kind,
edits, codes of the verdict, whether the chain has seals).
"""

import rlp

from tests.reference import blocks as b
from tests.reference import exchange as x
from tests.reference import receipts_v1 as v
from tests.reference import tree
from tests.reference.receipt_edits import OTHER_TERMS, happy, put
from tests.reference.receipts import AS_OF

MATERIAL, RECORDED, CONSUMED, STATE, RELIANCE = 20, 79, 81, 82, 84
HEADER = {number: at for at, number in enumerate((19, MATERIAL, RECORDED, CONSUMED, STATE, 84))}
LOG = {number: at for at, number in enumerate((19, MATERIAL, RECORDED, CONSUMED, RELIANCE))}


def refields(number, change):
    """A carried header with its fields changed after it was sealed."""

    def edit(chain):
        fields = rlp.decode(bytes.fromhex(chain["headers"][HEADER[number]]))
        chain["headers"][HEADER[number]] = rlp.encode(change(list(fields))).hex()
        return chain

    return {"reliance_chain": edit}


def set_field(at, value):
    return lambda fields: [*fields[:at], value, *fields[at + 1 :]]


def seals(change):
    """The seals of one header after `change(list)`."""

    def edit(fields):
        return b.edit_extra(fields, lambda items: items.__setitem__(4, change(list(items[4]))))

    return refields(STATE, edit)


def seal_block_hash(fields):
    """Round 1, but the validators sealed the block hash, which leaves the round out."""
    resealed = b.reseal(fields, round_number=1)
    digest = b.block_hash(resealed)
    made = [key.sign_msg_hash(digest).to_bytes() for key in b.KEYS[:3]]
    return b.edit_extra(resealed, lambda items: items.__setitem__(4, made))


def stranger(fields):
    """Sealed and named by somebody who is no validator."""
    own = [key.public_key.to_canonical_address() for key in b.KEYS[4:]]
    return b.reseal(fields, (4,), named=own)


def other_engine(fields):
    return [*fields[:13], bytes(32), *fields[14:]]


def drop_at(name, index):
    def edit(chain):
        del chain[name][index]
        return chain

    return {"reliance_chain": edit}


def cut(*path):
    """A proof without its last node."""

    def edit(chain):
        node = chain
        for name in path:
            node = node[name]
        node["proof"] = node["proof"][:-1]
        return chain

    return {"reliance_chain": edit}


def event(number, *values):
    """The story's log of a block with other values at (topic or word, value) pairs."""

    def edit(receipts):
        log = receipts[v.TRANSACTION]["logs"][v.LOG]
        for place, value in values:
            if place < 4:
                log["topics"][place] = "0x" + value.hex()
            else:
                at = 2 + 64 * (place - 4)
                log["data"] = log["data"][:at] + value.hex() + log["data"][at + 64 :]
        return receipts

    return {f"receipts_{number}": edit}


def flags(number, **words):
    named = {"material": None, "wang": x.credential_leaf("wang")}

    def edit(_):
        leaf = material_leaf()
        return {named[name] or leaf: word for name, word in words.items()}

    return {f"flags_{number}": edit}


def material_leaf():
    return tree.leaf_hash(x.entry(1, happy().commitment))


def failed(receipts):
    receipts[v.TRANSACTION]["status"] = "0x0"
    return receipts


def elsewhere(receipts):
    receipts[v.TRANSACTION]["logs"][v.LOG]["address"] = "0x" + "99" * 20
    return receipts


def facts_that_hold_nothing(trust):
    nothing = {name: [] for name in ("heads", "statuses", "grants", "consumptions")}
    return trust | {"facts": {"as_of": AS_OF, **nothing}}


WORD = bytes(31) + b"\x09"
NOTHING = {name: [] for name in ("headers", "logs", "accounts")}
SEALS = {
    "happy": ({}, []),
    "happy-two-officers": ({"officers": lambda _: ["wang", "li"]}, []),
    "happy-sealed-by-all": ({"engine": lambda _: {"signers": (0, 1, 2, 3)}}, []),
    "happy-of-round-one": ({"engine": lambda _: {"signers": (1, 2, 3), "round_number": 1}}, []),
    "happy-header-names-no-validators": (
        {"engine": lambda _: {"signers": (0, 1, 2), "named": []}},
        [],
    ),
    "happy-header-of-a-later-fork": (
        {"engine": lambda _: {"signers": (0, 1, 2), "further": [b"\x07", bytes(32)]}},
        [],
    ),
    "pending-without-chain": (
        {"reliance_chain": lambda _: None},
        ["chain_evidence_missing", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "pending-nothing-carried": (
        {"reliance_chain": lambda _: NOTHING},
        ["anchor_unconfirmed", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "pending-trust-file-names-no-validators-of-these-blocks": (
        {
            "trust_v1": lambda trust: (
                trust | {"validators": [trust["validators"][0] | {"from_block": 100}]}
            ),
            "reliance_chain": lambda chain: (
                chain | {"headers": chain["headers"][1:], "logs": chain["logs"][1:]}
            ),
        },
        ["anchor_unconfirmed", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    # Headers.
    "header-cut-off": (
        {"reliance_chain": lambda c: c | {"headers": [c["headers"][0][:-2], *c["headers"][1:]]}},
        ["header_malformed", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "headers-falling": (
        {"reliance_chain": lambda chain: chain | {"headers": chain["headers"][::-1]}},
        ["header_malformed", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "header-with-another-state-root": (
        refields(STATE, set_field(3, bytes(32))),
        ["header_hash_mismatch", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "header-with-another-receipts-root": (
        refields(CONSUMED, set_field(5, bytes(32))),
        ["header_hash_mismatch", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "state-block-of-another-hash": (
        {"body": put("state_block", "hash", "00" * 32)},
        ["header_hash_mismatch", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "consumption-at-another-time": (
        {"body": put("grant", "consumed", "block_timestamp", x.NOW + 6)},
        ["header_hash_mismatch", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    # Seals.
    "two-of-four-seals": (
        seals(lambda made: made[:2]),
        ["seals_insufficient", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "duplicated-seal": (
        seals(lambda made: [*made[:2], made[0]]),
        ["seal_duplicated", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "seal-that-is-no-signature": (
        seals(lambda made: [*made[:2], bytes(65)]),
        ["seal_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "foreign-validator-beside-enough": (
        {"engine": lambda _: {"signers": (0, 1, 2, 4)}},
        ["seal_foreign", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "validators-named-by-the-header": (
        {f"header_{STATE}": stranger},
        ["seal_foreign", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "one-rule-for-both-hashes": (
        {f"header_{STATE}": seal_block_hash},
        ["seal_foreign", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "header-of-an-engine-without-seals": (
        {f"header_{STATE}": other_engine},
        ["seals_insufficient", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    # Logs.
    "log-proof-truncated": (
        cut("logs", LOG[CONSUMED]),
        ["log_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "log-of-another-transaction": (
        {"reliance_chain": put("logs", LOG[CONSUMED], "transaction", 2)},
        ["log_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "log-of-a-contract-nobody-knows": (
        {f"receipts_{CONSUMED}": elsewhere},
        ["log_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "log-of-a-failed-transaction": (
        {f"receipts_{CONSUMED}": failed},
        ["log_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "log-without-its-header": (
        {
            "reliance_chain": lambda chain: (
                chain | {"headers": [*chain["headers"][:3], *chain["headers"][4:]]}
            )
        },
        ["log_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "head-of-another-root": (event(MATERIAL, (5, bytes(32))), ["anchor_unknown"]),
    "head-of-another-city": (
        event(MATERIAL, (1, int(x.OTHER).to_bytes(32, "big"))),
        ["anchor_unknown"],
    ),
    "head-log-left-out": (drop_at("logs", LOG[MATERIAL]), ["anchor_unconfirmed"]),
    "material-anchored-elsewhere": (
        {"body": put("materials", 0, "anchored", "transaction", 0)},
        ["anchor_mismatch"],
    ),
    "reliance-head-of-another-root": (
        event(RELIANCE, (5, bytes(32))),
        ["reliance_anchor_unknown"],
    ),
    "reliance-anchored-elsewhere": (
        {"reliance_seal": put("anchored", "log", 0)},
        ["reliance_anchor_mismatch"],
    ),
    "permit-of-other-bytes": (event(CONSUMED, (2, bytes(31) + b"\x01")), ["permit_mismatch"]),
    "permit-of-another-grant": (event(CONSUMED, (1, bytes(31) + b"\x01")), ["permit_mismatch"]),
    "permit-elsewhere": (
        {"body": put("grant", "consumed", "transaction", 2)},
        ["permit_mismatch"],
    ),
    "permit-log-left-out": (drop_at("logs", LOG[CONSUMED]), ["permit_unconfirmed"]),
    "grant-of-other-terms": (
        event(RECORDED, (1, x.grant_id(OTHER_TERMS))),
        ["terms_commitment_mismatch", "evidence_unconfirmed"],
    ),
    "grant-for-more-uses": (event(RECORDED, (7, WORD)), ["terms_commitment_mismatch"]),
    "grant-elsewhere": ({"body": put("grant", "recorded", "log", 0)}, ["grant_mismatch"]),
    "grant-log-left-out": (
        drop_at("logs", LOG[RECORDED]),
        ["grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "evidence-not-the-recorded-one": (
        event(RECORDED, (9, bytes(31) + b"\x01")),
        ["evidence_commitment_mismatch"],
    ),
    # State.
    "storage-proof-truncated": (
        cut("accounts", 1, "slots", 0),
        ["storage_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "account-proof-truncated": (
        cut("accounts", 1),
        ["storage_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "account-that-is-not-there": (
        {f"account_{STATE}": lambda _: None},
        ["storage_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "status-of-another-slot": (
        {"reliance_chain": put("accounts", 1, "slots", 0, "slot", "00" * 32)},
        ["storage_proof_invalid", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "contract-with-other-code": (
        {"trust_v1": put("contracts", 1, "code_hash", "00" * 32)},
        ["contract_code_mismatch", "grant_unconfirmed", "evidence_unconfirmed"],
    ),
    "status-hidden": (flags(STATE, material=1), ["status_mismatch"]),
    "status-withdrawn": (
        flags(STATE, material=1) | {"relied": put("status", 1)},
        ["status_withdrawn"],
    ),
    "status-erased": (
        flags(STATE, material=10) | {"relied": put("status", 10)},
        ["status_erased"],
    ),
    "pending-superseded": (
        flags(STATE, material=2) | {"relied": put("status", 2)},
        ["status_superseded"],
    ),
    "status-left-out": (
        {"reliance_chain": put("accounts", 1, "slots", [])},
        ["status_unconfirmed"],
    ),
    "credential-head-left-out": (drop_at("logs", 0), ["evidence_unconfirmed"]),
    "credential-status-left-out": (drop_at("accounts", 0), ["evidence_unconfirmed"]),
    "credential-withdrawn": (flags(RECORDED, wang=1), ["evidence_credential"]),
    "facts-that-were-read-hold-no-such-head": (
        {"trust_v1": facts_that_hold_nothing},
        ["anchor_unknown", "grant_unknown", "evidence_unconfirmed"],
    ),
}
PENDING = {
    "head-log-left-out",
    "permit-log-left-out",
    "grant-log-left-out",
    "status-left-out",
    "unsealed-log-left-out",
    "credential-head-left-out",
    "credential-status-left-out",
}
REGISTRATION = {
    "happy": ({}, []),
    "pending-without-chain": (
        {"registration_chain": lambda _: None},
        ["chain_evidence_missing", "status_unconfirmed"],
    ),
    "pending-without-seal": (
        {"registration_seal": lambda _: None},
        ["receipt_pending"] * 3,
    ),
    "anchored-elsewhere": (
        {"registration_seal": put("anchored", "transaction", 0)},
        ["anchor_mismatch"],
    ),
    "withdrawn": (flags(STATE, material=1), ["status_withdrawn"]),
    "pending-status-left-out": (
        {"registration_chain": put("accounts", [])},
        ["status_unconfirmed"],
    ),
}
UNSEALED = {
    "happy-on-a-chain-without-seals": ({}, []),
    "unsealed-header-changed": (
        {
            "reliance_chain": lambda c: (
                c | {"headers": [c["headers"][0][:-2] + "01", *c["headers"][1:]]}
            )
        },
        ["header_hash_mismatch", "grant_unconfirmed"],
    ),
    "unsealed-log-proof-truncated": (cut("logs", 0), ["log_proof_invalid", "grant_unconfirmed"]),
    "unsealed-storage-proof-truncated": (
        cut("accounts", 0, "slots", 0),
        ["storage_proof_invalid", "grant_unconfirmed"],
    ),
    "unsealed-log-left-out": (drop_at("logs", 0), ["anchor_unconfirmed"]),
    "unsealed-head-nobody-read": (
        {
            "trust_v1": lambda trust: (
                trust | {"facts": trust["facts"] | {"heads": trust["facts"]["heads"][::2]}}
            )
        },
        ["anchor_unknown"],
    ),
}
