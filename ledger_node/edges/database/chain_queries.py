"""Queries of group `chain`: heads, grants, statuses and objections with the place they stand at."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Select, Table, func, select

from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import (
    Address,
    BlockHash,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    RootHash,
    TreeSize,
    TxHash,
)
from ledger_node.edges.database import tables_chain as t
from ledger_node.edges.database.rows import RowT, build_rows, select_rows
from ledger_node.ports.database_chain import (
    AnchoredHead,
    Consumption,
    Objection,
    Place,
    RecordedGrant,
    Revocation,
    StatusChange,
)
from ledger_node.ports.database_editions import (
    EditionChoiceRow,
    EditionRow,
    EditionRows,
    EditionVoteRow,
    ListRow,
)

_PLACE: Final = (
    t.chain_events.c.block_number,
    t.chain_blocks.c.hash,
    t.chain_blocks.c.block_timestamp_s,
    t.chain_events.c.tx_hash,
    t.chain_events.c.log_index,
    t.chain_events.c.contract,
)
PLACE_WIDTH: Final = len(_PLACE)
_FINAL: Final = select(t.chain_following.c.final_number).scalar_subquery()


def _select(table: Table, *names: str) -> Select[Any]:
    """Columns of a derived table behind the place of the log it comes from."""
    return (
        select(*_PLACE, *(table.c[name] for name in names))
        .select_from(table)
        .join(
            t.chain_events,
            (t.chain_events.c.block_number == table.c.block_number)
            & (t.chain_events.c.log_index == table.c.log_index),
        )
        .join(t.chain_blocks, t.chain_blocks.c.number == table.c.block_number)
    )


def in_order(table: Table) -> tuple[Any, Any]:
    """Columns that put rows of a derived table in chain order."""
    return table.c.block_number, table.c.log_index


HEADS: Final = _select(t.chain_heads, "city", "generation", "size", "root", "closing")
GRANTS: Final = _select(
    t.chain_grants,
    "grant_id",
    "releasing",
    "receiving",
    "recorder",
    "not_before_s",
    "not_after_s",
    "uses",
    "basis",
    "evidence",
)
REVOCATIONS: Final = _select(t.chain_revocations, "grant_id", "city")
CONSUMPTIONS: Final = _select(t.chain_consumptions, "grant_id", "release_commitment", "uses_left")
STATUSES: Final = _select(t.chain_statuses, "city", "leaf_hash", "flag", "successor")
OBJECTIONS: Final = _select(
    t.chain_objections, "objection_id", "city", "leaf_hash", "raiser", "reason"
).add_columns(
    func.coalesce(
        select(t.chain_objection_ends.c.outcome)
        .where(
            t.chain_objection_ends.c.objection_id == t.chain_objections.c.objection_id,
            t.chain_objection_ends.c.contract == t.chain_objections.c.contract,
        )
        .scalar_subquery(),
        0,
    )
)


class SqlChainQueries:
    """The reading half of `ChainGroup`."""

    def __init__(self, connection: Connection) -> None:
        self._reading = connection

    def _rows(self, statement: Select[Any], table: Table, *, final_only: bool) -> list[Any]:
        if final_only:
            statement = statement.where(table.c.block_number <= _FINAL)
        return list(self._reading.execute(statement))

    def find_anchored_head(
        self, city: CityId, generation: int, tree_head: TreeHead, *, final_only: bool = True
    ) -> AnchoredHead | None:
        """Exactly this size and root."""
        statement = HEADS.where(
            t.chain_heads.c.city == city,
            t.chain_heads.c.generation == generation,
            t.chain_heads.c.size == tree_head.size,
            t.chain_heads.c.root == tree_head.root,
        ).order_by(*in_order(t.chain_heads))
        return _first_head(self._rows(statement, t.chain_heads, final_only=final_only))

    def find_covering_head(
        self, city: CityId, generation: int, min_size: int, *, final_only: bool = True
    ) -> AnchoredHead | None:
        """The first head of at least `min_size` leaves."""
        statement = (
            HEADS.where(
                t.chain_heads.c.city == city,
                t.chain_heads.c.generation == generation,
                t.chain_heads.c.size >= min_size,
            )
            .order_by(*in_order(t.chain_heads))
            .limit(1)
        )
        return _first_head(self._rows(statement, t.chain_heads, final_only=final_only))

    def find_latest_head(self, city: CityId, *, final_only: bool = True) -> AnchoredHead | None:
        """The newest head of any generation."""
        newest = [column.desc() for column in in_order(t.chain_heads)]
        statement = HEADS.where(t.chain_heads.c.city == city).order_by(*newest).limit(1)
        return _first_head(self._rows(statement, t.chain_heads, final_only=final_only))

    def list_heads(self, city: CityId, limit: int = 1000) -> list[AnchoredHead]:
        """Newest first."""
        newest = [column.desc() for column in in_order(t.chain_heads)]
        statement = HEADS.where(t.chain_heads.c.city == city).order_by(*newest).limit(limit)
        return [build_head(row) for row in self._reading.execute(statement)]

    def find_grant(self, grant_id: GrantId, *, final_only: bool = True) -> RecordedGrant | None:
        """The recorded grant with what happened to it."""
        rows = self._rows(
            GRANTS.where(t.chain_grants.c.grant_id == grant_id).order_by(*in_order(t.chain_grants)),
            t.chain_grants,
            final_only=final_only,
        )
        if not rows:
            return None
        consumptions = self._rows(
            CONSUMPTIONS.where(t.chain_consumptions.c.grant_id == grant_id).order_by(
                *in_order(t.chain_consumptions)
            ),
            t.chain_consumptions,
            final_only=final_only,
        )
        return _grant(
            rows[0],
            self.find_revocation(grant_id, final_only=final_only),
            tuple(build_consumption(row) for row in consumptions),
        )

    def find_revocation(self, grant_id: GrantId, *, final_only: bool = False) -> Revocation | None:
        """The first revocation."""
        rows = self._rows(
            REVOCATIONS.where(t.chain_revocations.c.grant_id == grant_id)
            .order_by(*in_order(t.chain_revocations))
            .limit(1),
            t.chain_revocations,
            final_only=final_only,
        )
        if not rows:
            return None
        return build_revocation(rows[0])

    def find_consumption(
        self, release_commitment: ReleaseCommitment, *, final_only: bool = True
    ) -> Consumption | None:
        """By release commitment."""
        rows = self._rows(
            CONSUMPTIONS.where(t.chain_consumptions.c.release_commitment == release_commitment)
            .order_by(*in_order(t.chain_consumptions))
            .limit(1),
            t.chain_consumptions,
            final_only=final_only,
        )
        return build_consumption(rows[0]) if rows else None

    def list_statuses(
        self, city: CityId, leaf_hash: LeafHash, *, final_only: bool = False
    ) -> list[StatusChange]:
        """Flags of one leaf, in chain order."""
        statement = STATUSES.where(
            t.chain_statuses.c.city == city, t.chain_statuses.c.leaf_hash == leaf_hash
        ).order_by(*in_order(t.chain_statuses))
        return [
            build_status(row)
            for row in self._rows(statement, t.chain_statuses, final_only=final_only)
        ]

    def list_status_changes(self, first: BlockNumber, last: BlockNumber) -> list[StatusChange]:
        """Of all cities, in chain order."""
        statement = STATUSES.where(
            t.chain_statuses.c.block_number >= first, t.chain_statuses.c.block_number <= last
        ).order_by(*in_order(t.chain_statuses))
        return [build_status(row) for row in self._reading.execute(statement)]

    def load_editions(self, contract: Address) -> EditionRows:
        """Four tables, each in chain order."""
        return EditionRows(
            self._load_said(t.chain_lists, ListRow, contract),
            self._load_said(t.chain_edition_votes, EditionVoteRow, contract),
            self._load_said(t.chain_edition_choices, EditionChoiceRow, contract),
            self._load_said(t.chain_editions, EditionRow, contract),
        )

    def _load_said(self, table: Table, row_type: type[RowT], contract: Address) -> list[RowT]:
        statement = (
            select_rows(table, row_type)
            .where(table.c.contract == contract)
            .order_by(*in_order(table))
        )
        return build_rows(row_type, self._reading.execute(statement).all())

    def list_objections(self, city: CityId, leaf_hash: LeafHash) -> list[Objection]:
        """With their outcomes, in chain order."""
        statement = OBJECTIONS.where(
            t.chain_objections.c.city == city, t.chain_objections.c.leaf_hash == leaf_hash
        ).order_by(*in_order(t.chain_objections))
        return [build_objection(row) for row in self._reading.execute(statement)]


def build_place(row: Any) -> Place:
    """Where a row stands; its columns come first."""
    number, block_hash, timestamp_s, tx_hash, log_index, contract = row[:PLACE_WIDTH]
    return Place(
        BlockNumber(number),
        BlockHash(block_hash),
        timestamp_s,
        TxHash(tx_hash),
        log_index,
        Address(contract),
    )


def build_head(row: Any) -> AnchoredHead:
    """A row of `HEADS`."""
    city, generation, size, root, closing = row[PLACE_WIDTH:]
    tree_head = TreeHead(TreeSize(size), RootHash(root))
    return AnchoredHead(CityId(city), generation, tree_head, bool(closing), build_place(row))


def _first_head(rows: list[Any]) -> AnchoredHead | None:
    return build_head(rows[0]) if rows else None


def build_consumption(row: Any) -> Consumption:
    """A row of `CONSUMPTIONS`."""
    grant_id, release_commitment, uses_left = row[PLACE_WIDTH:]
    return Consumption(
        GrantId(grant_id), ReleaseCommitment(release_commitment), uses_left, build_place(row)
    )


def build_revocation(row: Any) -> Revocation:
    """A row of `REVOCATIONS`."""
    grant_id, city = row[PLACE_WIDTH:]
    return Revocation(GrantId(grant_id), CityId(city), build_place(row))


def build_status(row: Any) -> StatusChange:
    """A row of `STATUSES`."""
    city, leaf_hash, flag, successor = row[PLACE_WIDTH:]
    return StatusChange(
        CityId(city), LeafHash(leaf_hash), flag, Commitment(successor), build_place(row)
    )


def _grant(
    row: Any, revocation: Revocation | None, consumptions: tuple[Consumption, ...]
) -> RecordedGrant:
    grant_id, releasing, receiving, recorder, not_before_s, not_after_s, uses, basis, evidence = (
        row[PLACE_WIDTH:]
    )
    return RecordedGrant(
        GrantId(grant_id),
        CityId(releasing),
        CityId(receiving),
        CityId(recorder),
        not_before_s,
        not_after_s,
        uses,
        basis,
        Commitment(evidence),
        build_place(row),
        revocation,
        consumptions,
    )


def build_objection(row: Any) -> Objection:
    """A row of `OBJECTIONS`."""
    objection_id, city, leaf_hash, raiser, reason, outcome = row[PLACE_WIDTH:]
    return Objection(
        objection_id,
        CityId(city),
        LeafHash(leaf_hash),
        CityId(raiser),
        Commitment(reason),
        outcome,
        build_place(row),
    )
