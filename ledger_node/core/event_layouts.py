"""How each contract event lies in a log: topic, types, which parameters stand in topics.

Used by events.py only. The topics are literals so that reading events needs no keccak; a test
computes them again and compares all of this with the committed ABI. Spec: docs/spec/events.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ledger_node.core.catalogue_events import (
    EditionProposed,
    EditionPublished,
    EditionVoteCast,
    ListOpened,
)
from ledger_node.core.event_types import (
    ChangeCancelled,
    CheckpointAnchored,
    ContractRegistered,
    ContractRole,
    Event,
    GenerationClosed,
    GrantConsumed,
    GrantRecorded,
    GrantRevoked,
    KeyAnnounced,
    KeyDistrusted,
    MemberAdmitted,
    MemberReinstated,
    MemberSuspended,
    ObjectionClosed,
    ObjectionRaised,
    ObjectionWithdrawn,
    ProposalCreated,
    ProposalExecuted,
    StatusSet,
    UrlAnnounced,
    VoteCast,
)
from ledger_node.core.event_words import SOLIDITY


@dataclass(frozen=True, slots=True)
class EventLayout:
    """How one event lies in a log.

    Attributes:
        kind: Event class; its fields after `position` are in the order of the parameters.
        signature: `Name(type,…)`; topic 0 is its keccak-256.
        topic: Topic 0, 32 bytes.
        indexed: For each parameter, whether it stands in a topic.
        readers: For each parameter, word (or dynamic bytes) -> value.
    """

    kind: type[Event]
    signature: str
    topic: bytes
    indexed: tuple[bool, ...]
    readers: tuple[Callable[[bytes], object], ...]


def _layout(kind: type[Event], parameters: str, topic: str) -> EventLayout:
    """Layout from `type` words, those in topics marked with `*`."""
    words = parameters.split()
    types = [SOLIDITY[word.rstrip("*")] for word in words]
    return EventLayout(
        kind=kind,
        signature=f"{kind.__name__}({','.join(name for name, _ in types)})",
        topic=bytes.fromhex(topic),
        indexed=tuple(word.endswith("*") for word in words),
        readers=tuple(reader for _, reader in types),
    )


EVENT_LAYOUTS: Mapping[ContractRole, tuple[EventLayout, ...]] = {
    ContractRole.MEMBERSHIP: (
        _layout(
            MemberAdmitted,
            "city* string",
            "604dc1cfcd4bf2e388838679b51408b4577c0bf625c2004f3b1d40b1463c6754",
        ),
        _layout(
            MemberSuspended,
            "city*",
            "1df5d6e1f362b6304d1acca2c5aa503e5bc88f37b69e1759cb223ae8e26acab2",
        ),
        _layout(
            MemberReinstated,
            "city*",
            "ec0be1db314bccc587edb64bb01cb6901158c81bedaa31f28a9d3ed28713a8e3",
        ),
        _layout(
            KeyAnnounced,
            "city* key_role* bytes32 uint64 uint64",
            "2eba7c91e09c85f00c2a9e3ade13c0033862a1eca293d4564ea5dcbb00f54b98",
        ),
        _layout(
            UrlAnnounced,
            "city* string uint64 uint64",
            "03fe1d7a6d9844fc8cdcd791c29b4afc8127fbd433ee77218ea47b85456d1d6f",
        ),
        _layout(
            ChangeCancelled,
            "uint64* city*",
            "006877177948a4d73874ca003d6d7bb39be731ffe123f4c5197bcda77852352f",
        ),
        _layout(
            KeyDistrusted,
            "city* key_role* bytes32 uint64",
            "ecc580cdffbcc8b08feb383c7af091ea73f006be7ae0b2a712071653c071d597",
        ),
        _layout(
            ProposalCreated,
            "uint64* city* proposal_kind bytes bytes32 uint64",
            "2e69df6dbdcca01a2811e3672a3047d8a93ed84be5eab4f7493f5e6004067de3",
        ),
        _layout(
            VoteCast,
            "uint64* city* bool",
            "2bf307e05121285bc1baf8d14341b69148400f0a63cc155835c8ac306d42b0d5",
        ),
        _layout(
            ProposalExecuted,
            "uint64*",
            "2b3962140cfad697e04b60d47af771de8568e6ead5f42b8873c4a8d12bd2b3c7",
        ),
        _layout(
            ContractRegistered,
            "contract_role* address* uint64",
            "9a6b0f7a7915b88abe9aa1a70329f6e3c8204ed48ea0c5c07bcbd229d4bad6a8",
        ),
    ),
    ContractRole.CITY_LOG: (
        _layout(
            CheckpointAnchored,
            "city* uint32* uint64 bytes32",
            "e00b2ec80edd64412611dda4600e43893b20507f868d9592e992eca1038a8d69",
        ),
        _layout(
            GenerationClosed,
            "city* uint32* uint64 bytes32",
            "90f05fb24bf81071ae5b3894f44bda3d39fb0aca668d0a4f19ab5b19b0da21f8",
        ),
    ),
    ContractRole.MATERIAL_STATUS: (
        _layout(
            StatusSet,
            "city* bytes32* flag bytes32",
            "c00d65d9fcf297d54117375844977247623014c567c578981bc6086810c94543",
        ),
        _layout(
            ObjectionRaised,
            "uint64* city* bytes32* city bytes32",
            "38630bb556707d5bf01988e9272dcea397e619d8f12717e738f343b074a9b69b",
        ),
        _layout(
            ObjectionClosed,
            "uint64* outcome",
            "02847cf5f4ff22f39425386579c3edca84ff3215f015b6739897ec4d6b12628d",
        ),
        _layout(
            ObjectionWithdrawn,
            "uint64*",
            "0206d02d192afeac3def47201d42c471828a23aee5e9988307b820c20158df04",
        ),
    ),
    ContractRole.GRANTS: (
        _layout(
            GrantRecorded,
            "bytes32* city* city* city uint64 uint64 uint32 basis bytes32",
            "174339c8d54ab28f40aa6a591193a3c4b158467029037363dc392a90984ee83d",
        ),
        _layout(
            GrantRevoked,
            "bytes32* city*",
            "b1518cc190c79fd7b6cc52f464e4a434ea47dd8ca44a9b244ba39f3c52895a2d",
        ),
        _layout(
            GrantConsumed,
            "bytes32* bytes32* uint32",
            "6e31969518c3a9f4516e56b2caaa506ba0878d35b4893024521a6e6957256f37",
        ),
    ),
    ContractRole.CATALOGUE: (
        _layout(
            ListOpened,
            "bytes32* list_rule string bytes",
            "ef789f22d40f02bc897957b97de2bdb88945f838c25fad6ef9bdc49140c76eaa",
        ),
        _layout(
            EditionProposed,
            "uint64* bytes32* city* uint32 bytes32 uint64 bytes32 uint64",
            "6693ab41eaebdbeed55501cea62a488d51c241a62d35d7d081e456c98504a1e7",
        ),
        _layout(
            EditionVoteCast,
            "uint64* city* bool",
            "eb397d10d5d043f6edf4de80d81d468704c4d100f693082ae04e4da2640ee637",
        ),
        _layout(
            EditionPublished,
            "uint64* bytes32* uint32 bytes32 uint64",
            "949fe41fdc3099a6640fbfb26172d3ad8993bee585c3cc285eedf50d2bcea387",
        ),
    ),
}
