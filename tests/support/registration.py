"""A software passkey that enrols itself: the browser's answer to `navigator.credentials.create`."""

from __future__ import annotations

import hashlib
import json

from tests.fakes.software_authenticator import (
    USER_PRESENT,
    USER_VERIFIED,
    SoftwareAuthenticator,
    b64url,
)

ATTESTED = 0x40


def cbor_bytes(data: bytes) -> bytes:
    """A CBOR byte string of at most 64 KiB."""
    if len(data) < 24:
        return bytes([0x40 + len(data)]) + data
    if len(data) < 256:
        return b"\x58" + bytes([len(data)]) + data
    return b"\x59" + len(data).to_bytes(2, "big") + data


def register_passkey(
    key: SoftwareAuthenticator,
    options: str,
    origin: str,
    *,
    flags: int = USER_PRESENT | USER_VERIFIED,
    challenge: str | None = None,
    rp_id: str | None = None,
) -> str:
    """JSON of the credential a device made for these options; parts can be falsified."""
    asked = json.loads(options)
    client = {
        "type": "webauthn.create",
        "challenge": challenge or asked["challenge"],
        "origin": origin,
        "crossOrigin": False,
    }
    rp_hash = hashlib.sha256((rp_id or key.rp_id).encode()).digest()
    attested = bytes(16) + len(key.credential_id).to_bytes(2, "big") + key.credential_id
    data = rp_hash + bytes([flags | ATTESTED]) + bytes(4) + attested + key.public_key
    attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData" + cbor_bytes(data)
    return json.dumps(
        {
            "id": b64url(key.credential_id),
            "rawId": b64url(key.credential_id),
            "type": "public-key",
            "response": {
                "clientDataJSON": b64url(json.dumps(client).encode()),
                "attestationObject": b64url(attestation),
            },
        }
    )


def assert_passkey(
    key: SoftwareAuthenticator, challenge: bytes, origin: str, **parts: object
) -> str:
    """JSON as the citizen's page sends an assertion."""
    made = key.get_assertion(challenge, origin, **parts)
    return json.dumps({name: b64url(value) for name, value in made.items()})
