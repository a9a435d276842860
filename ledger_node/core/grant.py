"""Whether a grant allows a find or a release: every link of design section 8, as pure decisions.

Step 7 of the data flow, used by steps 6 and 8. The facts are read by the flow at one final block;
the chain's own check (`Grants.consume`) comes last and wins. Spec: docs/spec/terms.md.

Invariants:
    * The city that asks is the owner of the key that signed the message, never a name in its body.
    * Every field the chain recorded must equal the terms; a subset is not enough.
    * Asking beyond the terms refuses the whole request; a material that cannot be given (unknown,
      withdrawn, spent, erased) is refused by itself, and the rest goes on.
Not here: signatures over the terms (evidence.py), codes and sentences (refusal.py),
facts (grant_facts.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger_node.core.event_types import StatusFlag
from ledger_node.core.grant_facts import (
    AskedMaterial,
    DecidingCity,
    GrantOnChain,
    HeldMaterial,
    ReleaseDecision,
    ReleaseFacts,
    StrikeOuts,
)
from ledger_node.core.refusal import ALLOWED, Decision, Refusal
from ledger_node.core.statement import get_statement_type
from ledger_node.core.terms import Terms, TypeGrant
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import Commitment

MAX_HEAD_SKEW_S = 30


def apply_strike_outs(terms: Terms, strike_outs: StrikeOuts) -> tuple[TypeGrant, ...]:
    """What remains granted per type; types of which nothing remains are left out."""
    remaining = (
        TypeGrant(
            granted.code,
            tuple(
                name for name in granted.fields if (granted.code, name) not in strike_outs.fields
            ),
            granted.documents and granted.code not in strike_outs.documents,
        )
        for granted in terms.types
        if granted.code not in strike_outs.types
    )
    return tuple(granted for granted in remaining if granted.fields or granted.documents)


def decide_find(
    terms: Terms, deciding: DecidingCity, types: Sequence[str], grant: GrantOnChain | None
) -> Decision:
    """Whether a find under these terms may be answered.

    Args:
        terms: With evidence the caller has verified.
        deciding: The asked city and the message.
        types: Type codes asked for.
        grant: As on chain; a grant need not be recorded for a find, but a revoked one ends it.
    """
    refusal = _find_party_refusal(terms, deciding) or _find_window_refusal(
        terms, deciding.block_timestamp_s
    )
    if refusal is not None:
        return Decision(refusal)
    if grant is not None and grant.revoked:
        return Decision(Refusal.GRANT_REVOKED)
    if not types:
        return Decision(Refusal.NOTHING_ASKED)
    if any(terms.find_type(code) is None for code in types):
        return Decision(Refusal.TYPE_NOT_GRANTED)
    return ALLOWED


def decide_release(
    terms: Terms, facts: ReleaseFacts, asked: Sequence[AskedMaterial]
) -> ReleaseDecision:
    """Whether, and what, a city releases under a grant.

    Args:
        terms: With evidence the caller has verified.
        facts: Read at one final block.
        asked: Materials of the request, each with what is held; distinct commitments.
    """
    refusal = (
        _find_party_refusal(terms, facts.deciding)
        or _find_grant_refusal(terms, facts)
        or _find_window_refusal(terms, facts.deciding.block_timestamp_s)
    )
    if refusal is None and not asked:
        refusal = Refusal.NOTHING_ASKED
    if refusal is not None:
        return ReleaseDecision(refusal)
    granted = {each.code: each for each in apply_strike_outs(terms, facts.strike_outs)}
    refused: dict[Commitment, Refusal] = {}
    for each in asked:
        reason = _find_state_refusal(each, facts.subject_tag)
        if reason is not None:
            refused[each.commitment] = reason
        beyond = _find_scope_refusal(terms, facts.strike_outs, granted, each, reason)
        if beyond is not None:
            return ReleaseDecision(beyond)
    first = next(iter(refused.values())) if len(refused) == len(asked) else None
    superseded = frozenset(
        each.commitment
        for each in asked
        if each.commitment not in refused
        and each.held is not None
        and StatusFlag.SUPERSEDED in each.held.status
    )
    return ReleaseDecision(first, refused, superseded)


def _find_party_refusal(terms: Terms, deciding: DecidingCity) -> Refusal | None:
    if abs(deciding.block_timestamp_s - deciding.now_s) > MAX_HEAD_SKEW_S:
        return Refusal.CHAIN_STALE
    if (terms.chain_id, terms.grants) != (deciding.chain_id, deciding.grants):
        return Refusal.WRONG_CHAIN
    if terms.releasing != deciding.city:
        return Refusal.NOT_RELEASER
    if terms.receiving != deciding.requester:
        return Refusal.NOT_RECEIVER
    if not {terms.recording, terms.releasing, terms.receiving} <= deciding.good_standing:
        return Refusal.NOT_IN_GOOD_STANDING
    if terms.basis in deciding.refused_bases:
        return Refusal.BASIS_REFUSED
    return None


def _find_window_refusal(terms: Terms, block_timestamp_s: int) -> Refusal | None:
    if block_timestamp_s < terms.not_before_s:
        return Refusal.GRANT_NOT_YET_VALID
    if block_timestamp_s >= terms.not_after_s:
        return Refusal.GRANT_EXPIRED
    return None


def _find_grant_refusal(terms: Terms, facts: ReleaseFacts) -> Refusal | None:
    grant = facts.grant
    if facts.encryption_key_owner != terms.receiving:
        return Refusal.FOREIGN_ENCRYPTION_KEY
    if grant is None:
        return Refusal.GRANT_MISSING
    if grant.revoked:
        return Refusal.GRANT_REVOKED
    expected = (
        compute_grant_id(terms),
        terms.releasing,
        terms.receiving,
        terms.recording,
        terms.not_before_s,
        terms.not_after_s,
        terms.uses,
        terms.basis.on_chain,
    )
    recorded = (
        grant.grant_id,
        grant.releasing,
        grant.receiving,
        grant.recorder,
        grant.not_before_s,
        grant.not_after_s,
        grant.uses,
        grant.basis,
    )
    if recorded != expected:
        return Refusal.GRANT_DIFFERS
    if grant.evidence != facts.evidence:
        return Refusal.EVIDENCE_DIFFERS
    if not facts.purpose_opened:
        return Refusal.PURPOSE_MISMATCH
    return Refusal.GRANT_USED_UP if grant.uses_left <= 0 else None


def _find_state_refusal(asked: AskedMaterial, subject_tag: bytes) -> Refusal | None:
    held = asked.held
    if held is None or held.commitment != asked.commitment:
        return Refusal.MATERIAL_UNKNOWN
    if subject_tag not in held.subject_tags:
        return Refusal.SUBJECT_MISMATCH
    if not held.anchored:
        return Refusal.MATERIAL_NOT_ANCHORED
    for flag, reason in (
        (StatusFlag.ERASED, Refusal.MATERIAL_ERASED),
        (StatusFlag.WITHDRAWN, Refusal.MATERIAL_WITHDRAWN),
        (StatusFlag.SPENT, Refusal.MATERIAL_SPENT),
    ):
        if flag in held.status:
            return reason
    return None


def _find_scope_refusal(
    terms: Terms,
    strike_outs: StrikeOuts,
    granted: Mapping[str, TypeGrant],
    asked: AskedMaterial,
    state: Refusal | None,
) -> Refusal | None:
    if asked.commitment in strike_outs.materials:
        return Refusal.MATERIAL_NOT_GRANTED
    if terms.materials is not None and asked.commitment not in terms.materials:
        return Refusal.MATERIAL_NOT_GRANTED
    if not asked.positions and not asked.documents:
        return Refusal.NOTHING_ASKED
    if state in (Refusal.MATERIAL_UNKNOWN, Refusal.SUBJECT_MISMATCH) or asked.held is None:
        return None  # looking further would tell what another person's material is
    allowed = granted.get(asked.held.type_code)
    if allowed is None:
        return Refusal.TYPE_NOT_GRANTED
    return _find_field_refusal(asked, asked.held, allowed)


def _find_field_refusal(
    asked: AskedMaterial, held: HeldMaterial, allowed: TypeGrant
) -> Refusal | None:
    statement_type = get_statement_type(held.type_code, held.type_version)
    first_document = 1 + len(statement_type.fields)
    documents = {position - first_document for position in asked.positions}
    documents = {index for index in documents if index >= 0} | set(asked.documents)
    if documents and not allowed.documents:
        return Refusal.DOCUMENTS_NOT_GRANTED
    if any(index >= held.document_count for index in documents):
        return Refusal.DOCUMENTS_NOT_GRANTED
    for position in asked.positions:
        name = statement_type.name_at(position)
        if 0 < position < first_document and name not in allowed.fields:
            return Refusal.FIELD_NOT_GRANTED
    return None
