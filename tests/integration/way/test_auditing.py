"""Step 11: an auditor with an endpoint and the members' public logs; every planted lie is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from sqlalchemy import create_engine, delete, insert, literal, select, text, update

from ledger_node.core.errors import UnavailableError
from ledger_node.core.merkle import EMPTY_TREE_HEAD
from ledger_node.core.release_request import encode_release_request, parse_release_request
from ledger_node.core.replay_compare import compute_state_digest
from ledger_node.core.replay_state import DiscrepancyCode
from ledger_node.core.terms_format import compute_grant_id
from ledger_node.core.types import BlockHash, BlockNumber, Commitment
from ledger_node.edges.audit import AuditDirectory
from ledger_node.edges.chain.client import EvmChain
from ledger_node.edges.chain.contracts import ContractCalls
from ledger_node.edges.database.columns import METADATA
from ledger_node.edges.database.tables_exchange import (
    finds,
    receipts,
    released_materials,
    releases,
)
from ledger_node.edges.database.tables_intake import entries
from ledger_node.flows import audit_resuming, questioning
from ledger_node.flows.audit_chain import open_chain, open_copy
from ledger_node.flows.audit_resuming import AuditKeeper
from ledger_node.flows.auditing import (
    AuditReport,
    ChainReplay,
    DocumentsToRead,
    compare_replay,
    encode_report,
    fold_reading,
    replay_chain,
    replay_ledger,
)
from ledger_node.flows.following import rebuild_derived
from ledger_node.flows.records import open_record
from ledger_node.ports.chain import ChainContradictionError, ChainUnavailableError
from ledger_node.ports.database_exchange import FindRow
from ledger_node.ports.documents import CiphertextDigestError, DocumentNotFoundError
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


def test_fold_reading_with_a_folder_asks_for_no_block_twice(
    way: Way, auditor: EvmChain, replayed: ChainReplay, tmp_path: Path
) -> None:
    """The folder of one pass serves the next one, and is a copy for a pass without endpoint."""
    folder, profile = AuditDirectory(tmp_path), way.relier.profile
    digests = [compute_state_digest(replayed.state)]
    first = fold_reading(open_chain(auditor, profile, folder=folder, at=replayed.as_of.number))

    def refuse(*_: Any) -> Any:
        raise AssertionError("asked for again")

    chain = cast(Any, Changed(auditor, fetch_logs=refuse))
    second = fold_reading(open_chain(chain, profile, folder=folder, at=replayed.as_of.number))
    third = fold_reading(open_copy(folder, profile))
    digests += [compute_state_digest(each.state) for each in (first, second, third)]
    assert len(set(digests)) == 1
    assert first.blocks == second.blocks == third.blocks == replayed.blocks


def test_compare_replay_killed_in_storage_goes_on_behind_the_values_read(
    way: Way, auditor: EvmChain, replayed: ChainReplay, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(audit_resuming, "SAVE_EVERY_READS", 1)
    contracts, asked = ContractCalls(auditor), []

    def fetch(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        if len(asked) == 3:
            raise KeyboardInterrupt
        held = contracts.fetch_grant(*arguments, **options)
        return replace(held, uses_left=held.uses_left + 1) if len(asked) == 1 else held

    def run() -> AuditReport:
        keeper = AuditKeeper.open(AuditDirectory(tmp_path))
        changed = cast(Any, Changed(contracts, fetch_grant=fetch))
        return compare_replay(replayed, changed, DOMAIN, fetcher(replayed), keeper=keeper)

    with pytest.raises(KeyboardInterrupt):
        run()
    places = found(run())
    assert {where for _, where in places} == {f"storage grant {asked[0][1].hex()} uses_left"}
    assert len(asked) == len(replayed.state.grants) + 1, "the third one is asked for twice"


@contextmanager
def planted(runtime: Any, *statements: Any) -> Iterator[Any]:
    """Rows changed behind the node's back, and put back at the end."""
    engine = create_engine(runtime.settings.database)
    tables = ("releases", "released_materials", "entries")
    before = {name: _rows(engine, name) for name in tables}
    with engine.begin() as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(delete(receipts).where(receipts.c.receipt_id == "planted"))
            connection.execute(delete(finds).where(finds.c.officer == "planted-1"))
            connection.execute(delete(released_materials))
            connection.execute(delete(releases))
            for name in ("releases", "released_materials"):
                if before[name]:
                    connection.execute(insert(METADATA.tables[name]), before[name])
            for row in before["entries"]:
                same = entries.c.entry_id == row["entry_id"]
                connection.execute(
                    update(entries).where(same).values(committed_at=row["committed_at"])
                )
        engine.dispose()


def _rows(engine: Any, name: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(METADATA.tables[name]))]


def test_list_uses_of_a_released_material_names_both_sides(way: Way) -> None:
    released = way.stock["gone"]
    for node, direction in ((way.issuer, "outgoing"), (way.relier, "incoming")):
        answer = questioning.list_uses(node, released.material.commitment)
        (row,) = answer.rows
        assert (row["release"], row["direction"]) == (released.digest.hex(), direction)
        assert not answer.more


@pytest.mark.parametrize(("name", "count"), [("gone", 1), ("over", 0)])
def test_list_relied_after_withdrawal_planted_receipt_is_named(
    way: Way, name: str, count: int
) -> None:
    assert questioning.list_relied_after_withdrawal(way.relier).rows == ()
    released, entry = way.stock[name], entries.c
    row = select(
        literal("planted"), literal(released.digest), entry.commitment, entry.commitment,
        literal(b"x"), literal(b"s" * 64), entry.entry_id, literal(False),
        literal(datetime.now(UTC) + timedelta(days=2), receipts.c.created_at.type),
    ).order_by(entry.entry_id).limit(1)  # fmt: skip
    names = [
        "receipt_id", "request_digest", "commitment", "salt", "sealed_body", "signature",
        "entry_id", "complete", "created_at",
    ]  # fmt: skip
    with planted(way.consortium[RELIER], insert(receipts).from_select(names, row)):
        rows = questioning.list_relied_after_withdrawal(way.relier).rows
    commitment = released.material.commitment.hex()
    assert [(each["receipt"], each["commitment"]) for each in rows] == [
        ("planted", commitment)
    ] * count


@pytest.mark.parametrize("slug", [ISSUER, RELIER])
def test_list_outside_purpose_planted_release_is_named(way: Way, slug: str) -> None:
    runtime, digest = way.consortium[slug], way.stock["gone"].digest
    assert questioning.list_outside_purpose(runtime.node).rows == ()
    one = releases.c.request_digest == digest
    statements = [
        update(releases).where(one).values(grant_id=bytes(32)),
        insert(released_materials).values(request_digest=digest, commitment=bytes(32)),
    ]
    with planted(runtime, *statements):
        rows = questioning.list_outside_purpose(runtime.node).rows
    more = ["material_not_asked_for"] if slug == ISSUER else []  # only the issuer keeps links
    assert [(each["release"], each["problem"]) for each in rows] == [
        (digest.hex(), name) for name in ("terms_of_another_grant", *more)
    ]


def test_find_purpose_problems_request_beyond_its_terms_is_named(way: Way) -> None:
    with way.relier.database.read() as tx:
        asked = tx.questions.list_releases_asked(1)[0]
    name = f"release/{asked.request_digest.hex()}"
    request = parse_release_request(open_record(way.relier, name, "request", asked.request))

    def problems(**changes: Any) -> list[str]:
        changed = replace(request, **changes)
        data = encode_release_request(changed)
        known = replace(asked, grant_id=compute_grant_id(changed.terms))
        return list(questioning.find_purpose_problems(known, data, ()))

    assert problems() == []
    assert problems(requested_at_s=request.terms.not_after_s) == ["outside_window"]
    only = replace(request.terms, materials=(Commitment(b"\x01" * 32),))
    assert problems(terms=only) == ["material_not_granted"]
    assert list(questioning.find_purpose_problems(asked, b"{}", ())) == ["request_malformed"]


def test_list_unacknowledged_planted_release_is_named(way: Way) -> None:
    runtime, digest = way.consortium[ISSUER], way.stock["gone"].digest
    assert questioning.list_unacknowledged(way.issuer).rows == ()
    one = releases.c.request_digest == digest
    old = datetime(2020, 1, 1, tzinfo=UTC)
    statement = update(releases).where(one).values(state="confirmed", updated_at=old)
    with planted(runtime, statement):
        rows = questioning.list_unacknowledged(way.issuer).rows
    assert [each["release"] for each in rows] == [digest.hex()]


@pytest.mark.parametrize("slug", [ISSUER, RELIER])
def test_list_late_anchors_planted_entry_names_its_head(way: Way, slug: str) -> None:
    runtime = way.consortium[slug]
    promise_s = runtime.settings.anchoring_promise_s
    old = datetime(2020, 1, 1, tzinfo=UTC)
    first = entries.c.leaf_index == 0
    statement = update(entries).where(first).values(committed_at=old)
    assert questioning.list_late_anchors(runtime.node, promise_s).rows == ()
    with planted(runtime, statement):
        (row,) = questioning.list_late_anchors(runtime.node, promise_s).rows
    assert (row["first_leaf"], row["promised_s"]) == (0, promise_s)


def test_list_finds_of_an_officer_names_those_only(way: Way) -> None:
    row = FindRow(
        b"f" * 32, "made", way.issuer.city, None, "planted-1", b"{}", None, "none", None,
        datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    with way.relier.database.transaction() as tx:
        tx.finds.save_find(row)
        tx.finds.save_find(replace(row, officer="planted-2", request_digest=b"g" * 32))
    with way.relier.database.transaction() as tx:
        mine = questioning.list_finds_of(way.relier, "planted-1").rows
    assert [each["find"] for each in mine] == [row.request_digest.hex()]
    assert questioning.list_finds_of(way.relier, "nobody").rows == ()


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (DocumentNotFoundError, CODE.DOCUMENT_MISSING),
        (CiphertextDigestError, CODE.DOCUMENT_DAMAGED),
    ],
)
def test_compare_documents_spoilt_document_is_named_by_material(
    way: Way, auditor: EvmChain, replayed: ChainReplay, problem: Any, code: DiscrepancyCode
) -> None:
    node = way.issuer
    with node.database.read() as tx:
        places = tx.questions.list_documents(None, 100)
        behind = (places[1].material_id, places[1].position)
        assert tx.questions.list_documents(behind, 1) == places[2:3]
    with way.relier.database.read() as tx:  # the other database reads the same statement
        assert (tx.questions.list_documents(behind, 1), tx.questions.count_documents()) == ([], 0)
    victim = places[1]
    report = audit(
        way, auditor, replayed, database=node.database, documents=DocumentsToRead(node.documents)
    )
    assert report.clean, report.discrepancies
    assert report.documents_read == len(places) > 3

    def read(address: bytes) -> Any:
        if address == victim.address:
            raise problem(address)
        return node.documents.read(address)

    store = cast(Any, Changed(node.documents, read=read))
    spoilt = audit(way, auditor, replayed, database=node.database, documents=DocumentsToRead(store))
    assert found(spoilt) == {(code, f"document {victim.material_id} {victim.position}")}
    few = DocumentsToRead(node.documents, 2)
    assert audit(way, auditor, replayed, database=node.database, documents=few).documents_read == 2
