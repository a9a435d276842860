"""An auditor's files: signed reports, progress, portions of a chain copy."""

import pytest

from ledger_node.core.audit_progress import (
    AuditProgress,
    LogProgress,
    encode_progress,
    parse_progress,
)
from ledger_node.core.audit_report import (
    ReportContradictionError,
    ReportSignatureError,
    verify_report,
)
from ledger_node.core.canonical import UnexpectedShapeError
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.errors import LedgerError
from ledger_node.core.merkle import CompactRange
from ledger_node.core.replay_log import LogReplay
from ledger_node.core.replay_state import Discrepancy, DiscrepancyCode
from ledger_node.core.signed_note import parse_verifier_key
from ledger_node.edges.audit import encode_portion, parse_portion
from tests.vector_runner import load_vectors, run_vector

FOUND = Discrepancy(DiscrepancyCode.LOG_FORKED, "log 510107/1 size 3", "another root")
PROGRESS = AuditProgress(
    BlockFact(7, bytes(32), 1_800_000_000),
    200,
    {
        ("510107", 1): LogProgress(
            LogReplay(CompactRange(3, (b"a" * 32, b"b" * 32)), 2, (FOUND,)), b"h" * 32
        )
    },
    1000,
    (FOUND,),
)


@pytest.mark.parametrize("vector", load_vectors("audit_report"))
def test_verify_report_vector_has_named_outcome(vector):
    data, key = vector["report"].encode(), parse_verifier_key(vector["vkey"])
    run_vector(vector, lambda: verify_report(data, key))


def test_verify_report_any_flipped_bit_is_refused():
    happy = next(each.values[0] for each in load_vectors("audit_report") if each.id == "one/happy")
    data, key = happy["report"].encode(), parse_verifier_key(happy["vkey"])
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 7
        with pytest.raises(LedgerError):
            verify_report(bytes(changed), key)


def test_verify_report_of_another_chain_is_refused():
    happy = next(each.values[0] for each in load_vectors("audit_report") if each.id == "one/happy")
    data, key = happy["report"].encode(), parse_verifier_key(happy["vkey"])
    verify_report(data, key, bytes(range(32)))
    with pytest.raises(ReportContradictionError):
        verify_report(data, key, bytes(32))
    other = next(
        each.values[0] for each in load_vectors("audit_report") if each.id == "one/other-auditor"
    )
    with pytest.raises(ReportSignatureError):
        verify_report(other["report"].encode(), key)


@pytest.mark.parametrize("vector", load_vectors("chain_copy"))
def test_parse_portion_vector_has_named_outcome(vector):
    data = bytes.fromhex(vector["bytes"])

    def read():
        blocks = parse_portion(data, "4.blocks")
        assert encode_portion(blocks) == data
        assert (blocks[0][0].number, len(blocks)) == (vector["first"], vector["blocks"])
        assert sum(len(logs) for _, logs in blocks) == vector["logs"]

    run_vector(vector, read)


def test_parse_progress_is_what_was_written():
    for progress in (AuditProgress(), PROGRESS):
        assert parse_progress(encode_progress(progress)) == progress


def test_parse_progress_peaks_that_do_not_fit_the_size_are_refused():
    data = encode_progress(PROGRESS).replace(b'"size":3', b'"size":4')
    with pytest.raises(UnexpectedShapeError):
        parse_progress(data)
