"""What browsers and devices answer about passkeys, of citizens and of staff alike.

Spec: W3C Web Authentication sections 7.1 and 7.2. Challenges are rows that count once, for the tag
they were made for, within five minutes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from webauthn import generate_registration_options, options_to_json, verify_registration_response
from webauthn.helpers import parse_registration_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ledger_node.core.canonical import parse_base64url, require_members, require_text
from ledger_node.core.errors import ConflictError, MalformedInputError, VerificationError
from ledger_node.core.evidence_parts import Assertion
from ledger_node.core.evidence_passkey import PasskeyPage
from ledger_node.core.types import HASH_BYTES
from ledger_node.flows.node import Node

CHALLENGE_LIFE: Final = timedelta(minutes=5)
MAX_PASSKEYS: Final = 5
MAX_JSON_CHARS: Final = 32 * 1024
_ALGORITHMS: Final = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA]
_LIBRARY_ERRORS: Final = (WebAuthnException, LookupError, TypeError, ValueError)


class PasskeyRefusedError(VerificationError):
    """The device's answer does not enrol or confirm anything.

    Fields: reason (stable name).
    """

    code = "passkey_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "通行密钥验证未通过，请重试；仍不行可用城市统一身份认证或到窗口办理。",
            f"The passkey was not accepted ({reason}); try again, or use the provider or a window.",
            reason=reason,
        )
        self.reason = reason


class PasskeyEnrolledError(ConflictError):
    """This passkey is enrolled already, or the person has as many as can be."""

    code = "passkey_enrolled"

    def __init__(self) -> None:
        super().__init__(
            "这把通行密钥已登记，或已达到每人 5 把的上限。",
            "This passkey is enrolled already, or five of them are.",
        )


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey a device made: credential id, COSE public key, counter."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def read_passkey_page(origin: str) -> PasskeyPage:
    """This node's pages as devices know them: the relying party is their host."""
    return PasskeyPage(urlsplit(origin).hostname or "", origin)


def make_challenge(node: Node, tag: bytes) -> bytes:
    """A challenge for whoever the tag stands for, 32 bytes; it counts once."""
    challenge = node.entropy(HASH_BYTES)
    until = node.clock.now() + CHALLENGE_LIFE
    with node.database.transaction() as tx:
        tx.consent.store_challenge(hash_bytes(challenge), tag, until)
    return challenge


def take_challenge(node: Node, challenge: bytes, tag: bytes) -> None:
    """Use a challenge up.

    Raises:
        PasskeyRefusedError: Unknown, another's, old or used.
    """
    with node.database.transaction() as tx:
        known = tx.consent.take_challenge(hash_bytes(challenge), tag, node.clock.now())
    if not known:
        raise PasskeyRefusedError("challenge")


def build_creation_options(
    node: Node, tag: bytes, page: PasskeyPage, rp_name: str, name: str, known: Collection[bytes]
) -> str:
    """Options for `navigator.credentials.create`, as JSON, with a fresh challenge.

    The user handle is random: a device shows the name the person sees, never a number.

    Args:
        known: Credential ids that are enrolled already.
    """
    options = generate_registration_options(
        rp_id=page.rp_id,
        rp_name=rp_name,
        user_name=name,
        user_id=node.entropy(HASH_BYTES),
        user_display_name=name,
        challenge=make_challenge(node, tag),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        supported_pub_key_algs=_ALGORITHMS,
    )
    return options_to_json(options)


def accept_creation(node: Node, tag: bytes, page: PasskeyPage, answer: str) -> NewPasskey:
    """The passkey in a device's answer; its challenge is used up.

    Args:
        answer: JSON of the browser's `PublicKeyCredential`.

    Raises:
        PasskeyRefusedError: Another challenge, page or relying party, no user verification, or a
            key of another kind.
    """
    if len(answer) > MAX_JSON_CHARS:
        raise PasskeyRefusedError("too_long")
    try:
        credential = parse_registration_credential_json(answer)
        client = json.loads(credential.response.client_data_json)
        challenge = parse_base64url(str(client["challenge"]), what="challenge")
    except (*_LIBRARY_ERRORS, MalformedInputError) as error:
        raise PasskeyRefusedError("form") from error
    take_challenge(node, challenge, tag)
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=page.rp_id,
            expected_origin=page.origin,
            require_user_verification=True,
            supported_pub_key_algs=_ALGORITHMS,
        )
    except _LIBRARY_ERRORS as error:
        raise PasskeyRefusedError("registration") from error
    if client.get("crossOrigin", False) is not False:
        raise PasskeyRefusedError("cross_origin")
    return NewPasskey(verified.credential_id, verified.credential_public_key, verified.sign_count)


def read_challenge(assertion: Assertion) -> bytes:
    """The challenge a device says it signed.

    Raises:
        PasskeyRefusedError: It names none.
    """
    try:
        client = json.loads(assertion.client_data_json)
        return parse_base64url(str(client["challenge"]), what="challenge")
    except (*_LIBRARY_ERRORS, RecursionError, MalformedInputError) as error:
        raise PasskeyRefusedError("form") from error


def read_count(assertion: Assertion) -> int:
    """The counter in an assertion that was verified."""
    return int.from_bytes(assertion.authenticator_data[33:37], "big")


def read_assertion(answer: str) -> Assertion:
    """The browser's answer to `navigator.credentials.get`, as JSON with base64url parts.

    Raises:
        PasskeyRefusedError: Not such an answer.
    """
    names = ("credentialId", "authenticatorData", "clientDataJSON", "signature")
    if len(answer) > MAX_JSON_CHARS:
        raise PasskeyRefusedError("too_long")
    try:
        members = require_members(json.loads(answer), names, what="assertion")
        return Assertion(
            *(parse_base64url(require_text(members[name], what=name), what=name) for name in names)
        )
    except (ValueError, RecursionError, MalformedInputError) as error:
        raise PasskeyRefusedError("form") from error


def hash_bytes(value: bytes) -> bytes:
    """SHA-256: under which credential ids and challenges are kept."""
    return hashlib.sha256(value).digest()
