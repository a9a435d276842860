"""The database of one city: transactions that hold one group of operations per step.

`ports/database_<group>.py` declares a group, `edges/database/<group>.py` implements it. To add
one: its Protocol as an attribute of `Transaction` below, its class in the edge's
`transaction.py`, its tables in `tables.py`, its own migration revision.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from ledger_node.core.errors import ConflictError, InvariantError, NotFoundError, UnavailableError
from ledger_node.ports.database_accounts import AccountGroup, TrailGroup
from ledger_node.ports.database_api import IdempotencyGroup, PagingGroup, UploadGroup
from ledger_node.ports.database_cases import CaseGroup
from ledger_node.ports.database_chain import ChainGroup, OutboxGroup
from ledger_node.ports.database_consent import ConsentGroup
from ledger_node.ports.database_exchange import (
    FindGroup,
    GrantGroup,
    MessageGroup,
    OfficerGroup,
    ReceiptGroup,
    ReleaseGroup,
)
from ledger_node.ports.database_exploring import ExploreGroup, ReplayGroup
from ledger_node.ports.database_intake import IntakeGroup
from ledger_node.ports.database_keeping import KeepingGroup
from ledger_node.ports.database_log import LogGroup
from ledger_node.ports.database_mirrors import MirrorGroup
from ledger_node.ports.database_proofs import ProofGroup
from ledger_node.ports.database_questions import QuestionGroup
from ledger_node.ports.database_reuse import ReuseGroup


class DatabaseUnavailableError(UnavailableError):
    """The database does not answer, is locked or full; the outcome of a commit may be unknown."""

    code = "database_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"数据库暂时不可用（{reason}）。请稍后重试。",
            f"The database is unavailable ({reason}); try again later.",
            reason=reason,
        )


class RowConflictError(ConflictError):
    """A row breaks a uniqueness or reference rule: somebody else was first."""

    code = "row_conflict"

    def __init__(self, constraint: str) -> None:
        super().__init__(
            "该记录与已有记录冲突。请刷新后再试。",
            f"The row conflicts with one that is stored ({constraint}); reload and look again.",
            constraint=constraint,
        )


class MaterialNotFoundError(NotFoundError):
    """No material of that id (or commitment) is registered here."""

    code = "material_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"没有找到材料 {name}。请核对编号。",
            f"No material {name} is registered here; check the id.",
            name=name,
        )


class EntryNotFoundError(NotFoundError):
    """No such entry or head is in this city's log."""

    code = "entry_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"日志中没有 {name}。",
            f"This city's log has no {name}.",
            name=name,
        )


class StaleHeadError(ConflictError):
    """The log's head moved since it was read: another writer was first."""

    code = "stale_head"

    def __init__(self, generation: int, size: int) -> None:
        super().__init__(
            f"日志头已变化（第 {generation} 代，原大小 {size}）。请重新读取。",
            f"The head of generation {generation} is not at size {size} any more; reload it.",
            generation=generation,
            size=size,
        )


class DatabaseCorruptError(InvariantError):
    """The database file is damaged, or answers what its schema forbids."""

    code = "database_corrupt"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "数据库内容不一致，已停止处理，请联系管理员。",
            f"The database is damaged or answers what its schema forbids: {reason}.",
            reason=reason,
        )


class Transaction(Protocol):
    """One transaction; its groups share the connection. Not for use after its context ends."""

    @property
    def intake(self) -> IntakeGroup: ...

    @property
    def log(self) -> LogGroup: ...

    @property
    def outbox(self) -> OutboxGroup: ...

    @property
    def chain(self) -> ChainGroup: ...

    @property
    def officers(self) -> OfficerGroup: ...

    @property
    def grants(self) -> GrantGroup: ...

    @property
    def finds(self) -> FindGroup: ...

    @property
    def releases(self) -> ReleaseGroup: ...

    @property
    def receipts(self) -> ReceiptGroup: ...

    @property
    def messages(self) -> MessageGroup: ...

    @property
    def accounts(self) -> AccountGroup: ...

    @property
    def trail(self) -> TrailGroup: ...

    @property
    def cases(self) -> CaseGroup: ...

    @property
    def explore(self) -> ExploreGroup: ...

    @property
    def replays(self) -> ReplayGroup: ...

    @property
    def questions(self) -> QuestionGroup: ...

    @property
    def reuse(self) -> ReuseGroup: ...

    @property
    def consent(self) -> ConsentGroup: ...

    @property
    def idempotency(self) -> IdempotencyGroup: ...

    @property
    def uploads(self) -> UploadGroup: ...

    @property
    def paging(self) -> PagingGroup: ...

    @property
    def mirrors(self) -> MirrorGroup: ...

    @property
    def keeping(self) -> KeepingGroup: ...

    @property
    def proofs(self) -> ProofGroup: ...


class Database(Protocol):
    """Promises: a write transaction is durable when its context ends without an exception, and
    leaves nothing when it ends with one; a read sees one snapshot; only this project's errors
    leave it. After an error inside a transaction the transaction is over: catch it outside.

    A `DatabaseUnavailableError` from the end of a write leaves the outcome unknown: the caller
    looks whether its row is there.
    """

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A write transaction (SQLite: takes the write lock at once)."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """A read-only snapshot; writing in it is an error."""
        ...

    def close(self) -> None: ...
