"""Identity providers as evidence: key sets pinned as `credential` entries, consents confirmed.

Step 7 of the data flow. A token counts as evidence only under keys that this city committed to
before it was signed: every releasing city verifies it against the anchored entry, not against
what the provider serves today. Pinning is an act of a person, compared by digest; a provider that
changes its keys is pinned again, and the former set serves until the new one is anchored. Keys that
must not be trusted any more are withdrawn: a status of the entry on chain, after which every city
refuses what they signed, earlier signatures included.

Crash orders. Pinning: key of the opening durable -> entry, row and trail in one commit.
Withdrawing: signed transaction and trail in one commit -> broadcast. Confirming: grants, whom they
are about, and the ceremony's end in one commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ledger_node.core.canonical import encode_base64url, encode_canonical
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import ConflictError, MalformedInputError, NotFoundError
from ledger_node.core.evidence_assertion import (
    ProviderCredential,
    encode_provider_credential,
    read_provider_credential,
)
from ledger_node.core.evidence_parts import AssertionEvidence, CredentialProof
from ledger_node.core.sealed import Subject, encode_subject
from ledger_node.core.shapes import Opening
from ledger_node.core.terms import GrantBasis
from ledger_node.core.trail import TrailAction
from ledger_node.core.types import HASH_BYTES, Digest, Salt
from ledger_node.flows.accounts import CONSOLE
from ledger_node.flows.consenting import (
    Ceremony,
    CeremonyMovedError,
    SignatureMissingError,
    change_basis,
    finish_row,
    link_confirmed,
)
from ledger_node.flows.enrolling import (
    build_credential_proof,
    is_credential_withdrawn,
    withdraw_credential,
)
from ledger_node.flows.entries import append_entry, load_opening, prepare_entry
from ledger_node.flows.facts import NotYetAnchoredError
from ledger_node.flows.granting import store_confirmed
from ledger_node.flows.identity import (
    AskedAssertion,
    Assertion,
    Redirect,
    begin_assertion,
    find_provider,
)
from ledger_node.flows.node import Node
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_consent import ProviderRow
from ledger_node.ports.identity import Audience, IdentityProviders, Provider, UnknownProviderError

_ALGORITHM_OF: Final = {"EC": "ES256", "OKP": "EdDSA", "RSA": "RS256"}
_MEMBERS: Final = {
    "EC": ("kty", "kid", "alg", "crv", "x", "y"),
    "OKP": ("kty", "kid", "alg", "crv", "x"),
    "RSA": ("kty", "kid", "alg", "n", "e"),
}


class ProviderPinnedError(ConflictError):
    """Exactly these keys of this provider are pinned already."""

    code = "provider_pinned"

    def __init__(self) -> None:
        super().__init__(
            "该平台的这组公钥已登记，无须重复登记。",
            "These keys of that provider are pinned already; there is nothing to do.",
        )


class ProviderDigestError(ConflictError):
    """The provider serves other keys than the digest that was given.

    Fields: digest (of what it serves, hex).
    """

    code = "provider_digest"

    def __init__(self, digest: str) -> None:
        super().__init__(
            "平台现在公布的公钥与核对的摘要不一致，未登记。请与平台运维方核对。",
            f"The provider serves other keys ({digest}); nothing was pinned: ask who runs it.",
            digest=digest,
        )


class ProviderKeysUnknownError(NotFoundError):
    """Nothing that counts is pinned for this provider under that digest."""

    code = "provider_keys_unknown"

    def __init__(self) -> None:
        super().__init__(
            "该平台没有登记过这组公钥，或已全部撤销。",
            "No such keys are pinned for that provider, or all are withdrawn already.",
        )


class ProviderNotPinnedError(NotFoundError):
    """This provider's keys are not pinned, or not anchored yet: it can confirm no consent."""

    code = "provider_not_pinned"

    def __init__(self) -> None:
        super().__init__(
            "该认证平台还不能用于确认授权。可用通行密钥确认，或到窗口办理。",
            "That provider cannot confirm consents here yet: use a passkey, or go to a window.",
        )


@dataclass(frozen=True, slots=True)
class PinnedKeys:
    """A key set this city committed to.

    Attributes:
        row: The provider and the commitment of the entry.
        digest: `compute_key_set_digest` in hex.
        withdrawn: This city took it back, whether the chain says so finally yet or not.
    """

    row: ProviderRow
    digest: str
    withdrawn: bool


def compute_key_set_digest(credential: ProviderCredential) -> Digest:
    """SHA-256 over RFC 8785 of the keys: what two people compare, 32 bytes."""
    keys = [dict(key) for key in credential.keys]
    return Digest(hashlib.sha256(encode_canonical(keys)).digest())


def fetch_provider_credential(
    node: Node, identity: IdentityProviders, name: str
) -> ProviderCredential:
    """The keys a provider serves now, as they would be pinned.

    Raises:
        UnknownProviderError: No provider of that name signs in citizens.
        IdentityProviderUnavailableError: It does not answer.
        UnexpectedShapeError: Its keys are none that can be pinned.
    """
    provider = _find_citizen_provider(identity, name)
    served = identity.fetch_keys(provider, fresh=True)["keys"]
    keys = [_strip_key(each) for each in served if _may_sign(each)]
    body = {
        **encode_provider_credential(
            ProviderCredential(node.city, provider.issuer, provider.client_id, ())
        ),
        "keys": sorted(keys, key=lambda key: key.get("kid", "")),
    }
    return read_provider_credential(body)


def pin_provider(
    node: Node,
    identity: IdentityProviders,
    name: str,
    *,
    digest: str = "",
    by: str = CONSOLE,
) -> ProviderRow:
    """Commit to the keys a citizens' provider serves now; they count once anchored.

    Args:
        digest: `compute_key_set_digest` in hex as told by whoever runs the provider; empty: taken
            as served.
        by: Account of the administrator.

    Raises:
        ProviderDigestError: It serves other keys.
        ProviderPinnedError: There is nothing new.
        UnknownProviderError, IdentityProviderUnavailableError, UnexpectedShapeError: See
            `fetch_provider_credential`.
    """
    credential = fetch_provider_credential(node, identity, name)
    served = compute_key_set_digest(credential).hex()
    if digest and digest != served:
        raise ProviderDigestError(served)
    pinned = list_pinned(node, identity.providers[name])
    if pinned and pinned[0].digest == served and not pinned[0].withdrawn:
        raise ProviderPinnedError
    prepared = prepare_entry(node, EntryKind.CREDENTIAL, encode_provider_credential(credential))
    now = node.clock.now()
    with node.database.transaction() as tx:
        row = ProviderRow(
            prepared.commitment,
            credential.issuer,
            credential.audience,
            append_entry(node, tx, prepared),
            now,
        )
        tx.consent.save_provider(row)
        tx.trail.log_access(now, by, TrailAction.PROVIDER_PIN, "provider", name)
    return row


def withdraw_provider(
    node: Node, identity: IdentityProviders, name: str, *, digest: str, by: str = CONSOLE
) -> tuple[int, ...]:
    """Take pinned keys back: nothing they signed counts any more. Idempotent while under way.

    Args:
        digest: Of the key set, hex, as `list_pinned` gives it.
        by: Account of the administrator.

    Returns:
        Outbox ids of the status transactions; several if the set was pinned several times.

    Raises:
        ProviderKeysUnknownError: No such keys are pinned, or they are withdrawn already.
        UnknownProviderError: No provider of that name signs in citizens.
        ContractRevertError, LedgerHaltedError, UnavailableError: Not now, or the chain refuses.
    """
    provider = _find_citizen_provider(identity, name)
    found = [
        each for each in list_pinned(node, provider) if each.digest == digest and not each.withdrawn
    ]
    if not found:
        raise ProviderKeysUnknownError

    def note(tx: Transaction) -> None:
        tx.trail.log_access(node.clock.now(), by, TrailAction.PROVIDER_WITHDRAW, "provider", name)

    return tuple(withdraw_credential(node, each.row.commitment, note) for each in found)


def list_pinned(node: Node, provider: Provider) -> list[PinnedKeys]:
    """Everything pinned for a provider, newest first."""
    rows = _list_rows(node, provider)
    digests = [compute_key_set_digest(_open(node, row)).hex() for row in rows]
    with node.database.read() as tx:
        return [
            PinnedKeys(row, digest, is_credential_withdrawn(node, tx, row.commitment))
            for row, digest in zip(rows, digests, strict=True)
        ]


def list_confirming(node: Node, identity: IdentityProviders) -> list[Provider]:
    """Citizens' providers whose word counts as evidence now: pinned and anchored."""
    return [
        each
        for each in identity.providers.values()
        if each.audience is Audience.CITIZEN and _find_proof(node, each) is not None
    ]


def make_provider_opening(node: Node, person: Subject) -> Opening:
    """A fresh opening of the subject commitment for one ceremony; the provider computes the same
    from the salt it is told and its own record (docs/decisions/0012)."""
    number = node.normalise_identifier(person.scheme, person.number)
    subject = Subject(person.scheme, number, person.name)
    return Opening(Salt(node.entropy(HASH_BYTES)), encode_subject(subject))


def begin_provider_confirmation(
    node: Node, identity: IdentityProviders, ceremony: Ceremony, name: str, origin: str
) -> Redirect:
    """Send the person to a provider to confirm everything ticked.

    Effects: terms drawn up for a passkey are drawn up anew for the provider's word.

    Args:
        origin: Of this node's pages.

    Raises:
        SignatureMissingError: Nothing is ticked.
        UnknownProviderError, ProviderNotPinnedError: It cannot confirm here.
        CeremonyMovedError, IllegalTransitionError: It went on meanwhile, or is over.
        IdentityProviderUnavailableError: It does not answer.
    """
    if not ceremony.body.drafts:
        raise SignatureMissingError
    provider = _find_citizen_provider(identity, name)
    if _find_proof(node, provider) is None:
        raise ProviderNotPinnedError
    if ceremony.row.basis != GrantBasis.ASSERTION:
        opening = make_provider_opening(node, ceremony.body.subject)
        ceremony = change_basis(node, ceremony, GrantBasis.ASSERTION, opening)
    opened, challenge = ceremony.body.opening, ceremony.challenge
    if opened is None or challenge is None:
        raise SignatureMissingError
    asked = AskedAssertion(
        ceremony.ceremony_id, encode_base64url(challenge), opened.salt, node.origin
    )
    return begin_assertion(node, identity, name, origin, asked)


def confirm_ceremony_by_provider(node: Node, ceremony: Ceremony, assertion: Assertion) -> Ceremony:
    """What the provider signed confirms everything ticked; the grants stand. Idempotent.

    Args:
        assertion: As `flows.identity.finish` gave it, for this ceremony.

    Raises:
        CeremonyMovedError: The assertion is another ceremony's, or what is ticked has changed.
        ProviderNotPinnedError: Its keys do not count here.
        ProviderError: The token does not hold under the pinned keys, or is about somebody else.
        CredentialTooYoungError, CredentialWithdrawnError: The pinned keys do not count.
        IllegalTransitionError: The ceremony is over.
    """
    if assertion.ceremony != ceremony.ceremony_id:
        raise CeremonyMovedError
    if ceremony.grants:
        return ceremony
    challenge = ceremony.challenge
    if challenge is None or assertion.nonce != encode_base64url(challenge):
        raise CeremonyMovedError
    proof = _find_proof(node, assertion.provider)
    if proof is None:
        raise ProviderNotPinnedError
    made_at_s = int(node.clock.now().timestamp())
    evidence = AssertionEvidence(challenge, made_at_s, proof, assertion.id_token)
    after = finish_row(node, ceremony)
    store_confirmed(node, ceremony.drafts, evidence, link_confirmed(node, ceremony, after))
    return Ceremony(replace(after, revision=ceremony.row.revision + 1), ceremony.body)


def _find_citizen_provider(identity: IdentityProviders, name: str) -> Provider:
    provider = find_provider(identity, name)
    if provider.audience is not Audience.CITIZEN:
        raise UnknownProviderError
    return provider


def _list_rows(node: Node, provider: Provider) -> list[ProviderRow]:
    with node.database.read() as tx:
        rows = tx.consent.list_providers()
    wanted = (provider.issuer, provider.client_id)
    return [row for row in rows if (row.issuer, row.audience) == wanted]


def _find_proof(node: Node, provider: Provider) -> CredentialProof | None:
    """The newest pinned keys that are anchored and not taken back."""
    rows = _list_rows(node, provider)
    with node.database.read() as tx:
        rows = [row for row in rows if not is_credential_withdrawn(node, tx, row.commitment)]
    for row in rows:
        try:
            return build_credential_proof(node, row.commitment)
        except NotYetAnchoredError:
            continue
    return None


def _open(node: Node, row: ProviderRow) -> ProviderCredential:
    return read_provider_credential(load_opening(node, row.commitment).body)


def _may_sign(key: Any) -> bool:
    return isinstance(key, Mapping) and key.get("use", "sig") == "sig" and key.get("kty") != "oct"


def _strip_key(key: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are pinned; a key set may carry more."""
    kind = key.get("kty")
    names = _MEMBERS.get(kind) if isinstance(kind, str) else None
    if names is None:
        raise MalformedInputError(
            "平台公布了不支持的密钥种类。", "The provider serves an unsupported kind of key."
        )
    stripped = {name: key[name] for name in names if name in key}
    return {"alg": _ALGORITHM_OF[str(kind)], **stripped}
