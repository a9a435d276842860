"""Passkey evidence: a WebAuthn assertion over the bundle challenge by an enrolled passkey.

Step 7 of the data flow. Spec: W3C Web Authentication section 7.2, docs/spec/evidence.md. The
assertion itself is checked by `webauthn`; here stands what it leaves to the relying party.

Invariants:
    * User presence and user verification are both demanded, always.
    * The page was https on the relying party's own name (or localhost, where browsers allow http),
      at top level.
    * Keys are ES256 or EdDSA; the credential is the enrolled one, of the person in the terms.
The sign count is judged by the recording city, which sees every ceremony: it passes the last count
it knows. A releasing city sees the same assertion twice (find and release) and passes 0; replay is
prevented by the grant id, never by the counter. Synced passkeys always report 0.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from webauthn import verify_authentication_response
from webauthn.helpers import decode_credential_public_key
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticationCredential, AuthenticatorAssertionResponse

from ledger_node.core.canonical import encode_base64url
from ledger_node.core.credential import read_passkey_credential, verify_credential_proof
from ledger_node.core.evidence_parts import Assertion, PasskeyError, PasskeyEvidence
from ledger_node.core.placement import LogFacts
from ledger_node.core.terms import Terms

# What the library lets out, beside its own, for keys that are odd CBOR or no point of the curve.
_LIBRARY_ERRORS = (WebAuthnException, LookupError, TypeError, ValueError)
_ALGORITHMS = (COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA)
_ORIGIN = re.compile(r"(https?)://([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class PasskeyPage:
    """Where a passkey is used: relying party and origin of the page."""

    rp_id: str
    origin: str


def verify_passkey(
    evidence: PasskeyEvidence,
    terms: Terms,
    as_of_s: int,
    facts: LogFacts,
    last_sign_count: int = 0,
) -> int:
    """Check a passkey's credential and assertion.

    Args:
        evidence: Its challenge was checked against the terms by the caller.
        terms: Names the recording city and the subject.
        as_of_s: Unix time by which the evidence is known to exist.
        facts: What the chain says.
        last_sign_count: Last counter the recording city saw; 0 elsewhere.

    Returns:
        The counter the authenticator reported.

    Raises:
        PasskeyError: Another person, city, relying party, page or key, or the assertion does not
            hold; `reason` says which.
        CredentialTooYoungError, CredentialWithdrawnError, NotAnchoredError, RootMismatchError,
        MalformedInputError: The credential does not hold.
    """
    credential = read_passkey_credential(evidence.credential.opening.body)
    if credential.city != terms.recording:
        raise PasskeyError("foreign_city", "通行密钥由另一城市登记", "enrolled by another city")
    if credential.subject != terms.subject:
        raise PasskeyError(
            "foreign_subject", "通行密钥属于另一个人", "the passkey belongs to another person"
        )
    verify_credential_proof(
        terms.recording, evidence.credential, evidence.made_at_s, as_of_s, facts
    )
    if evidence.rp_id != credential.rp_id:
        raise PasskeyError(
            "foreign_rp_id", "依赖方与登记时不符", "the relying party is not the enrolled one"
        )
    if evidence.assertion.credential_id != credential.credential_id:
        raise PasskeyError(
            "foreign_credential", "不是登记的那把通行密钥", "not the enrolled passkey"
        )
    page = PasskeyPage(evidence.rp_id, evidence.origin)
    return verify_assertion_by(
        credential.public_key, evidence.assertion, evidence.challenge, page, last_sign_count
    )


def verify_assertion_by(
    public_key: bytes,
    assertion: Assertion,
    challenge: bytes,
    page: PasskeyPage,
    last_sign_count: int,
) -> int:
    """Check an assertion of a known passkey; returns the counter the authenticator reported.

    Args:
        public_key: COSE, as enrolled.
        last_sign_count: Last counter seen.

    Raises:
        PasskeyError: Another page or key, or the assertion does not hold.
    """
    _verify_page(page)
    try:
        if decode_credential_public_key(public_key).alg not in _ALGORITHMS:
            raise PasskeyError("algorithm", "签名算法不被接受", "the key's algorithm is refused")
        verified = verify_authentication_response(
            credential=AuthenticationCredential(
                id=encode_base64url(assertion.credential_id),
                raw_id=assertion.credential_id,
                response=AuthenticatorAssertionResponse(
                    client_data_json=assertion.client_data_json,
                    authenticator_data=assertion.authenticator_data,
                    signature=assertion.signature,
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=page.rp_id,
            expected_origin=page.origin,
            credential_public_key=public_key,
            credential_current_sign_count=last_sign_count,
            require_user_verification=True,
        )
    except _LIBRARY_ERRORS as error:
        raise PasskeyError(
            "assertion", "通行密钥签名不成立", "the passkey assertion does not hold"
        ) from error
    if json.loads(assertion.client_data_json).get("crossOrigin", False) is not False:
        raise PasskeyError(
            "cross_origin", "签名页面嵌在别的网站里", "the page was embedded in another site"
        )
    return verified.new_sign_count


def _verify_page(page: PasskeyPage) -> None:
    match = _ORIGIN.fullmatch(page.origin)
    scheme, host = match.groups() if match else ("", "")
    within = host == page.rp_id or host.endswith("." + page.rp_id)
    local = host == "localhost" or host.endswith(".localhost")
    if not within or (scheme != "https" and not local):
        raise PasskeyError(
            "foreign_origin", "签名页面不属于依赖方", "the page is not one of the relying party"
        )
