"""Guards of an auditor's own files: copy of the chain, progress, signed report."""

from __future__ import annotations

from tests.mutants.mutant import CORE, EDGES, FLOWS, UNIT, Mutant

COPIES = "tests/unit/flows/test_audit_copies.py::"
FILES = UNIT + "test_audit_files.py::"
AUDITS = (
    Mutant(
        "copy-digest",
        "a portion of a chain copy that was changed is refused",
        EDGES + "audit/portions.py",
        " or hashlib.sha256(data[:end]).digest() != data[end:]",
        "",
        COPIES + "test_parse_portion_any_flipped_or_missing_byte_is_refused",
        "T9",
    ),
    Mutant(
        "copy-first-block",
        "a copy begins with the block the trust file names",
        FLOWS + "audit_chain.py",
        "            if start == 0 and portion[0][0].hash != self.profile.genesis_hash:\n",
        "            if False:\n",
        COPIES + "test_fold_reading_copy_with_another_first_block_is_refused",
        "T9",
    ),
    Mutant(
        "copy-linked",
        "blocks of a copy follow their parents",
        FLOWS + "audit_chain.py",
        "        if parent is not None and block.parent_hash != parent.hash:\n",
        "        if False:\n",
        COPIES + "test_fold_reading_copy_with_a_foreign_block_is_unavailable",
        "T9",
    ),
    Mutant(
        "copy-whole-logs",
        "a log left out of a copy is located by the block's filter",
        FLOWS + "audit_chain.py",
        "                if not complete:\n",
        "                if False:\n",
        COPIES + "test_fold_reading_copy_without_a_log_is_located",
        "T9",
    ),
    Mutant(
        "progress-heads",
        "progress of a log counts only for the heads it was compared with",
        FLOWS + "audit_resuming.py",
        "            or known.heads != digest_heads(heads, known.replay.tree.size)\n",
        "",
        COPIES + "test_compare_replay_of_kept_progress_whose_heads_changed_begins_anew",
        "T9",
    ),
    Mutant(
        "report-auditor",
        "a report is by the auditor it is said to be of",
        CORE + "audit_report.py",
        "        if key != auditor:\n",
        "        if False:\n",
        FILES + "test_verify_report_of_another_chain_is_refused",
        "T9",
    ),
    Mutant(
        "report-clean",
        "a report that says clean has no discrepancy",
        CORE + "audit_report.py",
        "    if clean != (count == 0):\n",
        "    if False:\n",
        FILES + "test_verify_report_vector_has_named_outcome",
        "T9",
    ),
)
