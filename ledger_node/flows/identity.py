"""Signing in at an identity provider, and assertions: code flow with PKCE, state and nonce as rows.

Spec: OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9207; docs/spec/access.md. Only providers
of the settings take part. A sign-in belongs to the browser that began it (a cookie), counts once
and ends after ten minutes.

A *sign-in* gives staff the account that a system administrator linked to them, and citizens their
verified name and number. An *assertion* is a sign-in whose nonce is the challenge of a consent
ceremony: the raw ID token is the evidence (design section 9), and nobody is signed in by it. It
asks for no claims of the person: the provider is told salt and origin of the subject commitment and
signs the commitment (docs/decisions/0012).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from ledger_node.core.canonical import (
    encode_canonical,
    parse_canonical,
    require_members,
    require_text,
)
from ledger_node.core.errors import NotPermittedError
from ledger_node.core.id_token import (
    ExpectedToken,
    IdToken,
    IdTokenError,
    read_claim,
    verify_id_token,
)
from ledger_node.core.sealed import Subject
from ledger_node.core.types import Salt
from ledger_node.flows.node import Node
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.database_accounts import AccountRow, LoginStateRow, SessionRow
from ledger_node.ports.identity import (
    Audience,
    IdentityProviders,
    IdentityProviderUnavailableError,
    Provider,
    Tokens,
    UnknownProviderError,
)

STATE_BYTES: Final = 32
STATE_LIFE: Final = timedelta(minutes=10)
CHECK_EVERY: Final = timedelta(minutes=5)
CHECK_GRACE: Final = timedelta(minutes=15)
CALLBACK: Final = "/login/callback"
SCOPES: Final = {Audience.STAFF: "openid offline_access", Audience.CITIZEN: "openid profile"}
ASSERTION_SCOPE: Final = "openid"  # evidence travels unsealed: nothing of the person in it
_STATE: Final = "login-states"
_REFRESH: Final = "refresh"
_MEMBERS: Final = ("verifier", "nonce", "next", "ceremony")


class ProviderSignInError(NotPermittedError):
    """A sign-in at a provider did not end as it began: refused there, too late, or another's."""

    code = "provider_sign_in"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "未能通过身份认证平台登录。请回到登录页重新开始。",
            f"Signing in at the identity provider did not work ({reason}); start again from the "
            "sign-in page.",
            reason=reason,
        )


class NotConfirmedThereError(NotPermittedError):
    """The person came back from the provider without having confirmed the consent there.

    Fields: ceremony.
    """

    code = "not_confirmed_there"

    def __init__(self, ceremony: str) -> None:
        super().__init__(
            "您没有在认证平台上确认，授权未生效。可重新发起，或到窗口办理。",
            "You did not confirm at the identity provider, so nothing was agreed; begin again, or "
            "go to a window.",
            ceremony=ceremony,
        )
        self.ceremony = ceremony


class NoAccountLinkedError(NotPermittedError):
    """The provider knows the person, this city has no account linked to them (any more)."""

    code = "no_account_linked"

    def __init__(self) -> None:
        super().__init__(
            "您的单位账号未关联本系统，或已停用。请联系系统管理员。",
            "Your organisation's account is not linked here, or was switched off; ask the system "
            "administrator.",
        )


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the browser goes, and what it has to bring back in a cookie of its own."""

    url: str
    browser_token: str


@dataclass(frozen=True, slots=True)
class AskedAssertion:
    """What a provider is asked to vouch for.

    Attributes:
        ceremony: Id of the ceremony; comes back in `Assertion.ceremony`.
        nonce: Challenge of the ceremony's bundle, base64url.
        salt, subject_origin: Open the subject commitment together with the provider's own record.
    """

    ceremony: str
    nonce: str
    salt: Salt
    subject_origin: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a provider asserted, as evidence; it names a commitment, no person.

    Attributes:
        provider: As the settings name it; `provider.city` answers for it.
        id_token: Raw, compact serialisation.
        nonce: It was asked for with.
        ceremony: What it was asked for.
    """

    provider: Provider
    id_token: str
    nonce: str
    ceremony: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody signed in at a provider: staff with an account, or a citizen with a person.

    Attributes:
        second_factor: Whether the provider says that it saw one (`amr` has `mfa`).
        refresh_token: Of staff, for asking again whether they still work there; may be empty.
    """

    provider: Provider
    next: str
    account: AccountRow | None = None
    person: Subject | None = None
    second_factor: bool = False
    refresh_token: str = ""


def find_provider(identity: IdentityProviders, name: str) -> Provider:
    """A provider of the settings.

    Raises:
        UnknownProviderError: There is none of that name.
    """
    provider = identity.providers.get(name)
    if provider is None:
        raise UnknownProviderError
    return provider


def begin_sign_in(
    node: Node, identity: IdentityProviders, name: str, origin: str, next_path: str
) -> Redirect:
    """Send a browser to a provider to sign in.

    Args:
        origin: Of this node's pages; the callback stands below it.
        next_path: Where to go afterwards.

    Raises:
        UnknownProviderError, IdentityProviderUnavailableError: It cannot begin.
    """
    nonce = node.entropy(STATE_BYTES).hex()
    return _begin(node, identity, find_provider(identity, name), origin, nonce, next_path)


def begin_assertion(
    node: Node, identity: IdentityProviders, name: str, origin: str, asked: AskedAssertion
) -> Redirect:
    """Send a citizen's browser to a provider for an assertion.

    Raises:
        UnknownProviderError: No provider of that name signs in citizens.
        IdentityProviderUnavailableError: It does not answer.
    """
    provider = find_provider(identity, name)
    if provider.audience is not Audience.CITIZEN:
        raise UnknownProviderError
    return _begin(node, identity, provider, origin, asked.nonce, "/", asked)


def finish(
    node: Node,
    identity: IdentityProviders,
    origin: str,
    parameters: Mapping[str, str],
    browser_token: str,
) -> SignedIn | Assertion:
    """Take what the provider sent back through the browser.

    Effects: the state is used up first; then the code is redeemed at the provider.

    Args:
        parameters: Query of the callback: `state` and `code`, or `error`; `iss` (RFC 9207).
        browser_token: From the cookie of `begin_sign_in`.

    Raises:
        ProviderSignInError: Refused there, too late, used before, or begun in another browser.
        NotConfirmedThereError: The person did not confirm a consent there.
        IdTokenError: What the provider says does not hold.
        NoAccountLinkedError: Staff without an account here.
        IdentityProviderUnavailableError: It does not answer.
    """
    row = _take_state(node, parameters.get("state", ""), browser_token)
    provider = find_provider(identity, row.provider)
    if parameters.get("iss", provider.issuer) != provider.issuer:
        raise ProviderSignInError("issuer")
    state = _open_state(node, row)
    code = parameters.get("code", "")
    if not code:
        if state["ceremony"]:
            raise NotConfirmedThereError(state["ceremony"])
        raise ProviderSignInError("refused there")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": origin + CALLBACK,
        "code_verifier": state["verifier"],
    }
    tokens = identity.redeem(provider, form)
    if tokens.refused:
        raise ProviderSignInError("code refused")
    token = _verify(node, identity, provider, tokens.id_token, state["nonce"])
    if state["ceremony"]:
        return Assertion(provider, tokens.id_token, state["nonce"], state["ceremony"])
    return _sign_in(node, provider, token, tokens, state["next"])


def compute_external_tag(node: Node, issuer: str, subject: str) -> bytes:
    """Tag under which an account is linked to somebody at a provider, 32 bytes."""
    return node.keys.compute_index_tag(f"oidc {issuer}", subject)


def seal_refresh_token(node: Node, row: SessionRow, refresh_token: str) -> SessionRow:
    """The session with its refresh token sealed into it and its first check now."""
    name = f"session/{row.account_id}"
    part = f"{_REFRESH}/{row.session_hash.hex()}"
    sealed = seal_record(node, name, part, refresh_token.encode())
    return replace(row, sealed_refresh=sealed, checked_at=node.clock.now())


def is_check_due(node: Node, row: SessionRow) -> bool:
    """Whether the provider is to be asked again whether this person may still sign in."""
    return row.checked_at is not None and node.clock.now() - row.checked_at >= CHECK_EVERY


def revalidate(node: Node, identity: IdentityProviders, row: SessionRow) -> bool:
    """Ask the provider again; whether the session goes on.

    One request asks, those beside it go on with the last answer. A provider that says no, or that
    the settings do not name any more, ends the session; one that is silent has a quarter of an
    hour.

    Effects: the check is claimed in a row, then asked, then the new refresh token is stored; a
    crash between leaves a session that the next check ends.
    """
    now = node.clock.now()
    before = row.checked_at
    if before is None or row.sealed_refresh is None:
        return True
    with node.database.transaction() as tx:
        if not tx.accounts.claim_check(row.session_hash, before, now):
            return True
    name, part = f"session/{row.account_id}", f"{_REFRESH}/{row.session_hash.hex()}"
    provider = identity.providers.get(row.provider or "")
    refresh = open_record(node, name, part, row.sealed_refresh).decode()
    try:
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        tokens = Tokens(refused="unknown") if provider is None else identity.redeem(provider, form)
    except IdentityProviderUnavailableError:
        if now - before < CHECK_GRACE:
            with node.database.transaction() as tx:
                tx.accounts.claim_check(row.session_hash, now, before)
            return True
        tokens = Tokens(refused="silent")
    with node.database.transaction() as tx:
        if tokens.refused:
            tx.accounts.end_session(row.session_hash)
        elif tokens.refresh_token:
            renewed = seal_record(node, name, part, tokens.refresh_token.encode())
            tx.accounts.keep_refresh(row.session_hash, renewed)
    return not tokens.refused


def _begin(
    node: Node,
    identity: IdentityProviders,
    provider: Provider,
    origin: str,
    nonce: str,
    next_path: str,
    asked: AskedAssertion | None = None,
) -> Redirect:
    endpoint = identity.fetch_authorization_endpoint(provider)
    state, verifier, browser = (node.entropy(STATE_BYTES).hex() for _ in range(3))
    ceremony = "" if asked is None else asked.ceremony
    content = {"verifier": verifier, "nonce": nonce, "next": next_path, "ceremony": ceremony}
    state_hash = _hash(state)
    sealed = seal_record(node, _STATE, state_hash.hex(), encode_canonical(content))
    expires_at = node.clock.now() + STATE_LIFE
    with node.database.transaction() as tx:
        tx.accounts.save_login_state(
            LoginStateRow(state_hash, _hash(browser), provider.name, sealed, expires_at)
        )
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": origin + CALLBACK,
        "scope": SCOPES[provider.audience] if asked is None else ASSERTION_SCOPE,
        "state": state,
        "nonce": nonce,
        "code_challenge": compute_challenge(verifier),
        "code_challenge_method": "S256",
    }
    if asked is not None:  # anew, in front of the provider's own check
        query |= {"prompt": "login", "tongban_origin": asked.subject_origin}
        query["tongban_salt"] = asked.salt.hex()
    elif provider.audience is Audience.STAFF:
        query["prompt"] = "consent"
    return Redirect(f"{endpoint}?{urlencode(query)}", browser)


def compute_challenge(verifier: str) -> str:
    """PKCE code challenge of a verifier, method S256 (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _take_state(node: Node, state: str, browser_token: str) -> LoginStateRow:
    with node.database.transaction() as tx:
        row = tx.accounts.take_login_state(_hash(state))
    if row is None:
        raise ProviderSignInError("unknown state")
    if node.clock.now() >= row.expires_at:
        raise ProviderSignInError("too late")
    if not hmac.compare_digest(row.browser_hash, _hash(browser_token)):
        raise ProviderSignInError("another browser")
    return row


def _open_state(node: Node, row: LoginStateRow) -> dict[str, str]:
    content = open_record(node, _STATE, row.state_hash.hex(), row.sealed_state)
    members = require_members(parse_canonical(content, what="state"), _MEMBERS, what="state")
    return {name: require_text(members[name], what="state") for name in _MEMBERS}


def _verify(
    node: Node, identity: IdentityProviders, provider: Provider, raw: str, nonce: str
) -> IdToken:
    now_s = int(node.clock.now().timestamp())
    expected = ExpectedToken(provider.issuer, provider.client_id, nonce, now_s)
    keys = identity.fetch_keys(provider)
    try:
        return verify_id_token(raw, keys, expected)
    except IdTokenError as error:
        if error.reason != "signature":
            raise
    keys = identity.fetch_keys(provider, fresh=True)  # the provider may have changed its keys
    return verify_id_token(raw, keys, expected)


def _sign_in(
    node: Node, provider: Provider, token: IdToken, tokens: Tokens, next_path: str
) -> SignedIn:
    if provider.audience is Audience.CITIZEN:
        return SignedIn(provider, next_path, person=_read_person(provider, token))
    tag = compute_external_tag(node, token.issuer, token.subject)
    with node.database.read() as tx:
        account = tx.accounts.find_by_external(tag)
    if account is None or account.disabled_at is not None:
        raise NoAccountLinkedError
    methods = token.claims.get("amr")
    second_factor = isinstance(methods, list) and "mfa" in methods
    return SignedIn(
        provider,
        next_path,
        account=account,
        second_factor=second_factor,
        refresh_token=tokens.refresh_token,
    )


def _read_person(provider: Provider, token: IdToken) -> Subject:
    scheme, number, name = (
        read_claim(token.claims, claim)
        for claim in (provider.scheme_claim, provider.number_claim, provider.name_claim)
    )
    return Subject(scheme, number, name)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
