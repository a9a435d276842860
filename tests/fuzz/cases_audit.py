"""Parsers of step 11: what an auditor keeps between two runs."""

from ledger_node.core.audit_progress import (
    AuditProgress,
    LogProgress,
    encode_progress,
    parse_progress,
)
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.merkle import CompactRange
from ledger_node.core.replay_log import LogReplay
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode
from tests.fuzz.parsers import ParserCase

_FOUND = Discrepancy(DiscrepancyCode.LOG_FORKED, "log 510107/1 size 3", "another root")
_LOG = LogProgress(LogReplay(CompactRange(3, (b"a" * 32, b"b" * 32)), 2, (_FOUND,)), b"h" * 32)

CASES = [
    ParserCase(
        "core.audit_progress.parse_progress",
        "json",
        parse_progress,
        [
            encode_progress(AuditProgress()),
            encode_progress(
                AuditProgress(
                    BlockFact(7, bytes(32), 1_800_000_000),
                    200,
                    {("510107", 1): _LOG},
                    1000,
                    (_FOUND,),
                )
            ),
        ],
        encode_progress,
    ),
]
