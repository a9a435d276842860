"""One material, one grant, one block: everything the ledger says of it, in order. Step 11.

A material is looked up by its commitment or by city, generation and leaf index. Of another city's
entries this node holds nothing: they are asked for at that city's public log and proved against
its anchored head. Which releases handed a material over is known to the releasing city alone.

Not here: files to take away (exploring_evidence.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ledger_node.core.entry import EntryKind, encode_entry, parse_entry
from ledger_node.core.errors import LedgerError, MalformedInputError, NotFoundError
from ledger_node.core.event_types import Event, Position
from ledger_node.core.events import decode_event
from ledger_node.core.merkle import hash_leaf, verify_inclusion
from ledger_node.core.placement import Placement
from ledger_node.core.status import Standing, decide_standing
from ledger_node.core.tiles import TILE_WIDTH, build_inclusion_proof
from ledger_node.core.types import (
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    LeafIndex,
    TxHash,
)
from ledger_node.flows.audit_reading import fetch_bundle
from ledger_node.flows.facts import leaf_hash_of, read_status_flags
from ledger_node.flows.finding import count_open_objections
from ledger_node.flows.node import Node
from ledger_node.ports.chain import BlockRef, RawLog
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import (
    AnchoredHead,
    Objection,
    Place,
    RecordedGrant,
    Revocation,
    StatusChange,
)
from ledger_node.ports.database_exploring import PrefixMatches, ReleaseLink

MAX_LINKS = 100
MAX_MATCHES = 20
MAX_BLOCK_LOGS = 500
MIN_PREFIX_DIGITS = 6
_HASH_DIGITS = 64


class SearchTooShortError(MalformedInputError):
    """Too few characters of a hash to search for, or none of a hash at all."""

    code = "search_malformed"

    def __init__(self) -> None:
        super().__init__(
            "请输入至少 6 位十六进制字符，或一个区块号。",
            "Give at least six hexadecimal characters of a hash, or a block number.",
        )


class NothingFoundError(NotFoundError):
    """The ledger, as far as it was followed, has nothing of that name."""

    code = "ledger_item_not_found"

    def __init__(self) -> None:
        super().__init__(
            "账本中没有这一项，请核对编号。",
            "The ledger has no such item as far as it was followed; check the number.",
        )


@dataclass(frozen=True, slots=True)
class ObjectionHistory:
    """An objection and where it ended, if it did: (outcome, place)."""

    objection: Objection
    ends: tuple[tuple[int, Place], ...]


@dataclass(frozen=True, slots=True)
class MaterialHistory:
    """What the ledger says of one entry.

    Attributes:
        city: Whose log.
        kind, commitment: The entry; None where that city did not answer.
        leaf_hash: Of the entry; None likewise.
        generation, leaf_index: Its place; None where only its status is known here, or while it
            has no index.
        anchor: First final head that covers it; None while none does, or its place is not known.
        placement: Inclusion proof to that head, checked; None where it could not be had.
        problem: Why the other city's log gave nothing usable.
        standing: All flags and open objections, pending blocks included.
        statuses, objections: In chain order.
        releases: Of this node, newest first.
    """

    city: CityId
    kind: EntryKind | None
    commitment: Commitment | None
    leaf_hash: LeafHash | None
    generation: int | None
    leaf_index: int | None
    anchor: AnchoredHead | None
    placement: Placement | None
    problem: LedgerError | None
    standing: Standing
    statuses: tuple[StatusChange, ...]
    objections: tuple[ObjectionHistory, ...]
    releases: tuple[ReleaseLink, ...]


def find_material_by_commitment(
    node: Node, city: CityId | None, commitment: Commitment
) -> MaterialHistory:
    """History of an entry of this city's log, or of a material another city set a status on.

    Args:
        city: Whose log; None for whichever is known here.

    Raises:
        NothingFoundError: Neither.
    """
    with node.database.read() as tx:
        leaf = tx.log.find_leaf(commitment) if city in (None, node.city) else None
        if leaf is not None:
            kind = EntryKind(leaf.kind)
            generation, index = leaf.generation, leaf.leaf_index
            history = _read_entry_history(tx, node.city, kind, commitment, generation, index)
            return _with_proof(node, history)
        leaf_hash = leaf_hash_of(EntryKind.MATERIAL, commitment)
        known = {change.city for change in tx.explore.list_leaf_statuses(leaf_hash)}
        wanted = sorted(known if city is None else known & {city})
        if not wanted:
            raise NothingFoundError
        return _read_entry_history(tx, wanted[0], EntryKind.MATERIAL, commitment, None, None)


def find_material_by_index(
    node: Node, city: CityId, generation: int, leaf_index: int
) -> MaterialHistory:
    """History of the entry at a place of a city's log.

    Raises:
        NothingFoundError: No final head of that city covers the place.
    """
    with node.database.read() as tx:
        if city == node.city:
            row = tx.explore.find_entry(generation, leaf_index)
            if row is None:
                raise NothingFoundError
            kind, commitment = EntryKind(row.kind), row.commitment
            history = _read_entry_history(tx, city, kind, commitment, generation, leaf_index)
            return _with_proof(node, history)
        anchor = tx.chain.find_covering_head(city, generation, leaf_index + 1)
    if anchor is None:
        raise NothingFoundError
    try:
        data = _fetch_entry(node, anchor, leaf_index)
        entry = parse_entry(data)
    except LedgerError as error:  # that city's fault or silence, said on the page
        return _unread(city, generation, leaf_index, anchor, error)
    with node.database.read() as tx:
        kind, commitment = entry.kind, entry.commitment
        history = _read_entry_history(tx, city, kind, commitment, generation, leaf_index)
    return _with_proof(node, history)


def find_material_by_leaf(node: Node, city: CityId, leaf_hash: LeafHash) -> MaterialHistory:
    """What the chain says of a leaf whose entry is not known here: statuses and objections.

    Raises:
        NothingFoundError: Nothing.
    """
    with node.database.read() as tx:
        history = _read_history(tx, city, leaf_hash)
    if not (history.statuses or history.objections):
        raise NothingFoundError
    return history


def _unread(
    city: CityId, generation: int, leaf_index: int, anchor: AnchoredHead, problem: LedgerError
) -> MaterialHistory:
    return MaterialHistory(
        city, None, None, None, generation, leaf_index, anchor, None, problem,
        Standing.ACTIVE, (), (), (),
    )  # fmt: skip


def _fetch_entry(node: Node, anchor: AnchoredHead, leaf_index: int) -> bytes:
    bundle, offset = divmod(leaf_index, TILE_WIDTH)
    width = min(TILE_WIDTH, anchor.tree_head.size - bundle * TILE_WIDTH)
    fetch = node.peers.fetch_log_file
    return fetch_bundle(fetch, anchor.city, anchor.generation, bundle, width)[offset]


def _read_history(
    tx: Transaction,
    city: CityId,
    leaf_hash: LeafHash,
    kind: EntryKind | None = None,
    commitment: Commitment | None = None,
    generation: int | None = None,
    leaf_index: int | None = None,
) -> MaterialHistory:
    anchor, releases = None, list[ReleaseLink]()
    if generation is not None and leaf_index is not None:
        anchor = tx.chain.find_covering_head(city, generation, leaf_index + 1)
    if commitment is not None:
        releases = tx.explore.list_releases_of_material(commitment, MAX_LINKS)
    flags = read_status_flags(tx, city, leaf_hash)
    disputes = count_open_objections(tx, city, leaf_hash)
    return MaterialHistory(
        city=city,
        kind=kind,
        commitment=commitment,
        leaf_hash=leaf_hash,
        generation=generation,
        leaf_index=leaf_index,
        anchor=anchor,
        placement=None,
        problem=None,
        standing=decide_standing(flags, disputes),
        statuses=tuple(tx.chain.list_statuses(city, leaf_hash)),
        objections=tuple(
            ObjectionHistory(each, tuple(tx.explore.list_objection_ends(each)))
            for each in tx.chain.list_objections(city, leaf_hash)
        ),
        releases=tuple(releases),
    )


def _read_entry_history(
    tx: Transaction,
    city: CityId,
    kind: EntryKind,
    commitment: Commitment,
    generation: int | None,
    leaf_index: int | None,
) -> MaterialHistory:
    leaf_hash = leaf_hash_of(kind, commitment)
    return _read_history(tx, city, leaf_hash, kind, commitment, generation, leaf_index)


def _with_proof(node: Node, history: MaterialHistory) -> MaterialHistory:
    """Outside of any transaction: another city's tiles may take their time."""
    kind, commitment, index = history.kind, history.commitment, history.leaf_index
    if history.anchor is None or kind is None or commitment is None or index is None:
        return history
    try:
        placement = prove(node, history.anchor, kind, commitment, LeafIndex(index))
    except LedgerError as error:  # told beside what the chain says
        return replace(history, problem=error)
    return replace(history, placement=placement)


def prove(
    node: Node,
    anchor: AnchoredHead,
    kind: EntryKind,
    commitment: Commitment,
    leaf_index: LeafIndex,
) -> Placement:
    """Inclusion proof from the tiles that the entry's city serves, checked.

    Raises:
        LedgerError: The tiles are not to be had, or do not lead to the anchored root.
    """
    read = _log_reader(node, anchor.city, anchor.generation)
    head = anchor.tree_head
    proof = build_inclusion_proof(read, leaf_index, head.size)
    verify_inclusion(hash_leaf(encode_entry(kind, commitment)), leaf_index, proof, head)
    return Placement(anchor.generation, leaf_index, head, tuple(proof))


def _log_reader(node: Node, city: CityId, generation: int) -> Callable[[str], bytes]:
    if city == node.city and generation == node.generation:
        return node.tiles.read
    return lambda path: node.peers.fetch_log_file(city, f"/log/{generation}/{path}")


@dataclass(frozen=True, slots=True)
class GrantHistory:
    """What the ledger says of one grant.

    Attributes:
        grant: As recorded, with its consumptions; None for one that was only ever revoked.
        revocation: None while it was not.
        releases: Of this node, newest first.
        materials: Commitments handed over in each of them, in the same order.
    """

    grant_id: GrantId
    grant: RecordedGrant | None
    revocation: Revocation | None
    releases: tuple[ReleaseLink, ...]
    materials: tuple[tuple[Commitment, ...], ...]


def find_grant_history(node: Node, grant_id: GrantId) -> GrantHistory:
    """Everything about a grant, pending blocks included.

    Raises:
        NothingFoundError: It was neither recorded nor revoked as far as the chain was followed.
    """
    with node.database.read() as tx:
        grant = tx.chain.find_grant(grant_id, final_only=False)
        revocation = tx.chain.find_revocation(grant_id)
        if grant is None and revocation is None:
            raise NothingFoundError
        releases = tuple(tx.explore.list_releases_of_grant(grant_id, MAX_LINKS))
        materials = tuple(
            tuple(tx.explore.list_materials_of_release(each.request_digest)) for each in releases
        )
    return GrantHistory(grant_id, grant, revocation, releases, materials)


@dataclass(frozen=True, slots=True)
class BlockContents:
    """A block taken in and the events of our contracts in it.

    Attributes:
        final: Whether the finality policy made it so.
        events: In order; `None` for a log that does not decode.
    """

    block: BlockRef
    final: bool
    events: tuple[tuple[RawLog, Event | None], ...]


def find_block(node: Node, number: BlockNumber) -> BlockContents:
    """A block by number.

    Raises:
        NothingFoundError: It was not taken in.
    """
    with node.database.read() as tx:
        block, tip = tx.chain.find_block(number), tx.chain.load_tip()
        if block is None or tip is None:
            raise NothingFoundError
        logs = tx.explore.list_block_logs(number, MAX_BLOCK_LOGS)
        return BlockContents(block, number <= tip.final_number, _decode(tx, logs))


def find_transaction(node: Node, tx_hash: TxHash) -> BlockContents:
    """The block of a transaction, with the events of that transaction only.

    Raises:
        NothingFoundError: No event of our contracts came of it.
    """
    with node.database.read() as tx:
        logs = tx.explore.list_logs_of_transaction(tx_hash)
        block = tx.chain.find_block(logs[0][0].block_number) if logs else None
        tip = tx.chain.load_tip()
        if block is None or tip is None:
            raise NothingFoundError
        return BlockContents(block, block.number <= tip.final_number, _decode(tx, logs))


def _decode(
    tx: Transaction, logs: list[tuple[RawLog, int]]
) -> tuple[tuple[RawLog, Event | None], ...]:
    roles = tx.chain.list_contracts()
    decoded: list[tuple[RawLog, Event | None]] = []
    for log, timestamp_s in logs:
        role = roles.get(log.address)
        place = Position(
            log.block_number, log.log_index, log.tx_hash, log.block_hash, timestamp_s, log.address
        )
        event = None if role is None else decode_event(role, log.topics, log.data, place)
        decoded.append((log, event))
    return tuple(decoded)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a text may mean.

    Attributes:
        block: A block of that number.
        matches: What begins with it.
        statuses: Flags on the leaf of a whole commitment, for materials of other cities.
    """

    block: BlockRef | None
    matches: PrefixMatches | None
    statuses: tuple[StatusChange, ...]

    @property
    def empty(self) -> bool:
        """Nothing at all."""
        found = self.matches
        lists = () if found is None else (
            found.grants, found.consumptions, found.transactions, found.blocks, found.entries,
            found.leaves,
        )  # fmt: skip
        return self.block is None and not self.statuses and not any(lists)


def search(node: Node, text: str) -> SearchResult:
    """Look a text up as block number and as the first digits of every kind of hash.

    Raises:
        SearchTooShortError: It is neither.
    """
    digits = text.strip().lower().removeprefix("0x")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= 12
    is_hash = MIN_PREFIX_DIGITS <= len(digits) <= _HASH_DIGITS and _is_hex(digits)
    if not (is_number or is_hash):
        raise SearchTooShortError
    with node.database.read() as tx:
        block = tx.chain.find_block(BlockNumber(int(digits))) if is_number else None
        matches: PrefixMatches | None = None
        statuses: tuple[StatusChange, ...] = ()
        if is_hash:
            matches = tx.explore.find_between(
                bytes.fromhex(digits.ljust(_HASH_DIGITS, "0")),
                bytes.fromhex(digits.ljust(_HASH_DIGITS, "f")),
                MAX_MATCHES,
            )
        if len(digits) == _HASH_DIGITS and is_hash:
            leaf_hash = leaf_hash_of(EntryKind.MATERIAL, Commitment(bytes.fromhex(digits)))
            statuses = tuple(tx.explore.list_leaf_statuses(leaf_hash))
    return SearchResult(block, matches, statuses)


def _is_hex(text: str) -> bool:
    return all(each in "0123456789abcdef" for each in text)
