"""Progress of an audit kept in the auditor's folder, so that a killed run is gone on with.

Step 11. Spec: docs/spec/chain-copy.md, "Progress". The block an audit speaks of is fixed by its
first run; logs go on behind the last whole portion, the contracts' storage behind the last one
read back. What cannot be read any more is begun anew, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ledger_node.core.audit_progress import (
    AuditProgress,
    LogProgress,
    digest_heads,
    encode_progress,
    parse_progress,
)
from ledger_node.core.chain_facts import BlockFact
from ledger_node.core.merkle import TreeHead
from ledger_node.core.replay_log import NOTHING_READ, LogReplay
from ledger_node.core.replay_state import Discrepancy, GenerationKey
from ledger_node.core.tiles import TILE_WIDTH
from ledger_node.ports.audit import AuditFolder

SAVE_EVERY_BUNDLES = 256  # 65,536 entries
SAVE_EVERY_READS = 1000


@dataclass
class AuditKeeper:
    """Keeps progress in a folder; without one it keeps nothing and every run begins anew."""

    folder: AuditFolder | None
    progress: AuditProgress = field(default_factory=AuditProgress)

    @classmethod
    def open(cls, folder: AuditFolder | None) -> AuditKeeper:
        """Take up what an earlier run left.

        Raises:
            MalformedInputError: The progress there was not written by this program.
        """
        data = None if folder is None else folder.load_progress()
        return cls(folder, AuditProgress() if data is None else parse_progress(data))

    def begin(self, as_of: BlockFact, sample: int | None) -> None:
        """Fix what the audit speaks of; storage read at another block or sample is forgotten."""
        if (self.progress.as_of, self.progress.sample) != (as_of, sample):
            self.progress = replace(
                self.progress, as_of=as_of, sample=sample, storage_done=0, storage_found=()
            )
            self._save()

    def find_log(self, key: GenerationKey, heads: Sequence[TreeHead]) -> LogReplay:
        """Where the replay of a log goes on; it begins anew if earlier heads became others, or
        if something was found there, which may have been mended since."""
        known = self.progress.logs.get(key)
        if (
            known is None
            or known.replay.discrepancies
            or known.replay.tree.size % TILE_WIDTH
            or known.heads != digest_heads(heads, known.replay.tree.size)
        ):
            return NOTHING_READ
        return known.replay

    def told_log(self, key: GenerationKey, heads: Sequence[TreeHead], now: LogReplay) -> None:
        """Keep where the replay of a log stands, every so many bundles."""
        if self.folder is None or now.tree.size % (TILE_WIDTH * SAVE_EVERY_BUNDLES):
            return
        known = LogProgress(now, digest_heads(heads, now.tree.size))
        self.progress = replace(self.progress, logs={**self.progress.logs, key: known})
        self._save()

    def told_storage(self, done: int, found: Sequence[Discrepancy]) -> None:
        """Keep how many values were read back, every so many."""
        if self.folder is not None and done % SAVE_EVERY_READS == 0:
            self.progress = replace(self.progress, storage_done=done, storage_found=tuple(found))
            self._save()

    def end(self) -> None:
        """The audit is done: the next one speaks of a newer block, and goes on behind these."""
        self.progress = replace(self.progress, as_of=None, storage_done=0, storage_found=())
        self._save()

    def _save(self) -> None:
        if self.folder is not None:
            self.folder.save_progress(encode_progress(self.progress))
