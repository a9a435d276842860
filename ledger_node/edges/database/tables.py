"""All tables of the node, so that `METADATA` is whole. Add one import per group."""

from __future__ import annotations

from ledger_node.edges.database import (
    tables_accounts,
    tables_api,
    tables_cases,
    tables_chain,
    tables_consent,
    tables_exchange,
    tables_intake,
    tables_keeping,
    tables_log,
    tables_mirrors,
    tables_proofs,
    tables_replays,
    tables_reuse,
)
from ledger_node.edges.database.columns import METADATA

__all__ = [
    "METADATA",
    "tables_accounts",
    "tables_api",
    "tables_cases",
    "tables_chain",
    "tables_consent",
    "tables_exchange",
    "tables_intake",
    "tables_keeping",
    "tables_log",
    "tables_mirrors",
    "tables_proofs",
    "tables_replays",
    "tables_reuse",
]
