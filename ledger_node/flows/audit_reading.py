"""Reading the whole chain and the cities' logs for an audit: raw RPC and tiles, nothing stored.

Step 11. Every block from the first on, linked by parent hash; every log of it, numbered and
complete against the block's filter; contracts taken up as Membership registers them. Streams:
memory holds one range of blocks and one entry bundle.

Not here: what the events mean (core/replay.py), comparing (audit_comparing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ledger_node.core.anchor import FinalityKind, compute_final_block
from ledger_node.core.bloom import compute_bloom
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.entry_bundle import parse_entry_bundle
from ledger_node.core.errors import LedgerError
from ledger_node.core.event_types import ContractRegistered, ContractRole, Event, Position
from ledger_node.core.events import MalformedLogError, decode_event
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode
from ledger_node.core.tiles import ENTRIES, TILE_WIDTH, MalformedTileError, tile_path
from ledger_node.core.types import Address, BlockNumber, CityId
from ledger_node.ports.chain import (
    BlockRef,
    Chain,
    ChainContradictionError,
    ChainProfile,
    ChainUnavailableError,
    RawLog,
)

FetchLogFile = Callable[[CityId, str], bytes]
Progress = Callable[[str, int, int], None]


@dataclass
class ChainReading:
    """One pass over the chain; `events` may be consumed once.

    Attributes:
        chain, profile: Where to read, and what pins it.
        as_of: Newest final block when the pass began: the pass ends there.
        discrepancies: What the endpoint's answers contradict, found on the way.
        blocks: Read so far.
    """

    chain: Chain
    profile: ChainProfile
    as_of: BlockFact
    discrepancies: list[Discrepancy] = field(default_factory=list)
    blocks: int = 0

    def events(self, progress: Progress | None = None) -> Iterator[Event]:
        """Every event of the consortium's contracts, in chain order.

        Raises:
            ChainUnavailableError: The endpoint is silent, or the chain changed meanwhile.
        """
        roles: dict[Address, ContractRole] = {self.profile.membership: ContractRole.MEMBERSHIP}
        first, last = int(self.profile.first_block), int(self.as_of.number)
        parent: BlockRef | None = None
        for start in range(first, last + 1, self.profile.log_range_blocks):
            end = min(start + self.profile.log_range_blocks - 1, last)
            blocks = self._fetch_blocks(range(start, end + 1), parent)
            for block, logs in self._fetch_logs(blocks):
                for log in logs:
                    yield from self._decode(log, block, roles)
            parent = blocks[-1]
            self.blocks += len(blocks)
            if progress is not None:
                progress("chain", self.blocks, last - first + 1)
        if parent is not None and parent.hash != self.as_of.hash:
            raise ChainUnavailableError("the chain changed while it was read")

    def _fetch_blocks(self, numbers: range, parent: BlockRef | None) -> list[BlockRef]:
        linked = []
        for block in self.chain.fetch_blocks([BlockNumber(number) for number in numbers]):
            if block is None:
                raise ChainUnavailableError("a block below the head is missing")
            if parent is not None and block.parent_hash != parent.hash:
                raise ChainUnavailableError(f"block {block.number} does not follow its parent")
            linked.append(block)
            parent = block
        return linked

    def _fetch_logs(self, blocks: Sequence[BlockRef]) -> Iterator[tuple[BlockRef, list[RawLog]]]:
        """Logs of every contract, block by block; an incomplete answer is asked for once more."""
        by_block: dict[int, list[RawLog]] = {}
        for log in self.chain.fetch_logs(blocks[0].number, blocks[-1].number, []):
            by_block.setdefault(log.block_number, []).append(log)
        for block in blocks:
            logs = by_block.get(block.number, [])
            if not _is_complete(block, logs):
                logs = self.chain.fetch_logs(block.number, block.number, [])
                if not _is_complete(block, logs):
                    self._note(block, "the logs given are not those of the block's header")
            yield block, logs

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


def open_chain(chain: Chain, profile: ChainProfile) -> ChainReading:
    """Begin a pass up to the newest final block.

    Raises:
        ChainContradictionError: The endpoint answers for another chain.
        ChainUnavailableError: It is silent, or no block is final yet.
    """
    identity = chain.fetch_identity()
    if identity.chain_id != profile.chain_id or identity.genesis_hash != profile.genesis_hash:
        raise ChainContradictionError(
            "chain", profile.genesis_hash.hex(), identity.genesis_hash.hex()
        )
    head, policy = chain.fetch_head(), profile.finality
    finalized = chain.fetch_finalized() if policy.kind is FinalityKind.FINALIZED else None
    final = compute_final_block(
        policy, head.number, None if finalized is None else finalized.number
    )
    if final is None or final < profile.first_block:
        raise ChainUnavailableError("no block is final yet")
    (block,) = chain.fetch_blocks([final])
    if block is None:
        raise ChainUnavailableError("a block below the head is missing")
    return ChainReading(
        chain, profile, BlockFact(block.number, block.hash, block.block_timestamp_s)
    )


def iterate_bundles(
    fetch_log_file: FetchLogFile,
    city: CityId,
    generation: int,
    size: int,
    found: list[Discrepancy],
    progress: Progress | None = None,
) -> Iterator[list[bytes]]:
    """Entry bundles of a log up to `size` entries; ends early at the first that is not there.

    What ends it is put into `found`; the heads behind it are then *withheld*.
    """
    for index in range(-(-size // TILE_WIDTH)):
        width = min(TILE_WIDTH, size - index * TILE_WIDTH)
        try:
            yield fetch_bundle(fetch_log_file, city, generation, index, width)
        except MalformedTileError as error:
            place = f"log {city}/{generation} bundle {index}"
            found.append(Discrepancy(DiscrepancyCode.LOG_ENTRY_MALFORMED, place, error.message_en))
            return
        except LedgerError as error:
            place = f"log {city}/{generation} bundle {index}"
            found.append(Discrepancy(DiscrepancyCode.LOG_WITHHELD, place, error.message_en))
            return
        if progress is not None:
            progress(f"log {city}/{generation}", index * TILE_WIDTH + width, size)


def fetch_bundle(
    fetch_log_file: FetchLogFile, city: CityId, generation: int, index: int, width: int
) -> list[bytes]:
    """A bundle; where a partial one gave way to the full one, the first `width` of that."""

    def fetch(of_width: int) -> list[bytes]:
        path = f"/log/{generation}/{tile_path(ENTRIES, index, of_width)}"
        return parse_entry_bundle(fetch_log_file(city, path), of_width)

    if width == TILE_WIDTH:
        return fetch(TILE_WIDTH)
    try:
        return fetch(width)
    except MalformedTileError:
        raise
    except LedgerError as missing:
        try:
            return fetch(TILE_WIDTH)[:width]
        except LedgerError:
            raise missing from None


def _is_complete(block: BlockRef, logs: Sequence[RawLog]) -> bool:
    """Whether `logs` are all logs of exactly this block: hash, numbering, and filter agree."""
    if any(log.block_hash != block.hash for log in logs):
        return False
    if [log.log_index for log in logs] != list(range(len(logs))):
        return False
    items = (item for log in logs for item in (log.address, *log.topics))
    return compute_bloom(items) == block.logs_bloom
