"""Taking a consent back with the code on the slip, at any member city's window.

The code names the recording city. That city alone judges code and facts and revokes on chain as
recorder; another city's window hands both over sealed. Unknown, wrong and locked are one answer,
after the same work; five wrong tries lock a code for a day.

Crash orders. Judging: a wrong try is counted before it is answered. Revoking: every revocation is
a stored transaction before the answer; asked again with the same bytes, the answer is the same.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ledger_node.core.errors import ConflictError, UnavailableError
from ledger_node.core.event_types import KeyRole
from ledger_node.core.revocation_code import (
    ENTROPY_BYTES,
    SALT_BYTES,
    RevocationCode,
    RevocationCodeError,
    build_code,
    compute_verifier,
    matches,
    parse_code,
)
from ledger_node.core.revocation_messages import (
    REQUEST_VERSION,
    CardShown,
    FactsTold,
    RevocationAnswer,
    RevocationOutcome,
    RevocationRequest,
    compute_revocation_digest,
    encode_revocation_answer,
    encode_revocation_request,
    encode_revocation_secret,
    matches_subject,
    parse_revocation_answer,
    parse_revocation_request,
    parse_revocation_secret,
)
from ledger_node.core.sealed import Subject, compute_seal_info, read_subject
from ledger_node.core.types import CityId, GrantId, Salt
from ledger_node.flows.consenting import Ceremony
from ledger_node.flows.facts import load_chain_view
from ledger_node.flows.finding import EncryptionKeyUnknownError, PeerAnswerMismatchError
from ledger_node.flows.following import catch_up
from ledger_node.flows.granting import load_grant, revoke_grant
from ledger_node.flows.node import Node
from ledger_node.ports.chain import ContractRevertError
from ledger_node.ports.database_consent import RevocationCodeRow, RevocationRow

REVOCATIONS_PATH: Final = "/peer/v1/revocations"
DEADLINE_S: Final = 10.0
MAX_FAILURES: Final = 5
LOCKED_FOR: Final = timedelta(days=1)
REQUESTS_PER_CITY_PER_DAY: Final = 100
_DAY: Final = timedelta(days=1)
_REFUSED: Final = (RevocationOutcome.REFUSED, 0)


class RevocationLimitError(UnavailableError):
    """A city used up the revocations by code that this city judges in a day."""

    code = "revocation_limit_reached"


def issue_revocation_code(node: Node, ceremony: Ceremony) -> RevocationCode:
    """A code for a confirmed ceremony, to be printed now; codes issued before for it are void.

    Raises:
        ConflictError: The ceremony is not confirmed.
    """
    if not ceremony.grants:
        raise ConflictError(
            "授权尚未确认，不能打印撤回码。",
            "The consent is not confirmed yet; there is nothing to withdraw.",
        )
    while True:
        code = build_code(node.city, node.entropy(ENTROPY_BYTES))
        if code is None:
            continue
        salt = node.entropy(SALT_BYTES)
        row = RevocationCodeRow(
            code.selector,
            ceremony.ceremony_id,
            salt,
            compute_verifier(code.secret, salt),
            0,
            None,
            node.clock.now(),
        )
        with node.database.transaction() as tx:
            if tx.consent.find_code(code.selector) is not None:
                continue
            tx.consent.drop_codes(ceremony.ceremony_id)
            tx.consent.save_code(row)
        return code


def revoke_by_code(
    node: Node, typed: str, shown: CardShown | FactsTold
) -> tuple[RevocationOutcome, int]:
    """Take a consent back from this window; (outcome, grants revoked).

    Raises:
        RevocationCodeError: What was typed is no code.
        EncryptionKeyUnknownError, PeerUnavailableError: The recording city cannot be asked now.
        RevocationLimitError: Too many tries today.
    """
    code = parse_code(typed)
    if isinstance(shown, CardShown):
        shown = CardShown(shown.scheme, node.normalise_identifier(shown.scheme, shown.number))
    if code.city == node.city:
        _demand_within_limit(node, node.city)
        outcome, count, ceremony_id = _judge(node, code, shown)
        digest = node.entropy(32)
        _note(node, digest, "own", node.city, ceremony_id, outcome)
        return outcome, count
    return _ask(node, code, shown)


def answer_revocation(node: Node, city: CityId, body: bytes) -> bytes:
    """Judge a code another city's window was given.

    Raises:
        MalformedInputError: Not such a request, or not sealed to this city.
        RevocationLimitError: The city asked too often today.
    """
    request = parse_revocation_request(body)
    digest = compute_revocation_digest(body)
    with node.database.read() as tx:
        known = tx.consent.find_revocation(digest, "answered")
    if known is not None and known.city == city:
        count = len(_list_grants(node, known.ceremony_id)) if known.outcome == "revoked" else 0
        return encode_revocation_answer(
            RevocationAnswer(digest, RevocationOutcome(known.outcome), count)
        )
    _demand_within_limit(node, city)
    opened = node.keys.open_sealed(request.sealed, compute_seal_info(REQUEST_VERSION, request.salt))
    try:
        code, shown = parse_revocation_secret(opened)
    except RevocationCodeError:
        outcome, count, ceremony_id = (*_REFUSED, None)
    else:
        outcome, count, ceremony_id = _judge(node, code, shown)
    _note(node, digest, "answered", city, ceremony_id, outcome)
    return encode_revocation_answer(RevocationAnswer(digest, outcome, count))


def revoke_ceremony(node: Node, ceremony_id: str) -> int:
    """Revoke every grant of a ceremony that is not revoked yet; returns how many there are."""
    grants = _list_grants(node, ceremony_id)
    for grant_id in grants:
        revoke_if_open(node, grant_id)
    return len(grants)


def revoke_if_open(node: Node, grant_id: GrantId) -> None:
    """Revoke a grant unless the chain knows it revoked already."""
    with node.database.read() as tx:
        if tx.chain.find_revocation(grant_id) is not None:
            return
    try:
        revoke_grant(node, grant_id)
    except ContractRevertError:
        catch_up(node)
        with node.database.read() as tx:
            if tx.chain.find_revocation(grant_id) is None:
                raise


def _ask(
    node: Node, code: RevocationCode, shown: CardShown | FactsTold
) -> tuple[RevocationOutcome, int]:
    with node.database.read() as tx:
        key = load_chain_view(tx).current_key(code.city, KeyRole.ENCRYPTION)
    if key is None:
        raise EncryptionKeyUnknownError(
            "撤回码所属城市不在本联盟，或暂时没有有效的加密公钥。请核对撤回码。",
            "The city of this code is no member or has no current key; check the code.",
        )
    salt = Salt(node.entropy(32))
    sealed = node.keys.seal_to(
        key, encode_revocation_secret(code, shown), compute_seal_info(REQUEST_VERSION, salt)
    )
    now_s = int(node.clock.now().timestamp())
    body = encode_revocation_request(RevocationRequest(salt, now_s, sealed))
    digest = compute_revocation_digest(body)
    answer = parse_revocation_answer(
        node.peers.send(code.city, REVOCATIONS_PATH, body, timeout_s=DEADLINE_S).body
    )
    if answer.request != digest:
        raise PeerAnswerMismatchError(code.city)
    _note(node, digest, "made", code.city, None, answer.outcome)
    return answer.outcome, answer.grants


def _judge(
    node: Node, code: RevocationCode, shown: CardShown | FactsTold
) -> tuple[RevocationOutcome, int, str | None]:
    """(outcome, grants, ceremony). The slow hash is computed whatever is known of the code."""
    now = node.clock.now()
    with node.database.read() as tx:
        row = tx.consent.find_code(code.selector) if code.city == node.city else None
    salt, verifier = (row.salt, row.verifier) if row else (bytes(SALT_BYTES), bytes(32))
    right = matches(code.secret, salt, verifier)
    if row is None:
        return (*_REFUSED, None)
    if row.locked_until is not None and row.locked_until > now:
        return (*_REFUSED, row.ceremony_id)
    subject = _load_subject(node, row.ceremony_id)
    if not right or subject is None or not matches_subject(shown, subject):
        failures = row.failures + 1
        locked_until = now + LOCKED_FOR if failures >= MAX_FAILURES else None
        with node.database.transaction() as tx:
            tx.consent.set_failures(row.selector, 0 if locked_until else failures, locked_until)
        return (*_REFUSED, row.ceremony_id)
    if row.failures:
        with node.database.transaction() as tx:
            tx.consent.set_failures(row.selector, 0, None)
    return RevocationOutcome.REVOKED, revoke_ceremony(node, row.ceremony_id), row.ceremony_id


def _load_subject(node: Node, ceremony_id: str) -> Subject | None:
    """Whom the ceremony's grants are about, from what opens their terms."""
    grants = _list_grants(node, ceremony_id)
    if not grants:
        return None
    body = load_grant(node, grants[0]).openings.subject.body
    return read_subject(body)


def _list_grants(node: Node, ceremony_id: str | None) -> list[GrantId]:
    with node.database.read() as tx:
        return tx.consent.list_grants_of_ceremony(ceremony_id) if ceremony_id else []


def _demand_within_limit(node: Node, city: CityId) -> None:
    direction = "own" if city == node.city else "answered"
    with node.database.read() as tx:
        count = tx.consent.count_revocations_since(city, direction, node.clock.now() - _DAY)
    if count >= REQUESTS_PER_CITY_PER_DAY:
        raise RevocationLimitError(
            "今日凭撤回码撤回的次数已达上限，请明日再试，或持证件到登记城市窗口办理。",
            "Too many withdrawals by code today; try tomorrow, or at the recording city's window.",
            city=city,
        )


def _note(
    node: Node,
    digest: bytes,
    direction: str,
    city: CityId,
    ceremony_id: str | None,
    outcome: RevocationOutcome,
) -> None:
    row = RevocationRow(digest, direction, city, ceremony_id, outcome.value, node.clock.now())
    with node.database.transaction() as tx:
        if tx.consent.find_revocation(digest, direction) is None:
            tx.consent.save_revocation(row)
