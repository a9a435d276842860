"""Small signed files: a JSON object with the key id and Ed25519 signature of a message key.

Used by acknowledgements, notices and destruction notices (steps 8 and 10). Spec:
docs/spec/release.md, section "Signed files": the object carries `keyid` and `signature`; signed is
`"<version>\\n" || SHA-256(RFC 8785 of the object without "signature")`.

Invariants:
    * The key id is under the signature; the version keeps one kind from passing for another.
Not here: whether the key was the city's at the time (the caller asks the chain).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger_node.core.canonical import (
    JsonObject,
    encode_base64,
    encode_canonical,
    parse_base64,
    parse_canonical,
    require_members,
    require_text,
)
from ledger_node.core.errors import VerificationError
from ledger_node.core.message_key import MessageKeyId, encode_key_id, parse_key_id
from ledger_node.core.message_parts import KeyCheck
from ledger_node.core.message_problem import MessageKeyUnknownError
from ledger_node.core.shapes import read_version, refuse_shape
from ledger_node.core.types import CityId

MAX_SIGNED_BYTES = 64 * 1024
SIGNED_MEMBERS = ("keyid", "signature")


class SignedBodyError(VerificationError):
    """The signature of a signed file does not hold.

    Fields: version.
    """

    code = "signed_body_invalid"


def compute_signed_message(version: str, unsigned: JsonObject) -> bytes:
    """Bytes that are signed; `unsigned` holds every member but `signature`."""
    return f"{version}\n".encode("ascii") + hashlib.sha256(encode_canonical(unsigned)).digest()


def encode_signed(
    version: str, body: JsonObject, key_id: MessageKeyId, sign: Callable[[bytes], bytes]
) -> bytes:
    """Sign an object and write it as RFC 8785 bytes.

    Args:
        version: Format version, also the member `v`.
        body: Its members, without `v`, `keyid` and `signature`.
        key_id: City and message key that signs.
        sign: Makes the Ed25519 signature with that key.
    """
    unsigned: JsonObject = {**body, "v": version, "keyid": encode_key_id(key_id)}
    signature = sign(compute_signed_message(version, unsigned))
    return encode_canonical({**unsigned, "signature": encode_base64(signature)})


def verify_signed(version: str, members: JsonObject) -> MessageKeyId:
    """Check the signature of a signed file; returns the city and key that signed.

    Args:
        version: Format version the caller has checked.
        members: All members, from canonical bytes.

    Raises:
        SignedBodyError: The signature is not of this object by the key it names.
        MessageSignatureError: The key id is not well formed.
        UnexpectedShapeError, MalformedEncodingError: A member is missing or misspelt.
    """
    for name in SIGNED_MEMBERS:
        if name not in members:
            raise refuse_shape(name, "缺失", "is missing")
    key_id = parse_key_id(require_text(members["keyid"], what="keyid"))
    text = require_text(members["signature"], what="signature")
    signature = parse_base64(text, what="signature", length_bytes=64)
    unsigned = {name: value for name, value in members.items() if name != "signature"}
    try:
        Ed25519PublicKey.from_public_bytes(key_id.key).verify(
            signature, compute_signed_message(version, unsigned)
        )
    except (InvalidSignature, ValueError) as error:
        raise SignedBodyError(
            "文件签名不成立。", "the signature of the file does not hold.", version=version
        ) from error
    return key_id


def read_signed_file(
    data: bytes,
    version: str,
    names: tuple[str, ...],
    expected_city: CityId,
    is_message_key: KeyCheck,
) -> JsonObject:
    """Read a signed file and check that a message key of a city signed it; returns its members.

    Args:
        data: As received.
        version: Format version.
        names: Its members besides `v`, `keyid` and `signature`.
        expected_city: Who has to have signed.
        is_message_key: Whether the chain knows a key as a trusted message key of its city.

    Raises:
        SignedBodyError: The signature does not hold, or another city signed.
        MessageKeyUnknownError: The chain does not know the key.
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError,
        MessageSignatureError: Not exactly such a file.
    """
    value = parse_canonical(data, what=version, max_bytes=MAX_SIGNED_BYTES)
    read_version(value, version, what=version)
    members = require_members(value, ("v", *names, *SIGNED_MEMBERS), what=version)
    key_id = verify_signed(version, members)
    if key_id.city != expected_city:
        raise SignedBodyError(
            "签名的不是该城市。", "another city signed the file.", version=version
        )
    if not is_message_key(key_id):
        raise MessageKeyUnknownError(key_id.city)
    return members
