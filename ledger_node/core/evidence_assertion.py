"""Assertion evidence: a member city's identity provider vouches for the person over the challenge.

Step 7 of the data flow. Spec: design section 9, docs/spec/evidence.md, "Assertion"; OpenID Connect
Core 1.0 section 3.1.3.7. The provider is told the salt and origin of the subject commitment and
signs the commitment it computes over its own verified record: whoever opens the commitment knows
that the number is the provider's, and the token itself says nothing of the person
(docs/decisions/0012).

Invariants:
    * The key set is a `credential` entry of the recording city, anchored before the token.
    * The nonce is the bundle challenge, base64url; the subject is the one of the terms.
    * A token with any claim that could carry personal data is refused: evidence travels unsealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_base64url,
    parse_base64url,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.credential import verify_credential_proof
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.evidence_parts import AssertionEvidence, ProviderError
from ledger_node.core.id_token import ExpectedToken, IdToken, IdTokenError, verify_id_token
from ledger_node.core.placement import LogFacts
from ledger_node.core.shapes import (
    demand_distinct,
    demand_not_empty,
    read_city,
    read_short_text,
    read_version,
    refuse_shape,
)
from ledger_node.core.terms import Terms
from ledger_node.core.types import CityId

PROVIDER_VERSION: Final = "tongban/credential/provider/v1"
SUBJECT_CLAIM: Final = "tongban_subject"
MAX_KEYS: Final = 8
_KEY_MEMBERS: Final = {
    "EC": ("kty", "kid", "alg", "crv", "x", "y"),
    "OKP": ("kty", "kid", "alg", "crv", "x"),
    "RSA": ("kty", "kid", "alg", "n", "e"),
}
_CLAIMS: Final = frozenset(
    {
        "iss",
        "sub",
        "aud",
        "azp",
        "iat",
        "nbf",
        "exp",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "at_hash",
        "jti",
        "sid",
        SUBJECT_CLAIM,
    }
)


@dataclass(frozen=True, slots=True)
class ProviderCredential:
    """Body of a provider's `credential` entry.

    Attributes:
        city: Enrolling city.
        issuer, audience: As tokens have to name them.
        keys: Public JSON Web Keys, members as text.
    """

    city: CityId
    issuer: str
    audience: str
    keys: tuple[dict[str, str], ...]


def encode_provider_credential(credential: ProviderCredential) -> JsonObject:
    """Body of a provider's entry."""
    return {
        "v": PROVIDER_VERSION,
        "city": credential.city,
        "issuer": credential.issuer,
        "audience": credential.audience,
        "keys": [dict(key) for key in credential.keys],
    }


def read_provider_credential(value: JsonValue) -> ProviderCredential:
    """Read the body of a provider's entry.

    Raises:
        UnknownVersionError, UnexpectedShapeError: Not such a body; a key with a private or unknown
            member is refused.
    """
    what = "provider credential"
    read_version(value, PROVIDER_VERSION, what=what)
    m = require_members(value, ("v", "city", "issuer", "audience", "keys"), what=what)
    keys = require_list(m["keys"], what=what)
    demand_not_empty(keys, what=what)
    if len(keys) > MAX_KEYS:
        raise refuse_shape(what, f"最多 {MAX_KEYS} 把密钥", f"at most {MAX_KEYS} keys")
    read = tuple(_read_key(each) for each in keys)
    demand_distinct([each["kid"] for each in read], what=what)
    return ProviderCredential(
        read_city(m["city"], what=what),
        read_short_text(m["issuer"], what=what),
        read_short_text(m["audience"], what=what),
        read,
    )


def verify_assertion(
    evidence: AssertionEvidence, terms: Terms, as_of_s: int, facts: LogFacts
) -> None:
    """Check a provider's credential and token.

    Args:
        evidence: Its challenge was checked against the terms by the caller.
        terms: Names the recording city and the subject.
        as_of_s: Unix time by which the evidence is known to exist.
        facts: What the chain says.

    Raises:
        ProviderError: Another city, issuer, audience, time, nonce or person, a claim that may
            not stand there, or the signature does not hold; `reason` says which.
        CredentialTooYoungError, CredentialWithdrawnError, NotAnchoredError, RootMismatchError,
        MalformedInputError: The credential does not hold.
    """
    credential = read_provider_credential(evidence.provider.opening.body)
    if credential.city != terms.recording:
        raise ProviderError("foreign_city", "认证平台由另一城市登记", "enrolled by another city")
    verify_credential_proof(terms.recording, evidence.provider, evidence.made_at_s, as_of_s, facts)
    token = _verify_token(evidence, credential)
    private = set(token.claims) - _CLAIMS
    if private:
        raise ProviderError(
            "private_claim", "令牌含有不应出现的内容", "the token carries what must not be in it"
        )
    if token.claims.get(SUBJECT_CLAIM) != terms.subject.hex():
        raise ProviderError(
            "foreign_subject", "认证的是另一个人", "the provider vouched for another person"
        )


def _verify_token(evidence: AssertionEvidence, credential: ProviderCredential) -> IdToken:
    parts = evidence.token.split(".")
    try:
        if len(parts) != 3:
            raise IdTokenError("form")
        for part in parts:
            parse_base64url(part, what="token")  # one spelling of one token
        expected = ExpectedToken(
            credential.issuer,
            credential.audience,
            encode_base64url(evidence.challenge),
            evidence.made_at_s,
        )
        keys: dict[str, Any] = {"keys": [dict(key) for key in credential.keys]}
        return verify_id_token(evidence.token, keys, expected)
    except IdTokenError as error:
        raise ProviderError(
            error.reason, "认证平台的令牌不成立", "the provider's token does not hold"
        ) from error
    except MalformedInputError as error:
        raise ProviderError("form", "令牌写法不规范", "the token is misspelt") from error


def _read_key(value: JsonValue) -> dict[str, str]:
    what = "provider key"
    kind = value.get("kty") if isinstance(value, dict) else None
    names = _KEY_MEMBERS.get(kind) if isinstance(kind, str) else None
    if names is None:
        raise refuse_shape(what, "不支持的密钥种类", "an unsupported kind of key")
    m = require_members(value, names, what=what)
    key = {name: require_text(m[name], what=what) for name in names}
    for name in ("x", "y", "n", "e"):
        if name in key:
            parse_base64url(key[name], what=what)
    return key
