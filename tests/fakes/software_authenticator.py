"""A passkey in software: makes ES256 WebAuthn assertions as a browser returns them.

Deterministic (RFC 6979), so that recorded assertions stay the same. Every part of the ceremony can
be chosen, to make the assertions a verifier has to refuse. Shares no code with ledger_node.
"""

import base64
import hashlib
import json
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT, USER_VERIFIED = 0x01, 0x04


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class SoftwareAuthenticator:
    """One passkey of one relying party."""

    secret: int
    rp_id: str
    sign_count: int = 0

    @property
    def private_key(self):
        return ec.derive_private_key(self.secret, ec.SECP256R1())

    @property
    def credential_id(self):
        return hashlib.sha256(b"credential %d" % self.secret).digest()[:16]

    @property
    def public_key(self):
        """COSE key: {1: 2, 3: -7, -1: 1, -2: x, -3: y}."""
        point = self.private_key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y

    def get_assertion(
        self,
        challenge,
        origin,
        *,
        rp_id=None,
        flags=USER_PRESENT | USER_VERIFIED,
        kind="webauthn.get",
        extra=None,
    ):
        """The four parts of an assertion, raw bytes by their WebAuthn names."""
        client = {"type": kind, "challenge": b64url(challenge), "origin": origin}
        client |= {"crossOrigin": False, **(extra or {})}
        client_data = json.dumps(client, separators=(",", ":")).encode()
        self.sign_count += 1
        rp_hash = hashlib.sha256((rp_id or self.rp_id).encode()).digest()
        data = rp_hash + bytes([flags]) + self.sign_count.to_bytes(4, "big")
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        signed = data + hashlib.sha256(client_data).digest()
        return {
            "credentialId": self.credential_id,
            "authenticatorData": data,
            "clientDataJSON": client_data,
            "signature": self.private_key.sign(signed, algorithm),
        }
