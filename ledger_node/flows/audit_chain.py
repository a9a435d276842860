"""Reading the whole chain for an audit: raw RPC, or a copy of it.

Step 11. Every block from the first on, linked by parent hash; every log of it, numbered and
complete against the block's filter; contracts taken up as Membership registers them. Streams:
memory holds one portion of blocks; a folder keeps the portions for the auditor's next pass.

Not here: entry bundles (audit_reading.py), what the events mean (core/replay.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ledger_node.core.anchor import FinalityKind, compute_final_block
from ledger_node.core.bloom import compute_bloom
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.errors import NotFoundError
from ledger_node.core.event_types import ContractRegistered, ContractRole, Event, Position
from ledger_node.core.events import MalformedLogError, decode_event
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode
from ledger_node.core.types import Address, BlockNumber
from ledger_node.flows.audit_reading import Progress
from ledger_node.ports.audit import AuditFolder, CopiedBlock
from ledger_node.ports.chain import (
    BlockRef,
    Chain,
    ChainContradictionError,
    ChainIdentity,
    ChainProfile,
    ChainUnavailableError,
    RawLog,
)

FIRST_WIDTH = 64  # blocks of the first portion; later ones adapt to how close the logs stand
MANY_LOGS = 20_000


class BlockNotFinalError(NotFoundError):
    """The block asked for is not (yet) one an audit can speak of. Fields: block, first, final."""

    code = "block_not_final"

    def __init__(self, block: int, first: int, final: int) -> None:
        super().__init__(
            f"区块 {block} 不在可审计的范围内（{first} 至 {final}）。",
            f"Block {block} is not within the blocks that can be audited, {first} to {final}.",
            block=block,
            first=first,
            final=final,
        )


@dataclass
class ChainReading:
    """One pass over the chain; `events` may be consumed once.

    Attributes:
        chain: Where to read; None when the folder's copy is all there is.
        profile: What pins it.
        as_of: The pass ends there.
        folder: Portions of blocks are taken from here where they are kept, and kept here once
            they were read whole.
        discrepancies: What the endpoint's answers contradict, found on the way.
        blocks: Read so far.
    """

    chain: Chain | None
    profile: ChainProfile
    as_of: BlockFact
    folder: AuditFolder | None = None
    discrepancies: list[Discrepancy] = field(default_factory=list)
    blocks: int = 0

    def events(self, progress: Progress | None = None) -> Iterator[Event]:
        """Every event of the consortium's contracts, in chain order.

        Raises:
            ChainUnavailableError: The endpoint is silent, the chain changed meanwhile, or the copy
                ends before `as_of`.
        """
        roles: dict[Address, ContractRole] = {self.profile.membership: ContractRole.MEMBERSHIP}
        total = int(self.as_of.number) - int(self.profile.first_block) + 1
        for portion in self.portions():
            for block, logs in portion:
                for log in logs:
                    yield from self._decode(log, block, roles)
            if progress is not None:
                progress("chain", self.blocks, total)

    def portions(self) -> Iterator[list[CopiedBlock]]:
        """All blocks with their logs, in portions of bounded size, linked by parent hash.

        Raises as `events`.
        """
        start, last = int(self.profile.first_block), int(self.as_of.number)
        width = min(FIRST_WIDTH, self.profile.log_range_blocks)
        parent: BlockRef | None = None
        while start <= last:
            kept = None if self.folder is None else self.folder.load_blocks(BlockNumber(start))
            portion = kept
            if portion is None:
                portion = self._fetch_portion(range(start, min(start + width - 1, last) + 1))
            portion = [each for each in portion if each[0].number <= last]
            if start == 0 and portion[0][0].hash != self.profile.genesis_hash:
                raise ChainContradictionError(
                    "genesis", self.profile.genesis_hash.hex(), portion[0][0].hash.hex()
                )
            parent = _demand_linked(portion, parent)
            whole = [_is_complete(*each) for each in portion]
            for (block, _), complete in zip(portion, whole, strict=True):
                if not complete:
                    self._note(block, "the logs given are not those of the block's header")
            if kept is None and self.folder is not None and all(whole):
                self.folder.save_blocks(portion)
            width = _adapt_width(width, portion, self.profile.log_range_blocks)
            start += len(portion)
            self.blocks += len(portion)
            yield portion
        if parent is not None and parent.hash != self.as_of.hash:
            raise ChainUnavailableError("the chain changed while it was read")

    def _fetch_portion(self, numbers: range) -> list[CopiedBlock]:
        """Blocks and logs of every contract; an incomplete answer is asked for once more."""
        if self.chain is None:
            raise ChainUnavailableError(f"the copy has no portion from block {numbers[0]} on")
        blocks = []
        for block in self.chain.fetch_blocks([BlockNumber(number) for number in numbers]):
            if block is None:
                raise ChainUnavailableError("a block below the head is missing")
            blocks.append(block)
        by_block: dict[int, list[RawLog]] = {}
        for log in self.chain.fetch_logs(blocks[0].number, blocks[-1].number, []):
            by_block.setdefault(log.block_number, []).append(log)
        portion: list[CopiedBlock] = []
        for block in blocks:
            logs = by_block.get(block.number, [])
            if not _is_complete(block, logs):
                logs = self.chain.fetch_logs(block.number, block.number, [])
            portion.append((block, logs))
        return portion

    def _decode(
        self, log: RawLog, block: BlockRef, roles: dict[Address, ContractRole]
    ) -> Iterator[Event]:
        role = roles.get(log.address)
        if role is None:
            return
        position = Position(
            log.block_number,
            log.log_index,
            log.tx_hash,
            log.block_hash,
            block.block_timestamp_s,
            log.address,
        )
        try:
            event = decode_event(role, log.topics, log.data, position)
        except MalformedLogError as error:
            self._note(block, f"log {log.log_index}: {error.message_en}")
            return
        if isinstance(event, ContractRegistered):
            roles.setdefault(event.contract_address, event.role)
        yield event

    def _note(self, block: BlockRef, detail: str) -> None:
        place = f"block {block.number}"
        self.discrepancies.append(Discrepancy(DiscrepancyCode.EVENT_GAP, place, detail))


def open_chain(
    chain: Chain,
    profile: ChainProfile,
    *,
    folder: AuditFolder | None = None,
    at: BlockNumber | None = None,
) -> ChainReading:
    """Begin a pass up to the newest final block, or to the final block `at`.

    Args:
        folder: Keeps what was read, for a later pass.

    Raises:
        ChainContradictionError: The endpoint, or the folder, is of another chain.
        ChainUnavailableError: It is silent, or no block is final yet.
        BlockNotFinalError: `at` is not final, or before the first block.
    """
    identity = chain.fetch_identity()
    _demand_chain(identity, profile)
    if folder is not None:
        kept = folder.load_identity()
        if kept is None:
            folder.save_identity(identity)
        else:
            _demand_chain(kept, profile)
    head, policy = chain.fetch_head(), profile.finality
    finalized = chain.fetch_finalized() if policy.kind is FinalityKind.FINALIZED else None
    final = compute_final_block(
        policy, head.number, None if finalized is None else finalized.number
    )
    if final is None or final < profile.first_block:
        raise ChainUnavailableError("no block is final yet")
    (block,) = chain.fetch_blocks([_choose_block(at, final, profile)])
    if block is None:
        raise ChainUnavailableError("a block below the head is missing")
    as_of = BlockFact(block.number, block.hash, block.block_timestamp_s)
    return ChainReading(chain, profile, as_of, folder)


def open_copy(
    folder: AuditFolder, profile: ChainProfile, *, at: BlockNumber | None = None
) -> ChainReading:
    """Begin a pass over a copy of the chain, without an endpoint.

    Raises:
        ChainContradictionError: The copy is of another chain.
        ChainUnavailableError: The folder holds no copy.
        ChainCopyDamagedError: Its bytes changed.
        BlockNotFinalError: `at` is behind its last block, or before the first.
    """
    identity, last = folder.load_identity(), folder.find_last_block()
    if identity is None or last is None:
        raise ChainUnavailableError("the folder holds no copy of the chain")
    _demand_chain(identity, profile)
    number = _choose_block(at, last.number, profile)
    block = last if number == last.number else _find_copied(folder, profile, number)
    as_of = BlockFact(block.number, block.hash, block.block_timestamp_s)
    return ChainReading(None, profile, as_of, folder)


def _find_copied(folder: AuditFolder, profile: ChainProfile, number: BlockNumber) -> BlockRef:
    start = profile.first_block
    while (portion := folder.load_blocks(start)) is not None:
        last = portion[-1][0].number
        if last >= number:
            return portion[number - start][0]
        start = BlockNumber(last + 1)
    raise ChainUnavailableError(f"the copy has no portion from block {start} on")


def _choose_block(at: BlockNumber | None, final: BlockNumber, profile: ChainProfile) -> BlockNumber:
    if at is None:
        return final
    if not profile.first_block <= at <= final:
        raise BlockNotFinalError(at, profile.first_block, final)
    return at


def _demand_chain(identity: ChainIdentity, profile: ChainProfile) -> None:
    if identity.chain_id != profile.chain_id or identity.genesis_hash != profile.genesis_hash:
        raise ChainContradictionError(
            "chain", profile.genesis_hash.hex(), identity.genesis_hash.hex()
        )


def _demand_linked(portion: Sequence[CopiedBlock], parent: BlockRef | None) -> BlockRef | None:
    for block, _ in portion:
        if parent is not None and block.parent_hash != parent.hash:
            raise ChainUnavailableError(f"block {block.number} does not follow its parent")
        parent = block
    return parent


def _adapt_width(width: int, portion: Sequence[CopiedBlock], maximum: int) -> int:
    """Blocks of the next portion: fewer where logs stand close, so that memory stays flat."""
    logs = sum(len(each) for _, each in portion)
    if logs > MANY_LOGS:
        return max(1, width // 2)
    return min(2 * width, maximum) if logs < MANY_LOGS // 4 else width


def _is_complete(block: BlockRef, logs: Sequence[RawLog]) -> bool:
    """Whether `logs` are all logs of exactly this block: hash, numbering, and filter agree."""
    if any(log.block_hash != block.hash for log in logs):
        return False
    if [log.log_index for log in logs] != list(range(len(logs))):
        return False
    items = (item for log in logs for item in (log.address, *log.topics))
    return compute_bloom(items) == block.logs_bloom
