"""Codes, ID tokens and the key they are signed with.

Spec: OpenID Connect Core 1.0 sections 2 and 3.1.3, RFC 7636; docs/spec/evidence.md, "Assertion".
A token either says who signed in (number and name, for one node) or, when the node names salt and
origin, the subject commitment alone: never both.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey

from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.evidence_assertion import SUBJECT_CLAIM
from ledger_node.core.sealed import Subject, encode_subject
from ledger_node.core.types import HASH_BYTES, Salt

CODE_LIFE_S: Final = 60
TOKEN_LIFE_S: Final = 300
_METHODS: Final = ("face", "user")


class BadGrantError(LookupError):
    """A code that was used, is too old, is another client's, or does not fit its verifier."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a node asked for and the person agreed to.

    Attributes:
        challenge: PKCE code challenge, S256.
        salt, subject_origin: Given when the person is to be named by a commitment.
    """

    client_id: str
    redirect_uri: str
    nonce: str
    challenge: str
    salt: Salt | None = None
    subject_origin: str = ""


@dataclass
class Desk:
    """The provider's memory: codes on their way, and its key.

    Attributes:
        now_s: Clock, Unix seconds.
    """

    issuer: str
    key: ECKey
    now_s: Callable[[], float]
    _codes: dict[str, tuple[float, Asked, Subject]] = field(default_factory=dict)

    def read_keys(self) -> dict[str, Any]:
        """The public key set."""
        return {"keys": [self.key.as_dict(private=False)]}

    def issue_code(self, asked: Asked, person: Subject) -> str:
        """A code for the browser to carry back; it counts once, for a minute."""
        code = secrets.token_urlsafe(32)
        now_s = self.now_s()
        self._codes = {name: each for name, each in self._codes.items() if each[0] > now_s}
        self._codes[code] = (now_s + CODE_LIFE_S, asked, person)
        return code

    def redeem(self, form: Mapping[str, str]) -> str:
        """The ID token of a code.

        Raises:
            BadGrantError: The code or what belongs to it does not fit.
        """
        until_s, asked, person = self._codes.pop(form.get("code", ""), (0.0, None, None))
        if asked is None or person is None or until_s <= self.now_s():
            raise BadGrantError("unknown, used or too old")
        given = (form.get("client_id", ""), form.get("redirect_uri", ""))
        if given != (asked.client_id, asked.redirect_uri):
            raise BadGrantError("another client's")
        if not hmac.compare_digest(
            compute_challenge(form.get("code_verifier", "")), asked.challenge
        ):
            raise BadGrantError("verifier")
        return self.sign(self.build_claims(asked, person))

    def build_claims(self, asked: Asked, person: Subject) -> dict[str, Any]:
        """Claims of one token."""
        now_s = int(self.now_s())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": derive_subject_id(self.key, person),
            "aud": asked.client_id,
            "iat": now_s,
            "auth_time": now_s,
            "exp": now_s + TOKEN_LIFE_S,
            "nonce": asked.nonce,
            "amr": list(_METHODS),
        }
        if asked.salt is None:
            named = {"id_scheme": person.scheme, "id_number": person.number, "name": person.name}
            return claims | named
        body = encode_subject(person)
        subject = compute_commitment(CommitmentKind.SUBJECT, asked.subject_origin, asked.salt, body)
        return claims | {SUBJECT_CLAIM: subject.hex()}

    def sign(self, claims: dict[str, Any]) -> str:
        """Compact JWS under the provider's key."""
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)


def read_salt(text: str) -> Salt | None:
    """A salt of 32 bytes in hex, or None for the empty text.

    Raises:
        ValueError: Anything else.
    """
    if not text:
        return None
    salt = bytes.fromhex(text)
    if len(salt) != HASH_BYTES:
        raise ValueError("salt")
    return Salt(salt)


def compute_challenge(verifier: str) -> str:
    """PKCE code challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def derive_subject_id(key: ECKey, person: Subject) -> str:
    """The provider's own lasting name for a person: a keyed hash, so that it says no number."""
    secret = str(key.as_dict(private=True)["d"]).encode()
    return hmac.new(secret, person.number.encode(), hashlib.sha256).hexdigest()[:32]


def open_key(path: Path) -> ECKey:
    """The signing key in a file for this user only; made at the first start."""
    if path.exists():
        return ECKey.import_key(json.loads(path.read_text("utf-8")))
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
    key.ensure_kid()
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(target, "w", encoding="utf-8") as file:
        json.dump(key.as_dict(private=True), file)
    return key
