"""Tables of steps 4 and 5: outbox (private, backed up) and followed chain (can be rebuilt).

Derived rows are keyed by the log they come from (block number, log index) and only appended, so
that rolling back a reorganisation is one DELETE per table.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ledger_node.edges.database.columns import METADATA, Hash32, RowId, UtcTime

Address20 = LargeBinary(20)
City = String(6)

outbox_accounts = Table(
    "outbox_accounts",
    METADATA,
    Column("account", Address20, primary_key=True),
    Column("next_nonce", RowId, nullable=False),
)

outbox_transactions = Table(
    "outbox_transactions",
    METADATA,
    Column("outbox_id", RowId, primary_key=True, autoincrement=True),
    Column("account", Address20, nullable=False),
    Column("nonce", RowId, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("reference", String(200), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("tx_hash", Hash32, nullable=False),
    Column("state", String(16), nullable=False),
    Column("block_number", RowId),
    Column("block_hash", Hash32),
    Column("gas_used", RowId),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", UtcTime),
    Column("missing_since", UtcTime),
    Column("problem", Text),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("account", "nonce"),
    UniqueConstraint("tx_hash"),
    Index("ix_outbox_transactions_kind_reference", "kind", "reference"),
)

_OPEN = outbox_transactions.c.state.in_(("signed", "submitted", "included"))
_OPEN_ANCHOR = (outbox_transactions.c.kind == "anchor") & _OPEN

Index(
    "ix_outbox_transactions_open",
    outbox_transactions.c.account,
    outbox_transactions.c.nonce,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)
# At most one anchor is not final: the fence stands in the database.
Index(
    "uq_outbox_transactions_open_anchor",
    outbox_transactions.c.kind,
    unique=True,
    sqlite_where=_OPEN_ANCHOR,
    postgresql_where=_OPEN_ANCHOR,
)

anchors = Table(
    "anchors",
    METADATA,
    Column("outbox_id", RowId, primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),
    Column("old_size", RowId, nullable=False),
    Column("size", RowId, nullable=False),
    Column("root", Hash32, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

chain_following = Table(
    "chain_following",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("chain_id", RowId, nullable=False),
    Column("genesis_hash", Hash32, nullable=False),
    Column("membership", Address20, nullable=False),
    Column("first_block", RowId, nullable=False),
    Column("number", RowId, nullable=False),
    Column("hash", Hash32, nullable=False),
    Column("block_timestamp_s", RowId, nullable=False),
    Column("final_number", RowId, nullable=False),
    Column("head_number", RowId, nullable=False),
    Column("head_timestamp_s", RowId, nullable=False),
    Column("observed_at", UtcTime, nullable=False),
    Column("pins_checked_at", UtcTime),
    CheckConstraint("id = 1", name="one_row"),
)

chain_code_pins = Table(
    "chain_code_pins",
    METADATA,
    Column("contract", Address20, primary_key=True),
    Column("code_hash", Hash32, nullable=False),
)

chain_blocks = Table(
    "chain_blocks",
    METADATA,
    Column("number", RowId, primary_key=True, autoincrement=False),
    Column("hash", Hash32, nullable=False),
    Column("parent_hash", Hash32, nullable=False),
    Column("block_timestamp_s", RowId, nullable=False),
    Index("ix_chain_blocks_block_timestamp_s", "block_timestamp_s", "number"),
    Index("ix_chain_blocks_hash", "hash"),
)


def _log_columns() -> tuple[Column[int], Column[int]]:
    return (
        Column("block_number", RowId, primary_key=True, autoincrement=False),
        Column("log_index", Integer, primary_key=True, autoincrement=False),
    )


chain_events = Table(
    "chain_events",
    METADATA,
    *_log_columns(),
    Column("tx_hash", Hash32, nullable=False),
    Column("contract", Address20, nullable=False),
    Column("topics", LargeBinary, nullable=False),  # n x 32 bytes
    Column("data", LargeBinary, nullable=False),
    Index("ix_chain_events_contract_block_number", "contract", "block_number"),
    Index("ix_chain_events_tx_hash", "tx_hash"),
)

chain_contracts = Table(
    "chain_contracts",
    METADATA,
    *_log_columns(),
    Column("role", SmallInteger, nullable=False),
    Column("contract", Address20, nullable=False),
    Column("from_block", RowId, nullable=False),
)

chain_heads = Table(
    "chain_heads",
    METADATA,
    *_log_columns(),
    Column("city", City, nullable=False),
    Column("generation", RowId, nullable=False),
    Column("size", RowId, nullable=False),
    Column("root", Hash32, nullable=False),
    Column("closing", Integer, nullable=False),
    Index("ix_chain_heads_city_generation_size", "city", "generation", "size"),
    Index("ix_chain_heads_city_block", "city", "block_number", "log_index"),
)

chain_statuses = Table(
    "chain_statuses",
    METADATA,
    *_log_columns(),
    Column("city", City, nullable=False),
    Column("leaf_hash", Hash32, nullable=False),
    Column("flag", SmallInteger, nullable=False),
    Column("successor", Hash32, nullable=False),
    Index("ix_chain_statuses_leaf_hash", "leaf_hash"),
    Index("ix_chain_statuses_city", "city", "block_number", "log_index"),
)

chain_objections = Table(
    "chain_objections",
    METADATA,
    *_log_columns(),
    Column("objection_id", RowId, nullable=False),
    Column("contract", Address20, nullable=False),
    Column("city", City, nullable=False),
    Column("leaf_hash", Hash32, nullable=False),
    Column("raiser", City, nullable=False),
    Column("reason", Hash32, nullable=False),
    Index("ix_chain_objections_leaf_hash", "leaf_hash"),
    Index("ix_chain_objections_city", "city", "block_number", "log_index"),
    Index("ix_chain_objections_raiser", "raiser", "block_number", "log_index"),
)

chain_objection_ends = Table(
    "chain_objection_ends",
    METADATA,
    *_log_columns(),
    Column("objection_id", RowId, nullable=False),
    Column("contract", Address20, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Index("ix_chain_objection_ends_objection_id", "objection_id"),
)

chain_grants = Table(
    "chain_grants",
    METADATA,
    *_log_columns(),
    Column("grant_id", Hash32, nullable=False),
    Column("releasing", City, nullable=False),
    Column("receiving", City, nullable=False),
    Column("recorder", City, nullable=False),
    Column("not_before_s", RowId, nullable=False),
    Column("not_after_s", RowId, nullable=False),
    Column("uses", RowId, nullable=False),
    Column("basis", SmallInteger, nullable=False),
    Column("evidence", Hash32, nullable=False),
    Index("ix_chain_grants_grant_id", "grant_id"),
    Index("ix_chain_grants_releasing", "releasing", "block_number", "log_index"),
    Index("ix_chain_grants_receiving", "receiving", "block_number", "log_index"),
)

chain_revocations = Table(
    "chain_revocations",
    METADATA,
    *_log_columns(),
    Column("grant_id", Hash32, nullable=False),
    Column("city", City, nullable=False),
    Index("ix_chain_revocations_grant_id", "grant_id"),
    Index("ix_chain_revocations_city", "city", "block_number", "log_index"),
)

chain_consumptions = Table(
    "chain_consumptions",
    METADATA,
    *_log_columns(),
    Column("grant_id", Hash32, nullable=False),
    Column("release_commitment", Hash32, nullable=False),
    Column("uses_left", RowId, nullable=False),
    Index("ix_chain_consumptions_grant_id", "grant_id"),
    Index("ix_chain_consumptions_release_commitment", "release_commitment"),
)

chain_lists = Table(
    "chain_lists",
    METADATA,
    *_log_columns(),
    Column("contract", Address20, nullable=False),
    Column("list_id", Hash32, nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("code", String(64), nullable=False),
    Column("parties", LargeBinary, nullable=False),
    Index("ix_chain_lists_code", "code"),
)

chain_edition_votes = Table(
    "chain_edition_votes",
    METADATA,
    *_log_columns(),
    Column("contract", Address20, nullable=False),
    Column("vote_id", RowId, nullable=False),
    Column("list_id", Hash32, nullable=False),
    Column("city", City, nullable=False),
    Column("edition", RowId, nullable=False),
    Column("digest", Hash32, nullable=False),
    Column("effective_from_s", RowId, nullable=False),
    Column("paper", Hash32, nullable=False),
    Column("expires_at_s", RowId, nullable=False),
    Index("ix_chain_edition_votes_list_id", "list_id"),
)

chain_edition_choices = Table(
    "chain_edition_choices",
    METADATA,
    *_log_columns(),
    Column("contract", Address20, nullable=False),
    Column("vote_id", RowId, nullable=False),
    Column("city", City, nullable=False),
    Column("support", Integer, nullable=False),
    Index("ix_chain_edition_choices_vote_id", "vote_id"),
)

chain_editions = Table(
    "chain_editions",
    METADATA,
    *_log_columns(),
    Column("contract", Address20, nullable=False),
    Column("vote_id", RowId, nullable=False),
    Column("list_id", Hash32, nullable=False),
    Column("edition", RowId, nullable=False),
    Column("digest", Hash32, nullable=False),
    Column("effective_from_s", RowId, nullable=False),
    Index("ix_chain_editions_list_id", "list_id", "edition"),
)

chain_validators = Table(
    "chain_validators",
    METADATA,
    Column("from_block", RowId, primary_key=True, autoincrement=False),
    Column("validators", LargeBinary, nullable=False),  # n x 20 bytes, ascending
)

DERIVED = (
    chain_contracts,
    chain_heads,
    chain_statuses,
    chain_objections,
    chain_objection_ends,
    chain_grants,
    chain_revocations,
    chain_consumptions,
    chain_lists,
    chain_edition_votes,
    chain_edition_choices,
    chain_editions,
)
