"""Vectors of contract logs: every event once, encoded by eth_abi, and damaged logs."""

import hashlib

import eth_abi
from eth_hash.auto import keccak

from tests.reference.vector_files import vector

H = [hashlib.sha256(f"event word {number}".encode()).digest() for number in range(6)]
URL = "https://wuhou.example:8443"

# name -> contract, [(parameter, type, indexed, value)]
EVENTS = {
    "MemberAdmitted": (
        "MEMBERSHIP",
        [("city", "uint32", True, 510107), ("url", "string", False, URL)],
    ),
    "MemberSuspended": ("MEMBERSHIP", [("city", "uint32", True, 510700)]),
    "MemberReinstated": ("MEMBERSHIP", [("city", "uint32", True, 510700)]),
    "KeyAnnounced": (
        "MEMBERSHIP",
        [
            ("city", "uint32", True, 130600),
            ("role", "uint8", True, 6),
            ("key", "bytes32", False, H[0]),
            ("validFrom", "uint64", False, 1_800_000_000),
            ("changeId", "uint64", False, 9),
        ],
    ),
    "UrlAnnounced": (
        "MEMBERSHIP",
        [
            ("city", "uint32", True, 500103),
            ("url", "string", False, "https://渝中.example"),
            ("validFrom", "uint64", False, 1_800_000_001),
            ("changeId", "uint64", False, 10),
        ],
    ),
    "ChangeCancelled": (
        "MEMBERSHIP",
        [("changeId", "uint64", True, 10), ("city", "uint32", True, 500103)],
    ),
    "KeyDistrusted": (
        "MEMBERSHIP",
        [
            ("city", "uint32", True, 610113),
            ("role", "uint8", True, 5),
            ("key", "bytes32", False, H[1]),
            ("sinceBlock", "uint64", False, 77),
        ],
    ),
    "ProposalCreated": (
        "MEMBERSHIP",
        [
            ("id", "uint64", True, 1),
            ("city", "uint32", True, 510107),
            ("kind", "uint8", False, 3),
            ("payload", "bytes", False, bytes(range(96))),
            ("paper", "bytes32", False, H[2]),
            ("expiresAt", "uint64", False, 1_800_600_000),
        ],
    ),
    "VoteCast": (
        "MEMBERSHIP",
        [
            ("id", "uint64", True, 1),
            ("city", "uint32", True, 510700),
            ("support", "bool", False, True),
        ],
    ),
    "ProposalExecuted": ("MEMBERSHIP", [("id", "uint64", True, 1)]),
    "ContractRegistered": (
        "MEMBERSHIP",
        [
            ("role", "uint8", True, 2),
            ("contractAddress", "address", True, "0x" + "ab" * 20),
            ("fromBlock", "uint64", False, 12),
        ],
    ),
    "CheckpointAnchored": (
        "CITY_LOG",
        [
            ("city", "uint32", True, 510107),
            ("generation", "uint32", True, 1),
            ("size", "uint64", False, 2**40),
            ("root", "bytes32", False, H[3]),
        ],
    ),
    "GenerationClosed": (
        "CITY_LOG",
        [
            ("city", "uint32", True, 510107),
            ("generation", "uint32", True, 2),
            ("size", "uint64", False, 41),
            ("root", "bytes32", False, H[4]),
        ],
    ),
    "StatusSet": (
        "MATERIAL_STATUS",
        [
            ("city", "uint32", True, 510107),
            ("leafHash", "bytes32", True, H[0]),
            ("status", "uint8", False, 2),
            ("successor", "bytes32", False, H[1]),
        ],
    ),
    "ObjectionRaised": (
        "MATERIAL_STATUS",
        [
            ("id", "uint64", True, 4),
            ("city", "uint32", True, 510107),
            ("leafHash", "bytes32", True, H[0]),
            ("raiser", "uint32", False, 510700),
            ("reason", "bytes32", False, H[2]),
        ],
    ),
    "ObjectionClosed": (
        "MATERIAL_STATUS",
        [("id", "uint64", True, 4), ("outcome", "uint8", False, 3)],
    ),
    "ObjectionWithdrawn": ("MATERIAL_STATUS", [("id", "uint64", True, 5)]),
    "GrantRecorded": (
        "GRANTS",
        [
            ("terms", "bytes32", True, H[0]),
            ("releasing", "uint32", True, 510107),
            ("receiving", "uint32", True, 510700),
            ("recorder", "uint32", False, 510700),
            ("notBefore", "uint64", False, 1_800_000_000),
            ("notAfter", "uint64", False, 1_800_086_400),
            ("uses", "uint32", False, 2),
            ("basis", "uint8", False, 2),
            ("evidence", "bytes32", False, H[5]),
        ],
    ),
    "GrantRevoked": (
        "GRANTS",
        [("terms", "bytes32", True, H[0]), ("city", "uint32", True, 130600)],
    ),
    "ListOpened": (
        "CATALOGUE",
        [
            ("list", "bytes32", True, H[0]),
            ("kind", "uint8", False, 1),
            ("code", "string", False, "mianyang-yuzhong-1"),
            ("parties", "bytes", False, (500103).to_bytes(4, "big") + (510700).to_bytes(4, "big")),
        ],
    ),
    "EditionProposed": (
        "CATALOGUE",
        [
            ("id", "uint64", True, 1),
            ("list", "bytes32", True, H[0]),
            ("city", "uint32", True, 510700),
            ("edition", "uint32", False, 2),
            ("digest", "bytes32", False, H[1]),
            ("effectiveFrom", "uint64", False, 1_800_086_400),
            ("paper", "bytes32", False, H[2]),
            ("expiresAt", "uint64", False, 1_800_600_000),
        ],
    ),
    "EditionVoteCast": (
        "CATALOGUE",
        [
            ("id", "uint64", True, 1),
            ("city", "uint32", True, 500103),
            ("support", "bool", False, True),
        ],
    ),
    "EditionPublished": (
        "CATALOGUE",
        [
            ("id", "uint64", True, 1),
            ("list", "bytes32", True, H[0]),
            ("edition", "uint32", False, 2),
            ("digest", "bytes32", False, H[1]),
            ("effectiveFrom", "uint64", False, 1_800_086_400),
        ],
    ),
    "GrantConsumed": (
        "GRANTS",
        [
            ("terms", "bytes32", True, H[0]),
            ("releaseCommitment", "bytes32", True, H[1]),
            ("usesLeft", "uint32", False, 1),
        ],
    ),
}


def encode(name):
    """Topics and data of the event `name`."""
    _, parameters = EVENTS[name]
    signature = f"{name}({','.join(kind for _, kind, _, _ in parameters)})"
    topics = [keccak(signature.encode())]
    topics += [eth_abi.encode([kind], [value]) for _, kind, indexed, value in parameters if indexed]
    plain = [(kind, value) for _, kind, indexed, value in parameters if not indexed]
    data = eth_abi.encode([kind for kind, _ in plain], [value for _, value in plain])
    return topics, data


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


def put(data, at, word):
    return data[: 32 * at] + word + data[32 * at + 32 :]


def word(number):
    return number.to_bytes(32, "big")


def damages():
    """(event, name of the damage, topics, data)."""
    for name in EVENTS:
        topics, data = encode(name)
        yield name, "topic-missing", topics[:-1] if len(topics) > 1 else [*topics, H[0]], data
        yield name, "trailing-word", topics, data + bytes(32)
        if data:
            yield name, "data-cut-off", topics, data[:-1]
            yield name, "data-empty", topics, b""
    topics, data = encode("GrantRecorded")
    yield "GrantRecorded", "city-of-seven-digits", topics, put(data, 0, word(1_000_000))
    yield "GrantRecorded", "time-of-65-bits", topics, put(data, 1, word(2**64))
    yield "GrantRecorded", "uses-of-33-bits", topics, put(data, 3, word(2**32))
    yield "GrantRecorded", "basis-0", topics, put(data, 4, word(0))
    yield "GrantRecorded", "basis-5", topics, put(data, 4, word(5))
    yield "GrantRecorded", "topic-of-31-bytes", [topics[0], topics[1][1:], *topics[2:]], data
    topics, data = encode("StatusSet")
    for flag in (0, 3, 16):
        yield "StatusSet", f"status-{flag}", topics, put(data, 0, word(flag))
    topics, data = encode("ObjectionClosed")
    yield "ObjectionClosed", "outcome-4", topics, word(4)
    topics, data = encode("VoteCast")
    yield "VoteCast", "support-2", topics, word(2)
    topics, data = encode("KeyAnnounced")
    yield "KeyAnnounced", "role-7", [*topics[:2], word(7)], data
    topics, data = encode("ContractRegistered")
    yield "ContractRegistered", "role-4", [topics[0], word(4), topics[2]], data
    yield "ContractRegistered", "dirty-address", [*topics[:2], b"\1" * 32], data
    topics, data = encode("ListOpened")
    yield "ListOpened", "rule-3", topics, put(data, 0, word(3))
    topics, data = encode("ProposalCreated")
    yield "ProposalCreated", "kind-8", topics, put(data, 0, word(8))
    yield "ProposalCreated", "offset-elsewhere", topics, put(data, 1, word(160))
    yield "ProposalCreated", "length-too-long", topics, put(data, 4, word(97))
    yield "ProposalCreated", "length-huge", topics, put(data, 4, b"\xff" * 32)
    topics, data = encode("MemberAdmitted")
    yield "MemberAdmitted", "dirty-padding", topics, data[:-1] + b"\1"
    yield "MemberAdmitted", "length-missing", topics, data[:32]


def build_vectors():
    for name, (contract, parameters) in EVENTS.items():
        topics, data = encode(name)
        yield vector(
            f"events/{name}",
            "happy",
            f"{name} as its contract emits it",
            contract=contract,
            topics=topics,
            data=data,
            values={parameter: plain(value) for parameter, _, _, value in parameters},
        )
    for name, damage, topics, data in damages():
        yield vector(
            f"events/{name}",
            damage,
            damage.replace("-", " "),
            "MalformedLogError",
            contract=EVENTS[name][0],
            topics=topics,
            data=data,
        )
