from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from ledger_node.core.id_token import (
    LEEWAY_S,
    MAX_AGE_S,
    ExpectedToken,
    IdTokenError,
    read_claim,
    verify_id_token,
)

ISSUER, CLIENT, NONCE, NOW_S = "https://id.example", "node", "ab" * 32, 1_790_000_000
KEY = ECKey.generate_key("P-256", {"kid": "one"}, private=True)
OTHER = ECKey.generate_key("P-256", {"kid": "one"}, private=True)
EXPECTED = ExpectedToken(ISSUER, CLIENT, NONCE, NOW_S)
CLAIMS = {
    "iss": ISSUER,
    "sub": "person-1",
    "aud": CLIENT,
    "iat": NOW_S,
    "exp": NOW_S + 300,
    "nonce": NONCE,
}


def keys_of(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def sign(claims: dict[str, Any], key: Any = KEY, algorithm: str = "ES256") -> str:
    registry = jws.JWSRegistry(algorithms=[algorithm])
    return jwt.encode({"alg": algorithm, "kid": "one"}, claims, key, registry=registry)


def judge(**changes: Any) -> str:
    """Reason of the refusal of a token with changed claims; empty when it holds."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    try:
        verify_id_token(sign(claims), keys_of(KEY), EXPECTED)
    except IdTokenError as error:
        return error.reason
    return ""


def test_verify_id_token_that_holds_gives_issuer_and_subject() -> None:
    token = verify_id_token(sign(CLAIMS), keys_of(KEY), EXPECTED)
    assert (token.issuer, token.subject, token.issued_at_s) == (ISSUER, "person-1", NOW_S)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": ISSUER + "/"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": [CLIENT, "another"]}, "authorised_party"),
        ({"azp": "another"}, "authorised_party"),
        ({"exp": NOW_S - LEEWAY_S}, "expired"),
        ({"exp": None}, "claim_exp"),
        ({"exp": "tomorrow"}, "claim_exp"),
        ({"iat": NOW_S + LEEWAY_S + 1}, "issued_in_future"),
        ({"iat": NOW_S - MAX_AGE_S - 1}, "too_old"),
        ({"iat": True}, "claim_iat"),
        ({"nonce": "cd" * 32}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": 7}, "nonce"),
        ({"sub": None}, "claim_sub"),
        ({"sub": ""}, "claim_sub"),
        ({"sub": "x" * 300}, "claim_sub"),
    ],
)
def test_verify_id_token_wrong_claim_is_refused_with_its_reason(
    changes: dict[str, Any], reason: str
) -> None:
    assert judge(**changes) == reason


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "another"], "azp": CLIENT},
        {"exp": NOW_S - LEEWAY_S + 1},
        {"iat": NOW_S + LEEWAY_S},
        {"iat": NOW_S - MAX_AGE_S},
    ],
)
def test_verify_id_token_at_the_edge_holds(changes: dict[str, Any]) -> None:
    assert judge(**changes) == ""


def test_verify_id_token_empty_nonce_never_holds() -> None:
    expected = ExpectedToken(ISSUER, CLIENT, "", NOW_S)
    with pytest.raises(IdTokenError) as refused:
        verify_id_token(sign({**CLAIMS, "nonce": ""}), keys_of(KEY), expected)
    assert refused.value.reason == "nonce"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048, {"kid": "one"}, private=True), "RS256"),
        (RSAKey.generate_key(2048, {"kid": "one"}, private=True), "PS256"),
        (OKPKey.generate_key("Ed25519", {"kid": "one"}, private=True), "Ed25519"),
    ],
    ids=["RS256", "PS256", "Ed25519"],
)
def test_verify_id_token_of_every_listed_algorithm_holds(key: Any, algorithm: str) -> None:
    verify_id_token(sign(CLAIMS, key, algorithm), keys_of(key), EXPECTED)


def test_verify_id_token_of_another_key_is_refused() -> None:
    with pytest.raises(IdTokenError) as refused:
        verify_id_token(sign(CLAIMS, OTHER), keys_of(KEY), EXPECTED)
    assert refused.value.reason == "signature"


def test_verify_id_token_unsigned_or_under_the_public_key_as_secret_is_refused() -> None:
    secret = OctKey.import_key(json.dumps(keys_of(KEY)).encode())
    symmetric = sign(CLAIMS, secret, "HS256")
    header, payload, _ = sign(CLAIMS).split(".")
    none = "eyJhbGciOiJub25lIn0." + payload + "."
    for raw in (symmetric, none, f"{header}.{payload}.", "", "a.b.c", "x" * 20_000):
        with pytest.raises(IdTokenError):
            verify_id_token(raw, keys_of(KEY), EXPECTED)


def test_verify_id_token_any_changed_character_is_refused() -> None:
    raw = sign(CLAIMS)
    for at in range(0, len(raw), 7):
        changed = raw[:at] + ("A" if raw[at] != "A" else "B") + raw[at + 1 :]
        if at == len(raw) - 1:
            continue  # the last character has bits that mean nothing
        with pytest.raises(IdTokenError):
            verify_id_token(changed, keys_of(KEY), EXPECTED)


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": [{"kty": "oct"}]}, {"keys": "none"}])
def test_verify_id_token_without_usable_keys_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(IdTokenError):
        verify_id_token(sign(CLAIMS), keys, EXPECTED)


def test_read_claim_not_a_text_is_refused() -> None:
    with pytest.raises(IdTokenError):
        read_claim({"name": ["x"]}, "name")
