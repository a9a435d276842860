"""Vectors of assertion evidence: an identity provider's token over the challenge, and corruptions.

The token is made by hand (JWS compact form, ES256 with deterministic signatures), in a log of its
own. Shares no code with ledger_node.
"""

import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.reference import exchange as x
from tests.reference import formats as f
from tests.reference import tree
from tests.reference.vector_files import vector

ISSUER, AUDIENCE = "https://id.wuhou.example", "tongban-510107"
KEYS = {
    name: ec.derive_private_key(secret, ec.SECP256R1())
    for name, secret in (("a", 7101), ("b", 7102))
}


def b64url(data):
    return f.b64url(data)


def jwk(name, **changes):
    point = KEYS[name].public_key().public_numbers()
    return {
        "kty": "EC",
        "kid": name,
        "alg": "ES256",
        "crv": "P-256",
        "x": b64url(point.x.to_bytes(32, "big")),
        "y": b64url(point.y.to_bytes(32, "big")),
    } | changes


def provider_body(**changes):
    return {
        "v": "tongban/credential/provider/v1",
        "city": x.RELEASING,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "keys": [jwk("a")],
    } | changes


BODIES = {
    "provider": provider_body(),
    "provider-other-city": provider_body(city=x.OTHER),
    "officer": x.officer_body("wang"),
}
ENTRIES = [
    x.entry(2, f.commitment("credential", x.ORIGIN, x.salt(name), BODIES[name])) for name in BODIES
]
HEAD = (len(ENTRIES), tree.mth(ENTRIES))


def credential(name):
    index = list(BODIES).index(name)
    return {
        "salt": x.salt(name).hex(),
        "body": BODIES[name],
        "generation": 0,
        "leaf_index": index,
        "tree_size": HEAD[0],
        "root": HEAD[1].hex(),
        "proof": [each.hex() for each in tree.path(index, ENTRIES)],
    }


def token(challenge, *, key="a", header=None, drop=(), **claims):
    """A signed token; `drop` leaves claims out."""
    head = {"alg": "ES256", "kid": "a"} | (header or {})
    body = {
        "iss": ISSUER,
        "sub": "pairwise-7f31",
        "aud": AUDIENCE,
        "iat": x.MADE_AT - 20,
        "exp": x.MADE_AT + 280,
        "nonce": b64url(challenge),
        "tongban_subject": x.terms()["subject"],
    } | claims
    body = {name: value for name, value in body.items() if name not in drop}
    signed = ".".join(b64url(json.dumps(part).encode()) for part in (head, body))
    der = KEYS[key].sign(signed.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return f"{signed}.{b64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def assertion(challenge, *, provider="provider", made=None, **parts):
    return {
        "v": "tongban/evidence/v1",
        "kind": "assertion",
        "challenge": challenge.hex(),
        "made_at": x.MADE_AT,
        "provider": credential(provider),
        "token": token(challenge, **parts) if made is None else made,
    }


def damage(text, at):
    """The text with one character of base64url changed."""
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def build_vectors():
    made = x.terms(basis="assertion")
    signed = x.challenge(x.grant_id(made))
    other = x.challenge(x.grant_id(x.terms()))
    good = token(signed)
    first, second = good.index(".") + 3, good.rindex(".") + 3
    stray = good[:-1] + chr(ord(good[-1]) + 1)  # 64 bytes leave four unused bits in the last sign
    wrong = "ProviderError"
    cases = {
        "happy": (None, assertion(signed)),
        "happy-audience-in-a-list": (None, assertion(signed, aud=[AUDIENCE])),
        "other-issuer": (wrong, assertion(signed, iss="https://id.evil.example")),
        "other-audience": (wrong, assertion(signed, aud="tongban-510700")),
        "two-audiences-without-party": (wrong, assertion(signed, aud=[AUDIENCE, "other"])),
        "other-nonce": (wrong, assertion(signed, nonce=b64url(other))),
        "nonce-in-hex": (wrong, assertion(signed, nonce=signed.hex())),
        "no-nonce": (wrong, assertion(signed, drop=("nonce",))),
        "other-terms": ("EvidenceError", assertion(other)),
        "expired": (wrong, assertion(signed, exp=x.MADE_AT - 31)),
        "issued-in-the-future": (wrong, assertion(signed, iat=x.MADE_AT + 31)),
        "issued-long-before": (wrong, assertion(signed, iat=x.MADE_AT - 601)),
        "other-person": (wrong, assertion(signed, tongban_subject=x.salt("another").hex())),
        "no-person": (wrong, assertion(signed, drop=("tongban_subject",))),
        "number-in-clear": (wrong, assertion(signed, id_number=x.SUBJECT["number"])),
        "signed-by-another-key": (wrong, assertion(signed, key="b")),
        "unsigned": (wrong, assertion(signed, header={"alg": "none"})),
        "shared-secret-algorithm": (wrong, assertion(signed, header={"alg": "HS256"})),
        "payload-changed": (wrong, assertion(signed, made=damage(good, first))),
        "signature-changed": (wrong, assertion(signed, made=damage(good, second))),
        "signature-spelt-otherwise": (wrong, assertion(signed, made=stray)),
        "two-parts": ("UnexpectedShapeError", assertion(signed, made=good[: good.rindex(".")])),
        "padded": ("UnexpectedShapeError", assertion(signed, made=f"{good}==")),
        "other-city": (wrong, assertion(signed, provider="provider-other-city")),
        "officer-credential": ("UnknownVersionError", assertion(signed, provider="officer")),
    }
    for name, (error, evidence) in cases.items():
        yield case(name, error, made, evidence)
    yield case("anchored-when-used", "CredentialTooYoungError", made, assertion(signed), x.MADE_AT)
    counter = x.terms()
    evidence = assertion(x.challenge(x.grant_id(counter)))
    yield case("other-kind-than-terms", "EvidenceError", counter, evidence)


def case(name, error, made, evidence, anchored_at=x.ANCHORED_AT):
    """One vector; everything the chain says is in it."""
    return vector(
        "evidence/assertion",
        name,
        f"assertion evidence: {name}",
        error,
        terms=f.jcs(made),
        bundle=[],
        evidence=f.jcs(evidence),
        as_of_s=x.NOW,
        domain=x.DOMAIN,
        heads=[[x.RELEASING, 0, HEAD[0], HEAD[1].hex(), anchored_at]],
        withdrawn=[],
        sensitive_types=["divorce-cert"],
        ward_is_minor=False,
    )
