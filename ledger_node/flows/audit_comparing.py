"""Comparing what the events say with the contracts' own storage, and with a node's database.

Step 11. Storage is read at the block the replay ends in; a node's derived rows are compared up to
the block it followed to. Every difference is named and located.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar, cast

from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.event_types import ContractRole, StatusFlag
from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode, GrantKey, ReplayState
from ledger_node.core.status import LeafKey
from ledger_node.core.types import Address, BlockNumber, CityId
from ledger_node.flows.audit_reading import Progress
from ledger_node.flows.audit_resuming import AuditKeeper
from ledger_node.ports.contracts import Contracts, GrantView, StatusView
from ledger_node.ports.database import Transaction

MAX_HEADS = 1_000_000

_Key = TypeVar("_Key")
_Row = TypeVar("_Row")


def compare_storage(
    contracts: Contracts,
    state: ReplayState,
    as_of: BlockFact,
    sample: int | None,
    found: list[Discrepancy],
    progress: Progress | None = None,
    *,
    keeper: AuditKeeper | None = None,
) -> int:
    """Read back what the contracts hold; returns how many values were read.

    Args:
        state: Replay of all events up to `as_of`.
        sample: At most so many grants and statuses each, chosen by the block's hash, which nobody
            knew when they were written; all if None.
        found: Takes the differences.
        progress: Told ("storage", done, total).
        keeper: Says how many grants and statuses an earlier run of this audit read back.

    Raises:
        ChainUnavailableError: The endpoint does not answer, or keeps no state of that block.
    """
    block = as_of.number
    reads = 0
    for role in state.consortium.contracts:
        current = state.consortium.contract_at(role, block)
        address = contracts.fetch_current_contract(state.membership, int(role), block=block)
        _demand_equal(found, f"storage contract {role.name}", current, address)
        reads += 1
    city_log = state.consortium.contract_at(ContractRole.CITY_LOG, block)
    if city_log is not None:
        for city in state.consortium.members:
            generation, replayed = state.held_head(city)
            held = contracts.fetch_head(city_log, city, block=block)
            expected = (generation, replayed or EMPTY_TREE_HEAD)
            place = f"storage head {city}"
            _demand_equal(found, place, expected, (held.generation, held.tree_head))
            reads += 1
    keeper = keeper or AuditKeeper(None)
    chosen: list[GrantKey | LeafKey] = [
        *_choose(state.grants, sample, as_of),
        *_choose(state.leaves, sample, as_of),
    ]
    begun = keeper.progress.storage_done
    differing = list(keeper.progress.storage_found)
    tell = _counted("storage", len(chosen), progress, begun)
    for done, key in enumerate(chosen[begun:], begun + 1):
        tell()
        if key in state.grants:
            _read_grant(contracts, state, cast(GrantKey, key), block, differing)
        else:
            _read_statuses(contracts, state, cast(LeafKey, key), block, differing)
        keeper.told_storage(done, differing)
    found += differing
    return reads + sum(_count_reads(state, key) for key in chosen)


def _read_grant(
    contracts: Contracts,
    state: ReplayState,
    key: GrantKey,
    block: BlockNumber,
    found: list[Discrepancy],
) -> None:
    _compare_grant(found, state, key, contracts.fetch_grant(key[0], key[1], block=block))


def _read_statuses(
    contracts: Contracts,
    state: ReplayState,
    leaf: LeafKey,
    block: BlockNumber,
    found: list[Discrepancy],
) -> None:
    for version in _list_versions(state, leaf):
        status = contracts.fetch_status(version, *leaf, block=block)
        _compare_status(found, state, leaf, version, status)


def _list_versions(state: ReplayState, leaf: LeafKey) -> list[Address]:
    return list(dict.fromkeys(each.address for each in state.leaves[leaf].set_at))


def _count_reads(state: ReplayState, key: GrantKey | LeafKey) -> int:
    return 1 if key in state.grants else len(_list_versions(state, cast(LeafKey, key)))


def compare_database(
    tx: Transaction,
    state: ReplayState,
    as_of: BlockFact,
    found: list[Discrepancy],
    progress: Progress | None = None,
) -> int:
    """Compare a node's derived rows up to the block both know; returns how many were compared.

    `progress` is told ("database", done, total) of the grants.
    """
    tip = tx.chain.load_tip()
    last = min(as_of.number, tip.number) if tip is not None else BlockNumber(-1)
    rows = 0
    for city in state.consortium.members:
        stored = {
            (head.generation, head.tree_head, head.closing)
            for head in tx.chain.list_heads(city, MAX_HEADS)
            if head.place.block_number <= last
        }
        expected = set(_list_replayed_heads(state, city, last))
        _compare_sets(found, f"database heads {city}", expected, stored)
        rows += len(stored)
    replayed = {
        (*leaf, int(each.flag), each.block_number)
        for leaf, status in state.leaves.items()
        for each in status.set_at
        if each.block_number <= last
    }
    changes = {
        (each.city, each.leaf_hash, each.flag, each.place.block_number)
        for each in tx.chain.list_status_changes(BlockNumber(0), last)
    }
    _compare_sets(found, "database statuses", replayed, changes)
    consumed = _group_consumptions(state, last)
    tell = _counted("database", len(state.grants), progress)
    for key in state.grants:
        tell()
        _compare_stored_grant(tx, state, key, last, consumed.get(key, set()), found)
    return rows + len(changes) + len(state.grants)


def _counted(
    stage: str, total: int, progress: Progress | None, begun: int = 0
) -> Callable[[], None]:
    """Tells how many items were begun."""

    def tell() -> None:
        nonlocal begun
        begun += 1
        if progress is not None:
            progress(stage, begun, total)

    return tell


def _compare_grant(
    found: list[Discrepancy], state: ReplayState, key: GrantKey, held: GrantView
) -> None:
    known = state.grants[key]
    place = f"storage grant {key[1].hex()}"
    _demand_equal(found, f"{place} state", 1 if known.revoked is None else 2, held.state)
    grant = known.grant
    if grant is None:
        return
    for name, expected, value in (
        ("releasing", grant.releasing, held.releasing),
        ("receiving", grant.receiving, held.receiving),
        ("recorder", grant.recorder, held.recorder),
        ("not_before", grant.not_before_s, held.not_before_s),
        ("not_after", grant.not_after_s, held.not_after_s),
        ("uses_left", grant.uses_left, held.uses_left),
        ("basis", int(grant.basis), held.basis),
        ("evidence", grant.evidence, held.evidence),
    ):
        _demand_equal(found, f"{place} {name}", expected, value)


def _compare_status(
    found: list[Discrepancy], state: ReplayState, leaf: LeafKey, address: Address, held: StatusView
) -> None:
    """One version of the contract holds the flags that were set in it."""
    status = state.leaves[leaf]
    expected = sum({int(each.flag) for each in status.set_at if each.address == address})
    place = f"storage status {leaf[0]} {leaf[1].hex()}"
    _demand_equal(found, f"{place} flags", expected, held.flags)
    if expected & StatusFlag.SUPERSEDED:
        _demand_equal(found, f"{place} successor", status.successor, held.successor)


def _list_replayed_heads(
    state: ReplayState, city: CityId, last: BlockNumber
) -> Iterator[tuple[int, TreeHead, bool]]:
    for (owner, generation), heads in state.heads.items():
        if owner == city:
            for each in heads:
                if each.position.block_number <= last:
                    yield generation, each.head, False
    for (owner, generation), head in state.closed.items():
        if owner == city:
            yield generation, head, True


def _group_consumptions(state: ReplayState, last: BlockNumber) -> dict[GrantKey, set[bytes]]:
    grouped: dict[GrantKey, set[bytes]] = {}
    for (address, release), each in state.consumptions.items():
        if each.position.block_number <= last:
            grouped.setdefault((address, each.grant_id), set()).add(release)
    return grouped


def _compare_stored_grant(
    tx: Transaction,
    state: ReplayState,
    key: GrantKey,
    last: BlockNumber,
    consumed: set[bytes],
    found: list[Discrepancy],
) -> None:
    known, grant_id = state.grants[key], key[1]
    place = f"database grant {grant_id.hex()}"
    revoked = known.revoked is not None and known.revoked.block_number <= last
    stored_revocation = tx.chain.find_revocation(grant_id)
    _demand_equal(found, f"{place} revoked", revoked, stored_revocation is not None)
    if known.grant is None or known.recorded is None or known.recorded.block_number > last:
        return
    stored = tx.chain.find_grant(grant_id, final_only=False)
    if stored is None:
        found.append(Discrepancy(DiscrepancyCode.STATE_MISSING, place, "no such row"))
        return
    grant = known.grant
    for name, expected, value in (
        ("releasing", grant.releasing, stored.releasing),
        ("receiving", grant.receiving, stored.receiving),
        ("recorder", grant.recorder, stored.recorder),
        ("not_before", grant.not_before_s, stored.not_before_s),
        ("not_after", grant.not_after_s, stored.not_after_s),
        ("uses", grant.uses, stored.uses),
        ("basis", int(grant.basis), stored.basis),
        ("evidence", grant.evidence, stored.evidence),
        ("block", known.recorded.block_number, stored.place.block_number),
    ):
        _demand_equal(found, f"{place} {name}", expected, value)
    releases: set[bytes] = {each.release_commitment for each in stored.consumptions}
    _compare_sets(found, f"{place} consumptions", consumed, releases)


def _choose(table: Iterable[_Key], sample: int | None, as_of: BlockFact) -> list[_Key]:
    """All keys, or those with the smallest digests under the block's hash."""
    if sample is None:
        return list(table)

    def rank(key: _Key) -> bytes:
        return hashlib.sha256(as_of.hash + repr(key).encode()).digest()

    return heapq.nsmallest(sample, table, key=rank)


def _compare_sets(
    found: list[Discrepancy], place: str, expected: set[_Row], stored: set[_Row]
) -> None:
    for code, rows in (
        (DiscrepancyCode.STATE_MISSING, expected - stored),
        (DiscrepancyCode.STATE_EXTRA, stored - expected),
    ):
        found += [Discrepancy(code, place, text) for text in sorted(map(_show, rows))]


def _demand_equal(found: list[Discrepancy], place: str, one: object, other: object) -> None:
    if one != other:
        detail = f"the events say {_show(one)}, held is {_show(other)}"
        found.append(Discrepancy(DiscrepancyCode.STATE_DIFFERS, place, detail))


def _show(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, TreeHead):
        return f"size {value.size} root {value.root.hex()}"
    if isinstance(value, tuple):
        return " ".join(_show(each) for each in value)
    return str(value)
