"""Step 11: an auditor with an endpoint and the members' public logs; every planted lie is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import httpx2
import pytest
from sqlalchemy import create_engine, text

from ledger_node.core.errors import UnavailableError
from ledger_node.core.merkle import EMPTY_TREE_HEAD
from ledger_node.core.replay_state import DiscrepancyCode
from ledger_node.core.types import BlockHash, BlockNumber
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.chain.contracts import ContractCalls
from ledger_node.flows.auditing import (
    AuditReport,
    ChainReplay,
    encode_report,
    replay_chain,
    replay_ledger,
)
from ledger_node.flows.following import rebuild_derived
from ledger_node.ports.chain import ChainContradictionError, ChainUnavailableError
from tests.integration.way.story import ISSUER, RELIER, Way
from tests.support.asking import ask_chain
from tests.support.consortium import DOMAIN

pytestmark = [pytest.mark.integration]
CODE = DiscrepancyCode


class Changed:
    """A port with some methods replaced."""

    def __init__(self, port: object, **methods: Any) -> None:
        self._port = port
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


@pytest.fixture
def auditor(way: Way) -> Iterator[EvmChain]:
    chain = EvmChain(way.consortium.rpc, way.relier.profile.chain_id)
    yield chain
    chain.close()


@pytest.fixture
def replayed(way: Way, auditor: EvmChain) -> ChainReplay:
    """The chain read once; nothing is under way while these tests run."""
    way.consortium.turn()
    return replay_chain(auditor, way.relier.profile)


def fetcher(replayed: ChainReplay) -> Callable[[str, str], bytes]:
    """Public log files by plain HTTP from the registered addresses: no key, no node."""

    def fetch(city: Any, path: str) -> bytes:
        response = httpx2.get(replayed.url_of(city) + path, timeout=10)
        if response.status_code != 200:
            raise UnavailableError("没有", f"HTTP {response.status_code}")
        return response.content

    return fetch


def audit(way: Way, chain: Any, replayed: ChainReplay, **changes: Any) -> AuditReport:
    values: dict[str, Any] = {
        "contracts": ContractCalls(chain),
        "fetch_log_file": fetcher(replayed),
        "replayed": replayed,
    } | changes
    contracts, fetch = values.pop("contracts"), values.pop("fetch_log_file")
    return replay_ledger(chain, contracts, way.relier.profile, DOMAIN, fetch, **values)


def found(report: AuditReport) -> set[tuple[str, str]]:
    assert not report.clean
    assert report.discrepancy_count == len(report.discrepancies)
    return {(each.code, each.where) for each in report.discrepancies}


def count_raw_logs(rpc: str) -> int:
    """All logs of the chain, asked for without our client."""
    return len(ask_chain(rpc, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}))


def test_replay_ledger_honest_history_is_clean(
    way: Way, auditor: EvmChain, replayed: ChainReplay
) -> None:
    told: list[str] = []
    for slug in (ISSUER, RELIER):  # derived rows of SQLite and of PostgreSQL
        database = way.consortium[slug].node.database
        report = audit(
            way, auditor, replayed, database=database, progress=lambda stage, *_: told.append(stage)
        )
        assert report.clean, report.discrepancies
        state = replayed.state
        heads = sum(len(each) for each in state.heads.values())
        flags = sum(len(each.set_at) for each in state.leaves.values())
        assert report.database_rows == heads + flags + len(state.grants) > 5
    assert report.events == count_raw_logs(way.consortium.rpc)
    assert report.entries == sum(log.entries for log in report.logs)
    assert [(log.origin, log.heads) for log in report.logs] == [
        (log.origin, log.explained) for log in report.logs
    ]
    assert {log.origin.split("/")[1] for log in report.logs} == {way.issuer.city, way.relier.city}
    known = len(state.consortium.contracts) + len(state.consortium.members)
    assert report.storage_reads == known + len(state.grants) + len(state.leaves)
    assert audit(way, auditor, replayed, sample=1).storage_reads < report.storage_reads
    encoded = cast(Any, encode_report(report))
    assert (encoded["clean"], encoded["discrepancies"]) == (True, [])
    again = replay_chain(auditor, way.relier.profile, lambda stage, *_: told.append(stage))
    assert encode_report(audit(way, auditor, again))["state_digest"] == encoded["state_digest"]
    assert {"chain", f"log {way.issuer.city}/1"} <= set(told)


@pytest.mark.parametrize("damage", ["changed", "missing", "cut", "kind"])
def test_replay_ledger_damaged_log_is_located(
    way: Way, auditor: EvmChain, replayed: ChainReplay, damage: str
) -> None:
    honest, city = fetcher(replayed), way.issuer.city

    def fetch(asked: Any, path: str) -> bytes:
        data = honest(asked, path)
        if asked != city:
            return data
        if damage == "missing":
            raise UnavailableError("没有", "gone")
        if damage == "cut":
            return data[:-1]
        changed = bytearray(data)
        changed[3 if damage == "kind" else -1] ^= 0x40
        return bytes(changed)

    places = found(audit(way, auditor, replayed, fetch_log_file=fetch))
    size = max(head.head.size for head in replayed.state.heads[city, 1])
    expected = {
        "changed": (CODE.LOG_FORKED, f"log {city}/1 size {size}"),
        "missing": (CODE.LOG_WITHHELD, f"log {city}/1 bundle 0"),
        "cut": (CODE.LOG_ENTRY_MALFORMED, f"log {city}/1 bundle 0"),
        "kind": (CODE.LOG_ENTRY_MALFORMED, f"log {city}/1 leaf 0"),
    }
    assert expected[damage] in places
    assert all(city in where for _, where in places), "the other city's log is not blamed"
    if damage in ("missing", "cut"):
        assert (CODE.LOG_WITHHELD, f"log {city}/1 size {size}") in places


def test_replay_ledger_full_bundle_serves_for_a_partial_one(
    way: Way, auditor: EvmChain, replayed: ChainReplay
) -> None:
    honest = fetcher(replayed)

    def fetch(city: Any, path: str) -> bytes:
        if ".p/" in path:
            raise UnavailableError("没有", "gone")
        size = max(head.head.size for head in replayed.state.heads[city, 1])
        later = b"\x00\x22" + bytes(34)  # entries that came after the anchored head
        return honest(city, f"{path}.p/{size}") + (256 - size) * later

    report = audit(way, auditor, replayed, fetch_log_file=fetch)
    assert report.clean, report.discrepancies


@pytest.mark.parametrize("view", ["head", "grant", "status", "current_contract"])
def test_replay_ledger_storage_that_differs_is_located(
    way: Way, auditor: EvmChain, replayed: ChainReplay, view: str
) -> None:
    contracts = ContractCalls(auditor)
    real = getattr(contracts, f"fetch_{view}")

    def lie(*arguments: Any, **options: Any) -> Any:
        held = real(*arguments, **options)
        return {
            "head": lambda: replace(held, tree_head=EMPTY_TREE_HEAD),
            "grant": lambda: replace(held, uses_left=held.uses_left + 1),
            "status": lambda: replace(held, flags=held.flags ^ 4),
            "current_contract": lambda: None,
        }[view]()

    changed = Changed(contracts, **{f"fetch_{view}": lie})
    places = found(audit(way, auditor, replayed, contracts=changed))
    assert {code for code, _ in places} == {CODE.STATE_DIFFERS}
    words = {"current_contract": "contract"}.get(view, view)
    assert {where.split()[1] for _, where in places} == {words}


def test_replay_ledger_storage_revoked_behind_the_events_is_located(
    way: Way, auditor: EvmChain, replayed: ChainReplay
) -> None:
    contracts = ContractCalls(auditor)

    def revoked(*arguments: Any, **options: Any) -> Any:
        return replace(contracts.fetch_grant(*arguments, **options), state=3)

    changed = Changed(contracts, fetch_grant=revoked)
    places = found(audit(way, auditor, replayed, contracts=changed))
    assert len(places) == len(replayed.state.grants)
    assert all(where.endswith(" state") for _, where in places)


@pytest.mark.parametrize("slug", [ISSUER, RELIER])
@pytest.mark.parametrize(
    ("statement", "code", "place"),
    [
        ("DELETE FROM chain_heads", CODE.STATE_MISSING, "database heads"),
        ("UPDATE chain_heads SET size = size + 1", CODE.STATE_EXTRA, "database heads"),
        ("DELETE FROM chain_statuses", CODE.STATE_MISSING, "database statuses"),
        ("UPDATE chain_statuses SET flag = 4", CODE.STATE_EXTRA, "database statuses"),
        ("UPDATE chain_grants SET uses = uses + 1", CODE.STATE_DIFFERS, "database grant"),
        ("DELETE FROM chain_grants", CODE.STATE_MISSING, "database grant"),
        ("DELETE FROM chain_consumptions", CODE.STATE_MISSING, "database grant"),
        ("DELETE FROM chain_revocations", CODE.STATE_DIFFERS, "database grant"),
    ],
)
def test_compare_database_changed_derived_row_is_located(
    way: Way,
    auditor: EvmChain,
    replayed: ChainReplay,
    slug: str,
    statement: str,
    code: DiscrepancyCode,
    place: str,
) -> None:
    from ledger_node.flows.audit_comparing import compare_database

    runtime = way.consortium[slug]
    before: list[Any] = []
    with runtime.node.database.read() as tx:
        compare_database(tx, replayed.state, replayed.as_of, before)
    assert before == []
    engine = create_engine(runtime.settings.database)
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount > 0
    engine.dispose()
    after: list[Any] = []
    try:
        with runtime.node.database.read() as tx:
            compare_database(tx, replayed.state, replayed.as_of, after)
    finally:
        rebuild_derived(runtime.node)
    assert {(each.code, each.where[: len(place)]) for each in after} >= {(code, place)}


def test_replay_chain_missing_log_is_located(way: Way, auditor: EvmChain) -> None:
    victim = auditor.fetch_logs(BlockNumber(0), auditor.fetch_head().number, [])[-1]

    def without_victim(*arguments: Any) -> Any:
        return [log for log in auditor.fetch_logs(*arguments) if log != victim]

    chain = cast(Any, Changed(auditor, fetch_logs=without_victim))
    replayed = replay_chain(chain, way.relier.profile)
    assert (CODE.EVENT_GAP, f"block {victim.block_number}") in {
        (each.code, each.where) for each in replayed.discrepancies
    }


def test_replay_chain_unreadable_log_is_located(way: Way, auditor: EvmChain) -> None:
    victim = auditor.fetch_logs(BlockNumber(0), auditor.fetch_head().number, [])[-1]

    def cut_victim(*arguments: Any) -> Any:
        logs = auditor.fetch_logs(*arguments)
        return [replace(log, data=log.data + b"\x01") if log == victim else log for log in logs]

    chain = cast(Any, Changed(auditor, fetch_logs=cut_victim))
    replayed = replay_chain(chain, way.relier.profile)
    assert f"block {victim.block_number}" in {each.where for each in replayed.discrepancies}


def test_replay_chain_that_changes_while_it_is_read_is_refused(way: Way, auditor: EvmChain) -> None:
    def reorganised(numbers: Any) -> Any:
        blocks = auditor.fetch_blocks(numbers)
        if len(blocks) < 3:
            return blocks
        return [*blocks[:2], replace(blocks[2], parent_hash=BlockHash(bytes(32))), *blocks[3:]]

    def replaced_last(numbers: Any) -> Any:
        blocks = auditor.fetch_blocks(numbers)
        if len(blocks) < 3:
            return blocks
        return [*blocks[:-1], replace(blocks[-1], hash=BlockHash(bytes(32)))]

    for lie in (reorganised, replaced_last):
        chain = cast(Any, Changed(auditor, fetch_blocks=lie))
        with pytest.raises(ChainUnavailableError):
            replay_chain(chain, way.relier.profile)


def test_replay_chain_of_another_genesis_is_refused(way: Way, auditor: EvmChain) -> None:
    profile = replace(way.relier.profile, genesis_hash=BlockHash(bytes(32)))
    with pytest.raises(ChainContradictionError):
        replay_chain(auditor, profile)


def test_replay_chain_read_in_small_ranges_is_the_same(
    way: Way, auditor: EvmChain, replayed: ChainReplay
) -> None:
    from ledger_node.core.replay_compare import compare_states

    small = replace(way.relier.profile, log_range_blocks=7)
    assert compare_states(replay_chain(auditor, small).state, replayed.state) == []
