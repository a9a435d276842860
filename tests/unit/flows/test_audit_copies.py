"""An auditor with a copy of the chain and copied tiles: no endpoint, no node; killed, resumed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger_node.core.replay_state import DiscrepancyCode
from ledger_node.edges.audit import (
    AuditDirectory,
    ChainCopyDamagedError,
    DirectoryLogFiles,
    encode_portion,
    parse_portion,
)
from ledger_node.flows import audit_resuming
from ledger_node.flows.audit_chain import BlockNotFinalError, open_copy
from ledger_node.flows.audit_resuming import AuditKeeper
from ledger_node.flows.auditing import AuditReport, compare_replay, fold_reading
from ledger_node.ports.chain import ChainContradictionError, ChainUnavailableError
from tests.support.made_ledger import DOMAIN, MadeLedger, make_ledger, trust_profile
from tests.unit.core.chain_histories import CITIES

CODE = DiscrepancyCode
MATERIALS, GRANTS, BLOCKS = 3000, 60, 60


class KilledError(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeLedger:
    folder = tmp_path_factory.mktemp("made")
    return make_ledger(folder, materials=MATERIALS, grants=GRANTS, blocks=BLOCKS)


@pytest.fixture
def copied(made: MadeLedger, tmp_path: Path) -> MadeLedger:
    """A copy that a test may spoil."""
    shutil.copytree(made.copy, tmp_path / "copy")
    return replace(made, copy=tmp_path / "copy")


def audit(made: MadeLedger, work: Path | None = None, **changes: Any) -> AuditReport:
    keeper = AuditKeeper.open(None if work is None else AuditDirectory(work))
    replayed = fold_reading(open_copy(AuditDirectory(made.copy), trust_profile(made)))
    fetch = changes.pop("fetch", DirectoryLogFiles(made.tiles, DOMAIN).fetch_log_file)
    return compare_replay(replayed, None, DOMAIN, fetch, keeper=keeper, **changes)


def change_portion(made: MadeLedger, change: Any, first: int = 50) -> None:
    """Write a portion again, consistently, with something changed."""
    path = made.copy / "chain" / f"{first:012d}.blocks"
    blocks = parse_portion(path.read_bytes(), path.name)
    path.write_bytes(encode_portion(change(blocks)))


def test_compare_replay_from_a_copy_is_clean_and_reads_all(made: MadeLedger) -> None:
    report = audit(made)
    assert report.clean, report.discrepancies
    assert (report.blocks, report.events) == (made.blocks, made.logs)
    assert (report.entries, report.storage_reads) == (MATERIALS, 0)
    assert {(log.heads, log.explained) for log in report.logs} == {(BLOCKS, BLOCKS)}


def test_compare_replay_killed_in_the_logs_goes_on_behind_the_last_portion(
    made: MadeLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_resuming, "SAVE_EVERY_BUNDLES", 1)
    files, asked = DirectoryLogFiles(made.tiles, DOMAIN), []

    def fetch(city: Any, path: str) -> bytes:
        asked.append((city, path))
        if len(asked) == 6:  # the third bundle of the second log
            raise KilledError
        return files.fetch_log_file(city, path)

    with pytest.raises(KilledError):
        audit(made, tmp_path, fetch=fetch)
    report = audit(made, tmp_path, fetch=fetch)
    assert report == audit(made)
    assert len(asked) == 6 + 15 - 4, "of 15 bundles the 4 whole ones are not read again"


def test_compare_replay_of_kept_progress_whose_heads_changed_begins_anew(
    made: MadeLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_resuming, "SAVE_EVERY_BUNDLES", 1)
    assert audit(made, tmp_path).clean
    folder = AuditDirectory(tmp_path)
    keeper = AuditKeeper.open(folder)
    key = (CITIES[0], 1)
    known = keeper.progress.logs[key]  # type: ignore[index]
    assert known.replay.tree.size == 512
    changed = replace(known, heads=bytes(32))  # type: ignore[arg-type]
    logs = {**keeper.progress.logs, key: changed}
    keeper.progress = replace(keeper.progress, logs=logs)  # type: ignore[arg-type]
    keeper._save()
    asked: list[str] = []
    files = DirectoryLogFiles(made.tiles, DOMAIN)

    def fetch(city: Any, path: str) -> bytes:
        asked.append(city)
        return files.fetch_log_file(city, path)

    assert audit(made, tmp_path, fetch=fetch).clean
    assert [asked.count(city) for city in sorted(CITIES)] == [
        3 if city == CITIES[0] else 1 for city in sorted(CITIES)
    ]


def test_fold_reading_up_to_a_past_block_is_the_state_of_then(made: MadeLedger) -> None:
    def counts(at: int | None) -> tuple[int, int]:
        reading = open_copy(AuditDirectory(made.copy), trust_profile(made), at=at)  # type: ignore[arg-type]
        replayed = fold_reading(reading)
        assert replayed.count == 0
        return len(replayed.state.grants), len(replayed.state.consumptions)

    last = made.blocks - 1
    assert counts(None) == counts(last) == (GRANTS, GRANTS)
    assert counts(last - 1) == (GRANTS, GRANTS - 1)
    assert counts(last - 30) == (GRANTS - 29, GRANTS - 30)
    with pytest.raises(BlockNotFinalError):
        counts(last + 1)


def test_parse_portion_any_flipped_or_missing_byte_is_refused(made: MadeLedger) -> None:
    data = (made.copy / "chain" / f"{0:012d}.blocks").read_bytes()
    assert encode_portion(parse_portion(data, "x")) == data
    for at in range(0, len(data), 997):
        changed = bytearray(data)
        changed[at] ^= 1
        for spoilt in (bytes(changed), data[:at], data + b"\0"):
            with pytest.raises(ChainCopyDamagedError):
                parse_portion(spoilt, "x")


def test_open_copy_of_another_chain_is_refused(made: MadeLedger) -> None:
    profile = trust_profile(made)
    for other in (replace(profile, chain_id=1), replace(profile, genesis_hash=bytes(32))):
        with pytest.raises(ChainContradictionError):
            open_copy(AuditDirectory(made.copy), other)


def test_fold_reading_copy_with_another_first_block_is_refused(copied: MadeLedger) -> None:
    change_portion(
        copied,
        lambda blocks: [(replace(blocks[0][0], hash=bytes(32)), []), *blocks[1:]],
        first=0,
    )
    with pytest.raises(ChainContradictionError):
        fold_reading(open_copy(AuditDirectory(copied.copy), trust_profile(copied)))


def test_fold_reading_copy_with_a_portion_missing_is_unavailable(copied: MadeLedger) -> None:
    (copied.copy / "chain" / f"{0:012d}.blocks").unlink()
    with pytest.raises(ChainUnavailableError):
        fold_reading(open_copy(AuditDirectory(copied.copy), trust_profile(copied)))


def test_fold_reading_copy_with_a_foreign_block_is_unavailable(copied: MadeLedger) -> None:
    def unlink(blocks: Any) -> Any:
        return [(replace(blocks[0][0], parent_hash=bytes(32)), blocks[0][1]), *blocks[1:]]

    change_portion(copied, unlink)
    with pytest.raises(ChainUnavailableError):
        fold_reading(open_copy(AuditDirectory(copied.copy), trust_profile(copied)))


def test_fold_reading_copy_without_a_log_is_located(copied: MadeLedger) -> None:
    change_portion(copied, lambda blocks: [(blocks[0][0], blocks[0][1][:-1]), *blocks[1:]])
    replayed = fold_reading(open_copy(AuditDirectory(copied.copy), trust_profile(copied)))
    assert (CODE.EVENT_GAP, "block 50") in {(one.code, one.where) for one in replayed.discrepancies}


def test_compare_replay_changed_tile_forks_exactly_the_heads_behind_it(tmp_path: Path) -> None:
    made = make_ledger(tmp_path, materials=2000, grants=5, blocks=10, tampered=True)
    report = audit(made, tmp_path / "work")
    assert [(each.code, each.where) for each in report.discrepancies] == [
        (CODE.LOG_FORKED, f"log {CITIES[-1]}/1 size 400")
    ]


def test_open_source_of_an_empty_folder_is_unavailable(made: MadeLedger, tmp_path: Path) -> None:
    with pytest.raises(ChainUnavailableError):
        open_copy(AuditDirectory(tmp_path), trust_profile(made))
