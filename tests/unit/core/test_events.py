"""Decoding contract logs, against eth_abi, the committed ABI and the interfaces' numbers."""

import dataclasses
import json
import random
import re
import time
from pathlib import Path

import eth_abi
import pytest
from eth_hash.auto import keccak

from ledger_node.core import catalogue_events, event_types, events
from ledger_node.core.errors import LedgerError
from ledger_node.core.events import ContractRole, MalformedLogError, Position, UnknownEvent
from tests.vector_runner import load_vectors, run_vector, unhex

ROOT = Path(__file__).parents[3]
AT = Position(7, 3, b"\1" * 32, b"\2" * 32, 1_800_000_000, b"\3" * 20)
ABI_NAMES = {
    ContractRole.MEMBERSHIP: "Membership",
    ContractRole.CITY_LOG: "CityLog",
    ContractRole.MATERIAL_STATUS: "MaterialStatus",
    ContractRole.GRANTS: "Grants",
    ContractRole.CATALOGUE: "Catalogue",
}
LAYOUTS = [(role, layout) for role, layouts in events.EVENT_LAYOUTS.items() for layout in layouts]


def load_abi_events(role):
    path = ROOT / "contracts" / "abi" / f"{ABI_NAMES[role]}.json"
    abi = json.loads(path.read_text(encoding="utf-8"))["abi"]
    return {item["name"]: item["inputs"] for item in abi if item["type"] == "event"}


def spell(value):
    """A decoded value as a vector has it."""
    if isinstance(value, bytes):
        return value.hex()
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("vector", load_vectors("events"))
def test_decode_event_vector_has_named_outcome(vector):
    def action():
        event = events.decode_event(
            ContractRole[vector["contract"]],
            unhex(vector["topics"]),
            bytes.fromhex(vector["data"]),
            AT,
        )
        assert event.position == AT
        found = [spell(getattr(event, each.name)) for each in dataclasses.fields(event)[1:]]
        expected = list(vector["values"].values())
        by_name = sorted(map(repr, found))
        assert by_name == sorted(repr(_python(value, found)) for value in expected)

    run_vector(vector, action)


def _python(value, found):
    """Cities are text inside, addresses bytes; everything else stands as in the vector."""
    if isinstance(value, int) and not isinstance(value, bool) and f"{value:06d}" in found:
        return f"{value:06d}"
    if isinstance(value, str) and value.startswith("0x"):
        return value[2:]
    return value


@pytest.mark.parametrize("role", ABI_NAMES, ids=str)
def test_event_layouts_are_exactly_the_committed_abi(role):
    abi = load_abi_events(role)
    layouts = {layout.kind.__name__: layout for layout in events.EVENT_LAYOUTS[role]}
    assert layouts.keys() == abi.keys()
    for name, inputs in abi.items():
        signature = f"{name}({','.join(item['type'] for item in inputs)})"
        layout = layouts[name]
        assert layout.signature == signature
        assert layout.topic == keccak(signature.encode())
        assert layout.indexed == tuple(item["indexed"] for item in inputs)
        fields = [each.name for each in dataclasses.fields(layout.kind)[1:]]
        assert len(fields) == len(inputs)
        for field, item in zip(fields, inputs, strict=True):
            snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", item["name"]).lower()
            assert snake in (field, "id", "terms") or field in (
                f"{snake}_s",
                "proposal_id",
                "vote_id",
            ), item


def test_event_enumerations_are_exactly_the_contract_types():
    source = (ROOT / "contracts" / "types" / "Types.sol").read_text(encoding="utf-8")

    def members(name):
        body = re.search(rf"enum {name} {{(.*?)}}", source, re.S).group(1)
        return re.findall(r"^\s*(\w+)", re.sub(r"//.*", "", body), re.M)

    def ours(kind):
        return ["".join(part.title() for part in each.name.split("_")) for each in sorted(kind)]

    assert ours(event_types.KeyRole) == members("KeyRole")
    assert ours(event_types.ProposalKind) == members("ProposalKind")
    assert ours(event_types.ContractRole)[:-1] == members("ContractRole")
    assert ours(catalogue_events.ListRule) == members("ListRule")


def test_decode_event_random_values_agree_with_eth_abi():
    rng = random.Random(4)
    grants = events.EVENT_LAYOUTS[ContractRole.GRANTS][0]
    for _ in range(200):
        terms, evidence = rng.randbytes(32), rng.randbytes(32)
        cities = [rng.randrange(1_000_000) for _ in range(3)]
        plain = [cities[2], rng.getrandbits(64), rng.getrandbits(64), rng.getrandbits(32)]
        topics = [grants.topic, terms, *(eth_abi.encode(["uint32"], [c]) for c in cities[:2])]
        data = eth_abi.encode(
            ["uint32", "uint64", "uint64", "uint32", "uint8", "bytes32"],
            [*plain, rng.randrange(1, 5), evidence],
        )
        event = events.decode_event(ContractRole.GRANTS, topics, data, AT)
        assert (event.grant_id, event.evidence) == (terms, evidence)
        assert [event.releasing, event.receiving, event.recorder] == [f"{c:06d}" for c in cities]
        assert [event.not_before_s, event.not_after_s, event.uses] == plain[1:]


@pytest.mark.parametrize(
    ("role", "topics"),
    [
        (ContractRole.GRANTS, ()),
        (ContractRole.GRANTS, (b"\0" * 32,)),
        (ContractRole.CITY_LOG, (events.EVENT_LAYOUTS[ContractRole.GRANTS][0].topic,)),
    ],
    ids=["anonymous", "unknown-topic", "topic-of-another-contract"],
)
def test_decode_event_unknown_topic_is_kept(role, topics):
    assert events.decode_event(role, topics, b"any", AT) == UnknownEvent(AT, topics, b"any")


@pytest.mark.parametrize("url", [b"\xff\xfe", b"https://\xc3", b"a" * 200, "https://渝中".encode()])
def test_decode_event_any_url_bytes_never_stop_a_follower(url):
    layout = events.EVENT_LAYOUTS[ContractRole.MEMBERSHIP][0]
    topics = [layout.topic, (510107).to_bytes(32, "big")]
    event = events.decode_event(
        ContractRole.MEMBERSHIP, topics, eth_abi.encode(["bytes"], [url]), AT
    )
    assert event.url == url.decode("utf-8", "backslashreplace")
    event.url.encode("utf-8")


def decode_error(role, topics, data):
    try:
        events.decode_event(role, topics, data, AT)
    except MalformedLogError as error:
        return error
    return None


def test_decode_event_any_damage_raises_only_malformed_log():
    rng, refused = random.Random(5), 0
    for role, layout in LAYOUTS:
        for _ in range(60):
            topics = [layout.topic, *(rng.randbytes(32) for _ in range(rng.randrange(4)))]
            data = rng.randbytes(32 * rng.randrange(8))
            error = decode_error(role, topics, data)
            if error is not None:
                refused += 1
                assert error.fields == {"event": layout.kind.__name__, "position": AT}
    assert refused > 600


@pytest.mark.parametrize("city", ["510107", "000000", "999999"])
def test_division_code_of_city_round_trips(city):
    assert events.city_of_division_code(events.division_code_of_city(city)) == city


@pytest.mark.parametrize("city", ["51010", "5101077", "51010x", "５１０１０７", ""])
def test_division_code_of_city_other_text_raises(city):
    with pytest.raises(LedgerError):
        events.division_code_of_city(city)


@pytest.mark.parametrize("code", [-1, 1_000_000])
def test_city_of_division_code_out_of_range_raises(code):
    with pytest.raises(MalformedLogError):
        events.city_of_division_code(code)


def test_decode_event_bulk_is_fast_enough_to_follow_a_chain():
    layout = events.EVENT_LAYOUTS[ContractRole.GRANTS][2]
    topics = [layout.topic, b"\1" * 32, b"\2" * 32]
    data = (1).to_bytes(32, "big")
    begin = time.perf_counter()
    for _ in range(20_000):
        events.decode_event(ContractRole.GRANTS, topics, data, AT)
    assert time.perf_counter() - begin < 5  # measured 0.1 s on an idle core; only a blunder fails
