"""Acknowledgement of a release, and notice that copies were destroyed: small signed files.

Steps 8 and 10 of the data flow. Signed by the receiving city's message key. Spec:
docs/spec/release.md. Vectors: tests/vectors/release/.

Not here: what the chain says of a key (asked through `is_message_key`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger_node.core.canonical import JsonObject, require_int
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_parts import KeyCheck
from ledger_node.core.shapes import (
    MAX_TIME_S,
    demand_distinct,
    demand_not_empty,
    read_bytes32,
    read_city,
    read_hashes,
)
from ledger_node.core.signed_body import encode_signed, read_signed_file
from ledger_node.core.types import CityId, Commitment, GrantId, ReleaseCommitment

ACKNOWLEDGEMENT_VERSION = "tongban/acknowledgement/v1"
DESTRUCTION_VERSION = "tongban/destruction/v1"
MAX_RELEASES = 256


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The receiving city has the release, and every digest matched.

    Attributes:
        grant_id, release: The permit.
        request_digest, answer_digest: What was asked and received, 32 bytes each.
        received_at_s: Unix time.
    """

    grant_id: GrantId
    release: ReleaseCommitment
    request_digest: bytes
    answer_digest: bytes
    received_at_s: int


@dataclass(frozen=True, slots=True)
class DestructionNotice:
    """The receiving city has destroyed what it held of a material.

    Attributes:
        issuer: City that registered the material.
        commitment: Which material.
        releases: Release commitments under which copies had come, distinct.
        destroyed_at_s: Unix time.
    """

    issuer: CityId
    commitment: Commitment
    releases: tuple[ReleaseCommitment, ...]
    destroyed_at_s: int


def encode_acknowledgement(
    acknowledgement: Acknowledgement, key_id: MessageKeyId, sign: Callable[[bytes], bytes]
) -> bytes:
    """Sign an acknowledgement and write it as RFC 8785 bytes."""
    body: JsonObject = {
        "terms": acknowledgement.grant_id.hex(),
        "release": acknowledgement.release.hex(),
        "request": acknowledgement.request_digest.hex(),
        "answer": acknowledgement.answer_digest.hex(),
        "received_at": acknowledgement.received_at_s,
    }
    return encode_signed(ACKNOWLEDGEMENT_VERSION, body, key_id, sign)


def verify_acknowledgement(
    data: bytes, expected_city: CityId, is_message_key: KeyCheck
) -> Acknowledgement:
    """Read an acknowledgement and check that a message key of a city signed it.

    Args:
        data: As received.
        expected_city: The receiving city of the release.
        is_message_key: Whether the chain knows a key as a trusted message key of its city.

    Raises:
        SignedBodyError: The signature does not hold, or another city signed.
        MessageKeyUnknownError: The chain does not know the key.
        NotCanonicalError, UnknownVersionError, UnexpectedShapeError, MalformedEncodingError,
        MessageSignatureError: Not exactly such a file.
    """
    names = ("terms", "release", "request", "answer", "received_at")
    m = read_signed_file(data, ACKNOWLEDGEMENT_VERSION, names, expected_city, is_message_key)
    what = "acknowledgement"
    return Acknowledgement(
        GrantId(read_bytes32(m["terms"], what=f"{what} terms")),
        ReleaseCommitment(read_bytes32(m["release"], what=f"{what} release")),
        read_bytes32(m["request"], what=f"{what} request"),
        read_bytes32(m["answer"], what=f"{what} answer"),
        require_int(m["received_at"], what=f"{what} received_at", maximum=MAX_TIME_S),
    )


def encode_destruction_notice(
    notice: DestructionNotice, key_id: MessageKeyId, sign: Callable[[bytes], bytes]
) -> bytes:
    """Sign a destruction notice and write it as RFC 8785 bytes."""
    body: JsonObject = {
        "issuer": notice.issuer,
        "commitment": notice.commitment.hex(),
        "releases": [each.hex() for each in notice.releases],
        "destroyed_at": notice.destroyed_at_s,
    }
    return encode_signed(DESTRUCTION_VERSION, body, key_id, sign)


def verify_destruction_notice(
    data: bytes, expected_city: CityId, is_message_key: KeyCheck
) -> DestructionNotice:
    """Read a destruction notice and check that a message key of a city signed it.

    Raises:
        As `verify_acknowledgement`.
    """
    names = ("issuer", "commitment", "releases", "destroyed_at")
    m = read_signed_file(data, DESTRUCTION_VERSION, names, expected_city, is_message_key)
    what = "destruction notice"
    releases = read_hashes(m["releases"], what=f"{what} releases", maximum=MAX_RELEASES)
    demand_not_empty(releases, what=f"{what} releases")
    demand_distinct(releases, what=f"{what} releases")
    return DestructionNotice(
        read_city(m["issuer"], what=f"{what} issuer"),
        Commitment(read_bytes32(m["commitment"], what=f"{what} commitment")),
        tuple(map(ReleaseCommitment, releases)),
        require_int(m["destroyed_at"], what=f"{what} destroyed_at", maximum=MAX_TIME_S),
    )
