"""Step 11: the whole history replayed from chain events and log tiles, and compared.

Three passes: every block and log of the chain folded by `core/replay.py`; every anchored head of
every city recomputed from that city's served entries; contracts' storage (and, if there is one, a
node's database) compared with the replayed state. An auditor needs an endpoint, the address of
Membership and the cities' public logs: no key, no database. Spec: docs/spec/replay.md.

Invariants:
    * Nothing a city or a node derived is used as input; only raw blocks, raw logs, raw entries.
    * Memory grows with the replayed state, not with events or entries.
    * Every difference is a named, located, counted discrepancy; none is dropped silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.canonical import JsonObject
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.chain_facts_format import encode_block
from ledger_node.core.checkpoint import build_origin
from ledger_node.core.consortium import Consortium, NotAMemberError
from ledger_node.core.merkle import TreeHead
from ledger_node.core.replay import replay
from ledger_node.core.replay_compare import compute_state_digest
from ledger_node.core.replay_log import replay_log
from ledger_node.core.replay_state import (
    MAX_KEPT_DISCREPANCIES,
    Discrepancy,
    GenerationKey,
    ReplayState,
)
from ledger_node.core.tiles import TILE_WIDTH
from ledger_node.core.types import CityId, Digest
from ledger_node.flows.audit_chain import ChainReading, open_chain
from ledger_node.flows.audit_comparing import compare_database, compare_storage
from ledger_node.flows.audit_documents import compare_documents
from ledger_node.flows.audit_reading import FetchLogFile, Progress, iterate_bundles
from ledger_node.flows.audit_resuming import AuditKeeper
from ledger_node.ports.chain import Chain, ChainProfile
from ledger_node.ports.contracts import Contracts
from ledger_node.ports.database import Database
from ledger_node.ports.documents import DocumentStore


@dataclass(frozen=True, slots=True)
class ChainReplay:
    """All events of the chain, folded.

    Attributes:
        state: After the last event.
        as_of: Newest final block when it was read.
        blocks: Blocks read.
        discrepancies: Of the fold, and of the endpoint's answers.
        count: All of them; the list is capped.
    """

    state: ReplayState
    as_of: BlockFact
    blocks: int
    discrepancies: tuple[Discrepancy, ...]
    count: int

    @property
    def consortium(self) -> Consortium:
        """Members, keys, contracts as the events say."""
        return self.state.consortium

    def url_of(self, city: CityId) -> str:
        """Registered address of a city's node, without a trailing slash.

        Raises:
            NotAMemberError: The consortium has no such city.
        """
        url = self.consortium.url_of(city, self.as_of.block_timestamp_s)
        if url is None:
            raise NotAMemberError(f"{city} 没有登记地址。", f"{city} has no address.", city=city)
        return url.rstrip("/")


@dataclass(frozen=True, slots=True)
class LogAudit:
    """One generation of one city's log.

    Attributes:
        origin: Of the log.
        entries: Read from the city.
        heads: Anchored heads on chain.
        explained: Those the entries lead to.
        discrepancies: Found in this log.
    """

    origin: str
    entries: int
    heads: int
    explained: int
    discrepancies: tuple[Discrepancy, ...]


@dataclass(frozen=True, slots=True)
class DocumentsToRead:
    """A node's document store, and how many are read again at most; all if None."""

    store: DocumentStore
    sample: int | None = None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Outcome of an audit.

    Attributes:
        as_of: Block it speaks of.
        blocks, events, event_counts: Read and applied.
        logs: Per city and generation.
        storage_reads: Values read back from the contracts.
        database_rows: Rows of a node compared; None if none was given.
        documents_read: Stored documents read again; None if no store was given.
        state_digest: Equal for two auditors who saw the same history.
        discrepancies: The first `MAX_KEPT_DISCREPANCIES`.
        discrepancy_count: All.
    """

    as_of: BlockFact
    blocks: int
    events: int
    event_counts: Mapping[str, int]
    logs: tuple[LogAudit, ...]
    storage_reads: int
    database_rows: int | None
    documents_read: int | None
    state_digest: Digest
    discrepancies: tuple[Discrepancy, ...]
    discrepancy_count: int

    @property
    def entries(self) -> int:
        """Log entries read, all cities."""
        return sum(log.entries for log in self.logs)

    @property
    def clean(self) -> bool:
        """Whether nothing was found wrong."""
        return self.discrepancy_count == 0


def replay_ledger(
    chain: Chain,
    contracts: Contracts,
    profile: ChainProfile,
    domain: str,
    fetch_log_file: FetchLogFile,
    *,
    replayed: ChainReplay | None = None,
    database: Database | None = None,
    documents: DocumentsToRead | None = None,
    sample: int | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Replay everything and compare; effects: none.

    Args:
        domain: Of the consortium, for the logs' names.
        fetch_log_file: (city, path) -> bytes of a public file of that city's log.
        replayed: From `replay_chain`, if the caller needed the members' addresses first.
        database: A node's own, to compare its derived rows.
        documents: The store of that node, to read its documents again.
        sample: At most so many grants and statuses are read back from storage; all if None.
        progress: Told (stage, done, total).

    Raises:
        ChainUnavailableError: The endpoint is silent, keeps no old state, or the chain changed
            while it was read. A silent city is no error: its heads are *withheld*.
        ChainContradictionError: Another chain.
    """
    replayed = replayed or replay_chain(chain, profile, progress)
    return compare_replay(
        replayed,
        contracts,
        domain,
        fetch_log_file,
        database=database,
        documents=documents,
        sample=sample,
        progress=progress,
    )


def compare_replay(
    replayed: ChainReplay,
    contracts: Contracts | None,
    domain: str,
    fetch_log_file: FetchLogFile,
    *,
    database: Database | None = None,
    documents: DocumentsToRead | None = None,
    sample: int | None = None,
    progress: Progress | None = None,
    keeper: AuditKeeper | None = None,
) -> AuditReport:
    """Compare a replayed chain with logs, storage and a node's rows; as `replay_ledger`.

    Args:
        contracts: None when the chain is a copy: storage is then not read.
        keeper: Keeps how far it is, and goes on from where it was.
    """
    keeper = keeper or AuditKeeper(None)
    keeper.begin(replayed.as_of, sample)
    logs = audit_logs(replayed.state, domain, fetch_log_file, progress, keeper)
    found: list[Discrepancy] = []
    reads = 0
    if contracts is not None:
        reads = compare_storage(
            contracts, replayed.state, replayed.as_of, sample, found, progress, keeper=keeper
        )
    rows = None
    if database is not None:
        with database.read() as tx:
            rows = compare_database(tx, replayed.state, replayed.as_of, found, progress)
    read = None
    if database is not None and documents is not None:
        with database.read() as tx:
            read = compare_documents(
                tx, documents.store, replayed.as_of, documents.sample, found, progress
            )
    later = [each for log in logs for each in log.discrepancies] + found
    counts = replayed.state.event_counts
    keeper.end()
    return AuditReport(
        as_of=replayed.as_of,
        blocks=replayed.blocks,
        events=sum(counts.values()),
        event_counts=dict(sorted(counts.items())),
        logs=logs,
        storage_reads=reads,
        database_rows=rows,
        documents_read=read,
        state_digest=compute_state_digest(replayed.state),
        discrepancies=(*replayed.discrepancies, *later)[:MAX_KEPT_DISCREPANCIES],
        discrepancy_count=replayed.count + len(later),
    )


def replay_chain(
    chain: Chain, profile: ChainProfile, progress: Progress | None = None
) -> ChainReplay:
    """Read and fold every event up to the newest final block; raises as `replay_ledger`."""
    return fold_reading(open_chain(chain, profile), progress)


def fold_reading(reading: ChainReading, progress: Progress | None = None) -> ChainReplay:
    """Fold every event of a pass over the chain, or over a copy of it."""
    membership = reading.profile.membership
    state = replay(ReplayState(membership=membership), reading.events(progress))
    return ChainReplay(
        state,
        reading.as_of,
        reading.blocks,
        (*reading.discrepancies, *state.discrepancies),
        len(reading.discrepancies) + state.discrepancy_count,
    )


def audit_logs(
    state: ReplayState,
    domain: str,
    fetch_log_file: FetchLogFile,
    progress: Progress | None = None,
    keeper: AuditKeeper | None = None,
) -> tuple[LogAudit, ...]:
    """Recompute every anchored head of every city and generation from served entries."""
    wanted: dict[GenerationKey, list[TreeHead]] = {
        key: [each.head for each in heads] for key, heads in state.heads.items()
    }
    for key, head in state.closed.items():
        if head.size:
            wanted.setdefault(key, []).append(head)
    keeper = keeper or AuditKeeper(None)
    return tuple(
        _audit_log(key, heads, domain, fetch_log_file, progress, keeper)
        for key, heads in sorted(wanted.items())
    )


def _audit_log(
    key: GenerationKey,
    heads: list[TreeHead],
    domain: str,
    fetch_log_file: FetchLogFile,
    progress: Progress | None,
    keeper: AuditKeeper,
) -> LogAudit:
    found: list[Discrepancy] = []
    size, begun = max(head.size for head in heads), keeper.find_log(key, heads)
    begin = begun.tree.size // TILE_WIDTH
    bundles = iterate_bundles(fetch_log_file, *key, size, found, progress, begin=begin)
    log = replay_log(
        *key, bundles, heads, begun=begun, tell=lambda now: keeper.told_log(key, heads, now)
    )
    return LogAudit(
        build_origin(domain, *key),
        log.entries_read,
        len(set(heads)),
        log.heads_explained,
        (*found, *log.discrepancies),
    )


def encode_report(report: AuditReport) -> JsonObject:
    """The report as plain JSON; public values only."""
    return {
        "clean": report.clean,
        "as_of": encode_block(report.as_of),
        "blocks": report.blocks,
        "events": report.events,
        "event_counts": dict(report.event_counts),
        "logs": [
            {
                "origin": log.origin,
                "entries": log.entries,
                "heads": log.heads,
                "explained": log.explained,
            }
            for log in report.logs
        ],
        "storage_reads": report.storage_reads,
        "database_rows": report.database_rows,
        "documents_read": report.documents_read,
        "state_digest": report.state_digest.hex(),
        "discrepancy_count": report.discrepancy_count,
        "discrepancies": [
            {"code": each.code.value, "where": each.where, "detail": each.detail}
            for each in report.discrepancies
        ],
    }
