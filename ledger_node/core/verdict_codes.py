"""Stable codes of a verdict: one per link of the chain of evidence. Added, never reused.

Step 9 of the data flow. Spec: docs/spec/receipt.md, "Codes". Sentences: verdict_sentences.py.
"""

from __future__ import annotations

from enum import StrEnum


class VerdictCode(StrEnum):
    """One code per link of the chain of evidence."""

    # Pending: nothing at hand confirms it.
    RECEIPT_PENDING = "receipt_pending"
    ANCHOR_UNCONFIRMED = "anchor_unconfirmed"
    STATUS_UNCONFIRMED = "status_unconfirmed"
    GRANT_UNCONFIRMED = "grant_unconfirmed"
    PERMIT_UNCONFIRMED = "permit_unconfirmed"
    EVIDENCE_UNCONFIRMED = "evidence_unconfirmed"
    CHAIN_EVIDENCE_MISSING = "chain_evidence_missing"
    # The receipt itself.
    RECEIPT_SIGNATURE_INVALID = "receipt_signature_invalid"
    RECEIPT_SIGNER_MISMATCH = "receipt_signer_mismatch"
    RECEIPT_KEY_UNKNOWN = "receipt_key_unknown"
    RECEIPT_KEY_DISTRUSTED = "receipt_key_distrusted"
    RECEIPT_TIME_IMPOSSIBLE = "receipt_time_impossible"
    RELIANCE_INCLUSION_MISMATCH = "reliance_inclusion_mismatch"
    RELIANCE_ANCHOR_UNKNOWN = "reliance_anchor_unknown"
    RELIANCE_ANCHOR_MISMATCH = "reliance_anchor_mismatch"
    # Material: log and statement.
    INCLUSION_PROOF_MALFORMED = "inclusion_proof_malformed"
    INCLUSION_ROOT_MISMATCH = "inclusion_root_mismatch"
    GENERATION_MISMATCH = "generation_mismatch"
    ANCHOR_UNKNOWN = "anchor_unknown"
    ANCHOR_MISMATCH = "anchor_mismatch"
    ANCHOR_CONTRACT_UNKNOWN = "anchor_contract_unknown"
    ANCHOR_KEY_UNKNOWN = "anchor_key_unknown"
    ANCHOR_KEY_DISTRUSTED = "anchor_key_distrusted"
    STATEMENT_COMMITMENT_MISMATCH = "statement_commitment_mismatch"
    DISCLOSURE_DIGEST_MISMATCH = "disclosure_digest_mismatch"
    DISCLOSURE_MALFORMED = "disclosure_malformed"
    DOCUMENT_DIGEST_MISMATCH = "document_digest_mismatch"
    MATERIAL_NOT_RELEASED = "material_not_released"
    TYPE_NOT_GRANTED = "type_not_granted"
    # State.
    STATUS_MISMATCH = "status_mismatch"
    STATUS_WITHDRAWN = "status_withdrawn"
    STATUS_SUPERSEDED = "status_superseded"
    STATUS_SPENT = "status_spent"
    STATUS_ERASED = "status_erased"
    STATUS_DISPUTED = "status_disputed"
    VALIDITY_NOT_BEGUN = "validity_not_begun"
    VALIDITY_OVER = "validity_over"
    VALIDITY_UNREADABLE = "validity_unreadable"
    # What a receipt carries of the chain.
    HEADER_MALFORMED = "header_malformed"
    HEADER_HASH_MISMATCH = "header_hash_mismatch"
    SEAL_INVALID = "seal_invalid"
    SEAL_FOREIGN = "seal_foreign"
    SEAL_DUPLICATED = "seal_duplicated"
    SEALS_INSUFFICIENT = "seals_insufficient"
    LOG_PROOF_INVALID = "log_proof_invalid"
    STORAGE_PROOF_INVALID = "storage_proof_invalid"
    CONTRACT_CODE_MISMATCH = "contract_code_mismatch"
    # Messages.
    REQUEST_SIGNATURE_INVALID = "request_signature_invalid"
    REQUEST_KEY_INVALID = "request_key_invalid"
    ANSWER_SIGNATURE_INVALID = "answer_signature_invalid"
    ANSWER_KEY_INVALID = "answer_key_invalid"
    ANSWER_DIGEST_MISMATCH = "answer_digest_mismatch"
    ACKNOWLEDGEMENT_INVALID = "acknowledgement_invalid"
    ACKNOWLEDGEMENT_MISMATCH = "acknowledgement_mismatch"
    ACKNOWLEDGEMENT_KEY_INVALID = "acknowledgement_key_invalid"
    # Grant and permit.
    CHAIN_MISMATCH = "chain_mismatch"
    RECEIVER_MISMATCH = "receiver_mismatch"
    GRANT_UNKNOWN = "grant_unknown"
    GRANT_MISMATCH = "grant_mismatch"
    TERMS_COMMITMENT_MISMATCH = "terms_commitment_mismatch"
    GRANT_REVOKED = "grant_revoked"
    GRANT_OUTSIDE_WINDOW = "grant_outside_window"
    PERMIT_UNKNOWN = "permit_unknown"
    PERMIT_MISMATCH = "permit_mismatch"
    DECISION_BEFORE_PERMIT = "decision_before_permit"
    STATE_BLOCK_IMPOSSIBLE = "state_block_impossible"
    # Person and purpose.
    EVIDENCE_COMMITMENT_MISMATCH = "evidence_commitment_mismatch"
    EVIDENCE_INVALID = "evidence_invalid"
    EVIDENCE_OFFICER = "evidence_officer"
    EVIDENCE_PASSKEY = "evidence_passkey"
    EVIDENCE_CREDENTIAL = "evidence_credential"
    SUBJECT_MISMATCH = "subject_mismatch"
    SUBJECT_NOT_IN_MATERIAL = "subject_not_in_material"
    PURPOSE_MISMATCH = "purpose_mismatch"
