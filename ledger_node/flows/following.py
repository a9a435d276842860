"""Step 5: what the chain said is taken in block by block, checked, decoded and stored.

One round: compare pins -> look for the fork point -> roll back, or take in the next range: blocks
linked by parent hash, logs of exactly those blocks, none missing (bloom filter), decoded, stored
raw and derived in one transaction with the tip. Spec: docs/spec/chain-following.md.

Invariants:
    * Blocks taken in are one chain; every log stands in a block of it.
    * What is derived depends only on blocks and logs, not on how they were cut into ranges.
    * A fork below a final block, another chain id, genesis or contract code latches a halt that
      soft failures and restarts do not clear.
    * An endpoint that answers incompletely changes nothing: the round is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ledger_node.core.anchor import FinalityKind, compute_final_block
from ledger_node.core.bloom import compute_bloom
from ledger_node.core.event_types import ContractRegistered, ContractRole, Event, Position
from ledger_node.core.events import MalformedLogError, decode_event
from ledger_node.core.types import Address, BlockHash, BlockNumber
from ledger_node.flows.chain_node import (
    CHAIN_CONTRADICTION,
    CHAIN_HALTS,
    FINALITY_VIOLATED,
    MALFORMED_EVENT,
    ChainNode,
    demand_none_of,
    latch,
)
from ledger_node.ports.chain import (
    BlockRef,
    ChainContradictionError,
    ChainUnavailableError,
    RawLog,
)
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import ChainPins, FollowedBatch, FollowedTip, StaleTipError

_FIRST_LOOK_BACK: Final = 8
_REBUILD_CHUNK: Final = 5000


@dataclass(frozen=True, slots=True)
class FollowRound:
    """What one round did.

    Attributes:
        tip: The tip after it.
        taken: Blocks taken in.
        rolled_back: Blocks given up because the chain replaced them.
        caught_up: Whether the tip is the newest block seen.
    """

    tip: FollowedTip
    taken: int
    rolled_back: int
    caught_up: bool


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old what we know of the chain is.

    Attributes:
        tip_number / final_number / head_number: Taken in, final, newest seen.
        head_age_s: Own clock minus the newest block's timestamp (negative: the chain is ahead).
        observed_age_s: Since the endpoint last answered.
    """

    tip_number: BlockNumber
    final_number: BlockNumber
    head_number: BlockNumber
    head_age_s: float
    observed_age_s: float


def resume_following(node: ChainNode, max_rounds: int = 1_000_000) -> FollowRound:
    """Take in everything there is. Start-up and loop call the same.

    Effects: as `run_following_round`, until caught up. Idempotent.
    """
    taken = rolled_back = 0
    for _ in range(max_rounds):
        done = run_following_round(node)
        taken, rolled_back = taken + done.taken, rolled_back + done.rolled_back
        if done.caught_up:
            break
    return FollowRound(done.tip, taken, rolled_back, done.caught_up)


def catch_up(node: ChainNode) -> None:
    """Take in what came since the loop's last turn, before a decision for another city.

    A silent endpoint changes nothing here: decisions look at the age of the tip themselves.

    Raises:
        LedgerHaltedError: A chain halt stands or was latched.
    """
    try:
        resume_following(node)
    except ChainUnavailableError:
        return


def run_following_round(node: ChainNode) -> FollowRound:
    """One range of blocks, or one step back to a fork point.

    Effects: one transaction: blocks, raw logs, derived rows, tip. Idempotent; of several
    processes one wins each range and the others read again.

    Raises:
        LedgerHaltedError: A chain halt stands or was latched.
        ChainUnavailableError: The endpoint is silent or incomplete; nothing changed.
    """
    try:
        tip = _load_or_open_tip(node)
        _check_pins(node, tip)
        return _advance(node, tip)
    except ChainContradictionError as error:
        raise latch(node, CHAIN_CONTRADICTION, error.message_en) from error
    except StaleTipError:
        return _waited(node)


def _waited(node: ChainNode) -> FollowRound:
    with node.database.read() as tx:
        tip = _demand_tip(tx)
    return FollowRound(tip, 0, 0, caught_up=False)


def _demand_tip(tx: Transaction) -> FollowedTip:
    tip = tx.chain.load_tip()
    if tip is None:
        raise ChainUnavailableError("nothing followed yet")
    return tip


def _load_or_open_tip(node: ChainNode) -> FollowedTip:
    with node.database.read() as tx:
        demand_none_of(tx, CHAIN_HALTS)
        tip = tx.chain.load_tip()
    return tip if tip is not None else _open_following(node)


def _open_following(node: ChainNode) -> FollowedTip:
    """Pin what we were told, after the endpoint agreed with it."""
    profile, chain = node.profile, node.chain
    before = BlockNumber(profile.first_block - 1)
    parent = BlockHash(bytes(32))
    if profile.first_block > 0:
        (block,) = chain.fetch_blocks([before])
        if block is None:
            raise ChainUnavailableError(f"block {before} is not there yet")
        parent = block.hash
    head = chain.fetch_head()
    code_hash = chain.fetch_code_hash(profile.membership)
    pins = ChainPins(
        profile.chain_id, profile.genesis_hash, profile.membership, profile.first_block
    )
    tip = FollowedTip(
        before, parent, 0, before, head.number, head.block_timestamp_s, node.clock.now(), None
    )
    _demand_identity(node, pins)
    with node.database.transaction() as tx:
        tx.chain.open_following(pins, tip)
        tx.chain.pin_code(profile.membership, code_hash)
        return _demand_tip(tx)


def _demand_identity(node: ChainNode, pins: ChainPins) -> None:
    found = node.chain.fetch_identity()
    if found.chain_id != pins.chain_id:
        raise ChainContradictionError("chain id", str(pins.chain_id), str(found.chain_id))
    if found.genesis_hash != pins.genesis_hash:
        raise ChainContradictionError("genesis", pins.genesis_hash.hex(), found.genesis_hash.hex())


def _check_pins(node: ChainNode, tip: FollowedTip) -> None:
    """Chain id and genesis in every round; code of every contract now and then."""
    with node.database.read() as tx:
        pins, codes = tx.chain.load_pins(), tx.chain.list_code_pins()
    profile = node.profile
    told = ChainPins(
        profile.chain_id, profile.genesis_hash, profile.membership, profile.first_block
    )
    if pins is None or pins != told:
        raise ChainContradictionError("settings", str(pins), str(told))
    _demand_identity(node, pins)
    if not _is_due(tip.pins_checked_at, node.clock.now(), profile.pins_every_s):
        return
    for contract, expected in codes.items():
        found = node.chain.fetch_code_hash(contract)
        if found != expected:
            raise ChainContradictionError(
                f"code of 0x{contract.hex()}", expected.hex(), found.hex()
            )


def _is_due(last: datetime | None, now: datetime, every_s: float) -> bool:
    return last is None or now - last >= timedelta(seconds=every_s)


def _advance(node: ChainNode, tip: FollowedTip) -> FollowRound:
    head = node.chain.fetch_head()
    fork = _find_fork(node, tip, head)
    if fork < tip.number:
        return _roll_back(node, tip, fork, head)
    seen = _seen(node, tip, head)
    if head.number <= tip.number:
        with node.database.transaction() as tx:
            tx.chain.observe(tip, seen)
        return FollowRound(seen, 0, 0, caught_up=True)
    batch = _fetch_batch(node, tip, seen)
    codes = _fetch_new_codes(node, batch)
    with node.database.transaction() as tx:
        tx.chain.take_in(tip, batch)
        for contract, code_hash in codes.items():
            tx.chain.pin_code(contract, code_hash)
    caught_up = batch.tip.number >= head.number
    return FollowRound(batch.tip, len(batch.blocks), 0, caught_up)


def _fetch_new_codes(node: ChainNode, batch: FollowedBatch) -> dict[Address, bytes]:
    """Code hashes of contracts registered in the batch: pinned as they are seen first."""
    registered = {
        event.contract_address for event in batch.events if isinstance(event, ContractRegistered)
    }
    return {address: node.chain.fetch_code_hash(address) for address in sorted(registered)}


def _seen(node: ChainNode, tip: FollowedTip, head: BlockRef) -> FollowedTip:
    """The tip with what was seen of the chain; pins count as checked by this round."""
    now = node.clock.now()
    checked = tip.pins_checked_at
    if _is_due(checked, now, node.profile.pins_every_s):
        checked = now
    final = max(tip.final_number, min(tip.number, _final_number(node, head.number)))
    return replace(
        tip,
        final_number=BlockNumber(final),
        head_number=head.number,
        head_timestamp_s=head.block_timestamp_s,
        observed_at=now,
        pins_checked_at=checked,
    )


def _final_number(node: ChainNode, head: BlockNumber) -> int:
    policy = node.profile.finality
    finalized = node.chain.fetch_finalized() if policy.kind is FinalityKind.FINALIZED else None
    number = compute_final_block(policy, head, None if finalized is None else finalized.number)
    return node.profile.first_block - 1 if number is None else number


def _find_fork(node: ChainNode, tip: FollowedTip, head: BlockRef) -> BlockNumber:
    """Newest block taken in that the chain still has; the tip itself when nothing changed.

    An endpoint that lags shows fewer blocks with the same hashes: that is no fork.
    """
    highest = min(tip.number, head.number)
    look_back, lowest = 1, int(node.profile.first_block)
    top = int(highest)
    while top >= lowest:
        bottom = max(lowest, top - look_back + 1)
        numbers = [BlockNumber(number) for number in range(bottom, top + 1)]
        with node.database.read() as tx:
            stored = tx.chain.list_block_hashes(numbers)
        blocks = node.chain.fetch_blocks(numbers)
        for number, block in reversed(list(zip(numbers, blocks, strict=True))):
            if block is None:
                raise ChainUnavailableError(f"block {number} below the head is missing")
            if stored.get(number) == block.hash:
                return tip.number if number == highest else number
        top, look_back = bottom - 1, max(_FIRST_LOOK_BACK, look_back * 2)
    return tip.number if highest < lowest else BlockNumber(lowest - 1)


def _roll_back(node: ChainNode, tip: FollowedTip, fork: BlockNumber, head: BlockRef) -> FollowRound:
    if fork < tip.final_number:
        raise latch(
            node,
            FINALITY_VIOLATED,
            f"block {fork + 1} was replaced, but {tip.final_number} was final",
        )
    after = _tip_at(node, replace(_seen(node, tip, head), final_number=tip.final_number), fork)
    with node.database.transaction() as tx:
        tx.chain.roll_back(tip, after)
    return FollowRound(after, 0, tip.number - fork, caught_up=False)


def _tip_at(node: ChainNode, tip: FollowedTip, number: BlockNumber) -> FollowedTip:
    """The tip moved to a block that is taken in."""
    with node.database.read() as tx:
        block = tx.chain.find_block(number)
    if block is None:  # below the first block: start again
        (parent,) = node.chain.fetch_blocks([number]) if number >= 0 else (None,)
        hash_ = BlockHash(bytes(32)) if parent is None else parent.hash
        return replace(tip, number=number, hash=hash_, block_timestamp_s=0)
    return replace(tip, number=number, hash=block.hash, block_timestamp_s=block.block_timestamp_s)


def _fetch_batch(node: ChainNode, tip: FollowedTip, seen: FollowedTip) -> FollowedBatch:
    first = tip.number + 1
    last = min(seen.head_number, tip.number + node.profile.log_range_blocks)
    blocks = _fetch_linked(node, tip, range(first, last + 1))
    with node.database.read() as tx:
        contracts = tx.chain.list_contracts()
    logs, events = _fetch_events(node, blocks, contracts)
    newest = blocks[-1]
    final = max(tip.final_number, min(newest.number, _final_number(node, seen.head_number)))
    after = replace(
        seen,
        number=newest.number,
        hash=newest.hash,
        block_timestamp_s=newest.block_timestamp_s,
        final_number=BlockNumber(final),
    )
    return FollowedBatch(blocks, logs, events, after)


def _fetch_linked(node: ChainNode, tip: FollowedTip, numbers: range) -> list[BlockRef]:
    """Blocks that follow the tip, each naming its parent."""
    linked: list[BlockRef] = []
    parent = tip.hash
    for block in node.chain.fetch_blocks([BlockNumber(number) for number in numbers]):
        if block is None:
            raise ChainUnavailableError("a block below the head is missing")
        if block.parent_hash != parent:
            raise ChainUnavailableError(f"block {block.number} does not follow its parent")
        linked.append(block)
        parent = block.hash
    return linked


def _fetch_events(
    node: ChainNode, blocks: Sequence[BlockRef], contracts: Mapping[Address, ContractRole]
) -> tuple[list[RawLog], list[Event]]:
    """All logs of our contracts in `blocks`, complete, with their events.

    A contract registered inside the range is asked for as well, and again, until none is new; its
    logs before the block of its registration do not count, however the range was cut.
    """
    known = dict(contracts)
    since = dict.fromkeys(known, BlockNumber(blocks[0].number))
    timestamps = {block.number: block.block_timestamp_s for block in blocks}
    while True:
        logs = [
            log
            for log in _fetch_complete_logs(node, blocks, list(known))
            if log.block_number >= since[log.address]
        ]
        events = _decode(node, [(log, timestamps[log.block_number]) for log in logs], known)
        fresh = [
            event
            for event in events
            if isinstance(event, ContractRegistered) and event.contract_address not in known
        ]
        if not fresh:
            return logs, events
        for event in fresh:
            known[event.contract_address] = event.role
            since[event.contract_address] = event.position.block_number


def _fetch_complete_logs(
    node: ChainNode, blocks: Sequence[BlockRef], addresses: Sequence[Address]
) -> list[RawLog]:
    """Logs of `addresses`; a block whose logs do not make up its filter is asked for whole.

    The filter does not show a log that repeats address and topics of another, so transactions
    that seem to have left no log are asked for as well.
    """
    found = node.chain.fetch_logs(blocks[0].number, blocks[-1].number, addresses)
    by_block: dict[int, list[RawLog]] = {}
    for log in found:
        by_block.setdefault(log.block_number, []).append(log)
    ours, complete, silent = set(addresses), [], []
    for block in blocks:
        logs = by_block.get(block.number, [])
        if not _is_complete(block, logs):
            logs = node.chain.fetch_logs(block.number, block.number, [])
            if not _is_complete(block, logs):
                raise ChainUnavailableError(f"logs of block {block.number} are incomplete")
        heard = {log.tx_hash for log in logs}
        silent += [tx_hash for tx_hash in block.tx_hashes if tx_hash not in heard]
        complete += [log for log in logs if log.address in ours]
    if silent:
        hashes = {block.hash for block in blocks}  # a receipt of another history says nothing
        for outcome in node.chain.fetch_outcomes(silent):
            if outcome is None or outcome.log_count or outcome.block_hash not in hashes:
                raise ChainUnavailableError("logs of a transaction are missing")
    return complete


def _is_complete(block: BlockRef, logs: Sequence[RawLog]) -> bool:
    """Whether `logs` are all logs of exactly this block: hash, numbering, and filter agree."""
    if any(log.block_hash != block.hash for log in logs):
        raise ChainUnavailableError(f"logs of another block {block.number}")
    if [log.log_index for log in logs] != list(range(len(logs))):
        return False
    items = (item for log in logs for item in (log.address, *log.topics))
    return compute_bloom(items) == block.logs_bloom


def _decode(
    node: ChainNode,
    logs: Sequence[tuple[RawLog, int]],
    contracts: Mapping[Address, ContractRole],
) -> list[Event]:
    try:
        return [
            decode_event(contracts[log.address], log.topics, log.data, _position(log, timestamp_s))
            for log, timestamp_s in logs
        ]
    except MalformedLogError as error:
        raise latch(node, MALFORMED_EVENT, error.message_en) from error


def _position(log: RawLog, block_timestamp_s: int) -> Position:
    return Position(
        log.block_number,
        log.log_index,
        log.tx_hash,
        log.block_hash,
        block_timestamp_s,
        log.address,
    )


def rebuild_derived(node: ChainNode) -> int:
    """Drop what is derived and derive it again from the stored logs; returns how many events.

    Effects: one transaction. Idempotent.
    """
    with node.database.transaction() as tx:
        tip = _demand_tip(tx)
        membership = [
            _decode_one(log, timestamp_s, ContractRole.MEMBERSHIP)
            for log, timestamp_s in tx.chain.list_membership_logs()
        ]
        contracts = {tx_pins.membership: ContractRole.MEMBERSHIP for tx_pins in _pins(tx)}
        for event in membership:
            if isinstance(event, ContractRegistered):
                contracts[event.contract_address] = event.role
        tx.chain.drop_derived()
        count, chunk = 0, []
        for log, timestamp_s in tx.chain.iterate_logs(node.profile.first_block, tip.number):
            chunk.append(_decode_one(log, timestamp_s, contracts[log.address]))
            count += 1
            if len(chunk) >= _REBUILD_CHUNK:
                tx.chain.save_derived(chunk)
                chunk = []
        tx.chain.save_derived(chunk)
    return count


def _pins(tx: Transaction) -> list[ChainPins]:
    pins = tx.chain.load_pins()
    return [] if pins is None else [pins]


def _decode_one(log: RawLog, block_timestamp_s: int, role: ContractRole) -> Event:
    return decode_event(role, log.topics, log.data, _position(log, block_timestamp_s))


def load_events(tx: Transaction, first: BlockNumber, last: BlockNumber) -> list[Event]:
    """Stored events of a range of blocks, decoded, in chain order (for replay and audit)."""
    contracts = tx.chain.list_contracts()
    return [
        _decode_one(log, timestamp_s, contracts[log.address])
        for log, timestamp_s in tx.chain.iterate_logs(first, last)
    ]


def load_freshness(node: ChainNode) -> Freshness:
    """How old what we know is; readable while the chain is down.

    Raises:
        ChainUnavailableError: Nothing was ever taken in.
    """
    with node.database.read() as tx:
        tip = _demand_tip(tx)
    now = node.clock.now()
    return Freshness(
        tip.number,
        tip.final_number,
        tip.head_number,
        now.timestamp() - tip.head_timestamp_s,
        (now - tip.observed_at).total_seconds(),
    )


def unsafe_accept_fork(node: ChainNode, by: str) -> FollowRound:
    """A person decided that the chain's present history is the right one, below finality too.

    Effects: rows above the fork point deleted, tip and final block moved there, the halt cleared
    in that person's name; the next rounds take the present history in.

    Raises:
        LedgerHaltedError: Another chain halt stands.
    """
    with node.database.read() as tx:
        demand_none_of(tx, CHAIN_HALTS - {FINALITY_VIOLATED})
        tip = _demand_tip(tx)
    head = node.chain.fetch_head()
    fork = _find_fork(node, tip, head)
    after = _tip_at(node, tip, fork)
    after = replace(after, final_number=BlockNumber(min(tip.final_number, fork)))
    with node.database.transaction() as tx:
        if fork < tip.number:
            tx.chain.roll_back(tip, after)
        tx.log.clear_halt(FINALITY_VIOLATED, by, node.clock.now())
    return FollowRound(after, 0, tip.number - fork, caught_up=False)
