"""An auditor's folder on disk: `copy.json`, `chain/<first block>.blocks`, `progress.json`.

Step 11. Spec: docs/spec/chain-copy.md. Every file is put in place whole and synced, so a process
that is killed leaves whole portions only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger_node.core.canonical import (
    JsonObject,
    encode_canonical,
    parse_canonical,
    require_int,
    require_members,
)
from ledger_node.core.errors import LedgerError, UnavailableError
from ledger_node.core.shapes import read_bytes32, read_version
from ledger_node.core.types import BlockHash, BlockNumber
from ledger_node.edges.audit.portions import ChainCopyDamagedError, encode_portion, parse_portion
from ledger_node.edges.files import PRIVATE_FILE, replace_file
from ledger_node.ports.audit import CopiedBlock
from ledger_node.ports.chain import BlockRef, ChainIdentity

COPY_VERSION = "tongban/chain-copy/v1"
_IDENTITY, _PROGRESS, _CHAIN = "copy.json", "progress.json", "chain"
_SUFFIX = ".blocks"


class AuditFolderError(UnavailableError):
    """The auditor's folder cannot be read or written."""

    code = "audit_folder_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"审计工作目录不可用（{reason}）。请核对路径、权限与磁盘空间。",
            f"The audit folder cannot be used ({reason}); check path, permissions and disk space.",
            reason=reason,
        )


class AuditDirectory:
    """`ports.audit.AuditFolder` over a directory."""

    def __init__(self, root: Path) -> None:
        """Use `root`, which is made when it is missing.

        Raises:
            AuditFolderError: It cannot be used.
        """
        self._root = root
        with _our_errors():
            (root / _CHAIN).mkdir(parents=True, exist_ok=True)

    def load_identity(self) -> ChainIdentity | None:
        """Which chain is copied here."""
        data = self._read(self._root / _IDENTITY)
        if data is None:
            return None
        try:
            value = parse_canonical(data, what=COPY_VERSION)
            read_version(value, COPY_VERSION, what=COPY_VERSION)
            members = require_members(value, ("v", "chain_id", "genesis"), what=COPY_VERSION)
            return ChainIdentity(
                require_int(members["chain_id"], what="chain_id"),
                BlockHash(read_bytes32(members["genesis"], what="genesis")),
            )
        except LedgerError as error:
            raise ChainCopyDamagedError(_IDENTITY) from error

    def save_identity(self, identity: ChainIdentity) -> None:
        """Say which chain is copied here."""
        body: JsonObject = {
            "v": COPY_VERSION,
            "chain_id": identity.chain_id,
            "genesis": identity.genesis_hash.hex(),
        }
        self._write(self._root / _IDENTITY, encode_canonical(body))

    def load_blocks(self, first: BlockNumber) -> list[CopiedBlock] | None:
        """The portion that begins with block `first`."""
        path = self._portion(first)
        data = self._read(path)
        if data is None:
            return None
        blocks = parse_portion(data, path.name)
        if blocks[0][0].number != first:
            raise ChainCopyDamagedError(path.name)
        return blocks

    def save_blocks(self, blocks: Sequence[CopiedBlock]) -> None:
        """Keep a portion."""
        self._write(self._portion(blocks[0][0].number), encode_portion(blocks))

    def find_last_block(self) -> BlockRef | None:
        """The highest block copied: portions are named by their first block."""
        with _our_errors():
            names = sorted(each.stem for each in (self._root / _CHAIN).glob(f"*{_SUFFIX}"))
        if not names:
            return None
        if not (names[-1].isascii() and names[-1].isdigit()):
            raise ChainCopyDamagedError(names[-1] + _SUFFIX)
        blocks = self.load_blocks(BlockNumber(int(names[-1])))
        return None if blocks is None else blocks[-1][0]

    def load_progress(self) -> bytes | None:
        """As it was saved."""
        return self._read(self._root / _PROGRESS)

    def save_progress(self, data: bytes) -> None:
        """In the place of what was saved before."""
        self._write(self._root / _PROGRESS, data)

    def _portion(self, first: int) -> Path:
        return self._root / _CHAIN / f"{first:012d}{_SUFFIX}"

    def _read(self, path: Path) -> bytes | None:
        with _our_errors():
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def _write(self, path: Path, data: bytes) -> None:
        with _our_errors():
            replace_file(path, data, mode=PRIVATE_FILE)


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AuditFolderError(error.strerror or type(error).__name__) from error
