"""ID tokens of identity providers: signature and claims, judged against what was asked for. Pure.

Spec: OpenID Connect Core 1.0 section 3.1.3.7; docs/spec/access.md. The caller brings the provider's
keys, the nonce it chose and the time. A token is evidence only together with the nonce it was asked
for: without one it could have been made for anything.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ledger_node.core.errors import VerificationError

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
LEEWAY_S: Final = 30
MAX_AGE_S: Final = 600
MAX_TOKEN_CHARS: Final = 16_384
MAX_CLAIM_CHARS: Final = 255


class IdTokenError(VerificationError):
    """An identity provider's token does not hold.

    Fields: reason (stable name).
    """

    code = "id_token_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "身份认证平台的答复未通过核验，未登录。请重新登录。",
            f"The identity provider's answer does not hold ({reason}); sign in again.",
            reason=reason,
        )
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """What a token has to say.

    Attributes:
        issuer: Exactly, as the settings have it.
        client_id: This node at the provider.
        nonce: Chosen by this node for this one request.
        now_s: Unix seconds at which the token is judged.
    """

    issuer: str
    client_id: str
    nonce: str
    now_s: int


@dataclass(frozen=True, slots=True)
class IdToken:
    """A token that holds.

    Attributes:
        issuer, subject: Together the person's name at the provider.
        issued_at_s: Unix seconds.
        claims: Everything it says, for named look-ups by `read_claim`.
    """

    issuer: str
    subject: str
    issued_at_s: int
    claims: Mapping[str, Any]


def verify_id_token(raw: str, keys: Mapping[str, Any], expected: ExpectedToken) -> IdToken:
    """Check a token (OpenID Connect Core 1.0 section 3.1.3.7).

    Args:
        raw: Compact serialisation as the token endpoint gave it.
        keys: The provider's JSON Web Key Set.

    Raises:
        IdTokenError: Signature, algorithm, issuer, audience, time or nonce do not hold.
    """
    claims = _verify_signature(raw, keys)
    _demand(claims.get("iss") == expected.issuer, "issuer")
    _demand_audience(claims, expected.client_id)
    issued_at_s, expires_at_s = _read_s(claims, "iat"), _read_s(claims, "exp")
    _demand(expected.now_s < expires_at_s + LEEWAY_S, "expired")
    _demand(issued_at_s <= expected.now_s + LEEWAY_S, "issued_in_future")
    _demand(expected.now_s - issued_at_s <= MAX_AGE_S, "too_old")
    nonce = claims.get("nonce")
    matches = isinstance(nonce, str) and hmac.compare_digest(
        nonce.encode(), expected.nonce.encode()
    )
    _demand(matches and expected.nonce != "", "nonce")
    return IdToken(expected.issuer, read_claim(claims, "sub"), issued_at_s, claims)


def read_claim(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is a short text.

    Raises:
        IdTokenError: It is missing, empty, not text or too long.
    """
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_CLAIM_CHARS:
        raise IdTokenError(f"claim_{name}")
    return value


def _verify_signature(raw: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    _demand(len(raw) <= MAX_TOKEN_CHARS, "too_long")
    try:
        key_set = KeySet.import_key_set({"keys": list(keys["keys"])})
        registry = jws.JWSRegistry(algorithms=list(ALGORITHMS))
        return dict(jwt.decode(raw, key_set, algorithms=ALGORITHMS, registry=registry).claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise IdTokenError("signature") from error


def _demand_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    _demand(client_id in several, "audience")
    if len(several) > 1 or "azp" in claims:
        _demand(claims.get("azp") == client_id, "authorised_party")


def _read_s(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise IdTokenError(f"claim_{name}")
    return value


def _demand(holds: bool, reason: str) -> None:
    if not holds:
        raise IdTokenError(reason)
