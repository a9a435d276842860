"""The private part of a release answer: release salt, disclosures, secrets of the documents.

Step 8 of the data flow. Sealed to the receiving city; leaves both message logs once acknowledged.
Spec: docs/spec/release.md. Vectors: tests/vectors/release/.

Not here: sealing (edges/keys), checking it against the answer (release_check.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.age_identity import AGE_SECRET_BYTES
from ledger_node.core.canonical import (
    JsonObject,
    JsonValue,
    encode_canonical,
    parse_canonical,
    parse_hex,
    require_int,
    require_list,
    require_members,
    require_text,
)
from ledger_node.core.shapes import read_bytes32, refuse_shape
from ledger_node.core.statement import MAX_DOCUMENTS
from ledger_node.core.types import Commitment, Salt

MAX_SECRETS_BYTES = 3 * 1024 * 1024
MAX_POSITION = 2**16 - 2
_WHAT = "release secrets"


@dataclass(frozen=True, slots=True)
class MaterialSecrets:
    """What opens one material.

    Attributes:
        texts: Disclosures by position, position 0 among them.
        identities: X25519 secrets of its documents by index, 32 bytes each.
    """

    texts: Mapping[int, str]
    identities: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class ReleaseSecrets:
    """Release salt (32 bytes), and what opens each material."""

    salt: Salt
    materials: Mapping[Commitment, MaterialSecrets]


def encode_release_secrets(secrets: ReleaseSecrets) -> bytes:
    """Bytes to be sealed."""
    return encode_canonical(
        {
            "salt": secrets.salt.hex(),
            "materials": [
                _encode_material(commitment, each)
                for commitment, each in sorted(secrets.materials.items())
            ],
        }
    )


def parse_release_secrets(data: bytes) -> ReleaseSecrets:
    """Read the opened bytes.

    Raises:
        NotCanonicalError, UnexpectedShapeError, MalformedEncodingError: Not exactly such a part.
    """
    value = parse_canonical(data, what=_WHAT, max_bytes=MAX_SECRETS_BYTES)
    m = require_members(value, ("salt", "materials"), what=_WHAT)
    items = require_list(m["materials"], what=f"{_WHAT} materials")
    materials = [_read_material(item) for item in items]
    commitments = [commitment for commitment, _ in materials]
    if commitments != sorted(set(commitments)):
        raise refuse_shape(f"{_WHAT} materials", "须递增", "must rise")
    return ReleaseSecrets(Salt(read_bytes32(m["salt"], what=f"{_WHAT} salt")), dict(materials))


def _encode_material(commitment: Commitment, material: MaterialSecrets) -> JsonObject:
    return {
        "commitment": commitment.hex(),
        "disclosures": [
            {"position": position, "text": text}
            for position, text in sorted(material.texts.items())
        ],
        "identities": [
            {"index": index, "secret": secret.hex()}
            for index, secret in sorted(material.identities.items())
        ],
    }


def _read_material(value: JsonValue) -> tuple[Commitment, MaterialSecrets]:
    m = require_members(value, ("commitment", "disclosures", "identities"), what=_WHAT)
    commitment = Commitment(read_bytes32(m["commitment"], what=f"{_WHAT} commitment"))
    texts = [_read_text(item) for item in require_list(m["disclosures"], what=_WHAT)]
    identities = [_read_identity(item) for item in require_list(m["identities"], what=_WHAT)]
    for numbers in ([position for position, _ in texts], [index for index, _ in identities]):
        if numbers != sorted(set(numbers)):
            raise refuse_shape(_WHAT, "须递增", "positions and indexes must rise")
    return commitment, MaterialSecrets(dict(texts), dict(identities))


def _read_text(value: JsonValue) -> tuple[int, str]:
    what = f"{_WHAT} disclosure"
    m = require_members(value, ("position", "text"), what=what)
    return require_int(m["position"], what=what, maximum=MAX_POSITION), require_text(
        m["text"], what=what
    )


def _read_identity(value: JsonValue) -> tuple[int, bytes]:
    what = f"{_WHAT} identity"
    m = require_members(value, ("index", "secret"), what=what)
    secret = require_text(m["secret"], what=what)
    return require_int(m["index"], what=what, maximum=MAX_DOCUMENTS - 1), parse_hex(
        secret, what=what, length_bytes=AGE_SECRET_BYTES
    )
