"""Steps 1 and 2: a paper comes in, and a receipt may be given for it.

Crash order (design section 6): ciphertext durable -> material key durable -> row and entry in one
commit -> receipt. A crash after the first leaves ciphertext nobody can open, after the second a
key of nothing; neither is visible, and handing the paper in again starts afresh.

Group commit: whoever comes first commits for everybody waiting: one store sync, one key put,
one database commit for all of them. A receipt is given only after it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ledger_node.core.errors import ConflictError, LedgerError, UnavailableError
from ledger_node.core.types import Commitment, Digest, MaterialId
from ledger_node.flows.materials import load_values, open_material
from ledger_node.flows.node import Node
from ledger_node.flows.preparing import (
    PreparedMaterial,
    compute_number_tag,
    compute_subject_tag,
    list_duplicate_keys,
    prepare_material,
)
from ledger_node.flows.submission import (
    CheckedSubmission,
    MalformedSubmissionError,
    Submission,
    check_submission,
)
from ledger_node.flows.watching import build_succession
from ledger_node.ports.database import DatabaseUnavailableError, RowConflictError
from ledger_node.ports.database_intake import DuplicateKey, StoredMaterial

MAX_BATCH: Final = 256
MAX_WAITING: Final = 4096


class DocumentAlreadyRegisteredError(ConflictError):
    """The same (subject, type, document number) stands registered; `material_id` says where."""

    code = "document_already_registered"

    def __init__(self, material_id: MaterialId) -> None:
        super().__init__(
            f"该证件已登记，编号 {material_id}。内容有变更时请指明被取代的材料。",
            f"This paper is registered already as {material_id}; "
            "name it as predecessor if its content has changed.",
            material_id=material_id,
        )
        self.material_id = material_id


class BackpressureError(UnavailableError):
    """Too many registrations are waiting; try again in a moment."""

    code = "backpressure"


@dataclass(frozen=True, slots=True)
class Registered:
    """A committed registration: what a registration receipt is made from.

    Attributes:
        commitment: Statement commitment; with kind `material` it is the log entry.
        digests: Plaintext digests of the documents, in order.
    """

    material_id: MaterialId
    type_code: str
    commitment: Commitment
    digests: tuple[Digest, ...]
    registered_at: datetime
    predecessor: MaterialId | None


def register(
    node: Node,
    queue: IntakeQueue,
    submission: Submission,
    material_id: MaterialId | None = None,
) -> Registered:
    """Register one material; returns when it is durable.

    Effects:
        1. Ciphertext of the documents in the document store.
        2. The material key in the key store.
        3. Rows and the log entry in one commit. A crash before leaves nothing that can be found.
           Of a successor the notice is with them: the loop of `watching` tells the chain.
    Idempotent: no; a repeated call is refused by its document number, if the paper has one, and by
    its id, if one was chosen (`find_registered` tells whether it stands).

    Args:
        material_id: Chosen before, so that a repeated request finds its own; a new one if None.

    Raises:
        MalformedInputError: The submission or a document is not acceptable (nothing is stored).
        DocumentAlreadyRegisteredError: It stands registered, and no changed content supersedes it.
        UnavailableError: A store or the database does not answer; nothing was receipted.
    """
    checked = check_submission(node, submission)
    superseded = find_superseded(node, checked)
    prepared = prepare_material(
        node, checked, None if superseded is None else superseded.row.commitment, material_id
    )
    if superseded is not None:
        _demand_change(node, superseded, prepared)
        succession = build_succession(node, superseded.row.commitment, prepared.row.commitment)
        prepared = replace(prepared, succession=succession)
    return queue.commit(prepared)


def find_registered(node: Node, material_id: MaterialId) -> Registered | None:
    """What `register` returned for an id that was chosen before; None if it did not commit."""
    with node.database.read() as tx:
        stored = tx.intake.load_materials([material_id])
    if not stored:
        return None
    row = stored[0].row
    return Registered(
        material_id=row.material_id,
        type_code=row.type_code,
        commitment=row.commitment,
        digests=tuple(part.digest for part in open_material(node, stored[0]).parts),
        registered_at=row.registered_at,
        predecessor=row.predecessor,
    )


def find_superseded(node: Node, checked: CheckedSubmission) -> StoredMaterial | None:
    """The predecessor, if one is named; refuses what is registered already.

    Raises:
        DocumentAlreadyRegisteredError: Another material holds the document number.
        MalformedSubmissionError: The predecessor is of another type or no longer current.
        MaterialNotFoundError: There is no such predecessor.
    """
    submission = checked.submission
    keys = list_duplicate_keys_of(node, checked)
    with node.database.read() as tx:
        owners = tx.intake.find_number_owners(keys)
        named = submission.predecessor
        before = None if named is None else tx.intake.load_material(named)
    for owner in owners.values():
        if owner != submission.predecessor:
            raise DocumentAlreadyRegisteredError(owner)
    if before is None:
        return None
    if before.row.type_code != submission.type_code or before.state != "registered":
        raise MalformedSubmissionError(
            "predecessor", "不是同类的现行材料", "not a current material of the same type"
        )
    return before


def list_duplicate_keys_of(node: Node, checked: CheckedSubmission) -> list[DuplicateKey]:
    """What of this submission may be registered once; empty without a document number."""
    if checked.document_number is None:
        return []
    type_code = checked.submission.type_code
    number_tag = compute_number_tag(node, type_code, checked.document_number)
    tags = dict.fromkeys(
        compute_subject_tag(node, subject.scheme, number)
        for subject, number in zip(checked.submission.subjects, checked.numbers, strict=True)
    )
    return [DuplicateKey(tag, type_code, number_tag) for tag in tags]


def _demand_change(node: Node, before: StoredMaterial, prepared: PreparedMaterial) -> None:
    """A successor says something else than its predecessor, or is the same paper again."""
    old, new = load_values(node, before), prepared.values
    same_values = {k: v for k, v in old.values.items() if k != "predecessor"} == {
        k: v for k, v in new.values.items() if k != "predecessor"
    }
    if same_values and list(old.documents) == list(new.documents):
        raise DocumentAlreadyRegisteredError(before.row.material_id)


class _Waiting:
    """One registration in line, and how it went."""

    __slots__ = ("done", "error", "prepared")

    def __init__(self, prepared: PreparedMaterial) -> None:
        self.prepared = prepared
        self.error: LedgerError | None = None
        self.done = False


class IntakeQueue:
    """Group commit of one process: concurrent registrations share one sync and one commit.

    There is no thread of its own: the first to come commits for all who wait, then the next.
    Processes of one city each have their own queue; the database keeps them apart.
    """

    def __init__(self, node: Node, *, max_batch: int = MAX_BATCH) -> None:
        self._node = node
        self._max_batch = max_batch
        self._turn = threading.Condition()
        self._line: list[_Waiting] = []
        self._committing = False

    def commit(self, prepared: PreparedMaterial) -> Registered:
        """Make one prepared material durable; blocks until it is.

        Raises:
            BackpressureError: Too many wait already.
            DocumentAlreadyRegisteredError: Another registration of the paper was first.
            UnavailableError: A store or the database does not answer.
        """
        mine = _Waiting(prepared)
        with self._turn:
            if len(self._line) >= MAX_WAITING:
                raise BackpressureError(
                    "登记请求过多，请稍后重试。", "Too many registrations wait; try again later."
                )
            self._line.append(mine)
        while (batch := self._take_batch(mine)) is not None:
            self._commit_batch(batch)
        if mine.error is not None:
            raise mine.error
        return registered_of(prepared)

    def _take_batch(self, mine: _Waiting) -> list[_Waiting] | None:
        """Wait for `mine` to be committed by somebody (None), or for the turn to commit."""
        with self._turn:
            while not mine.done and self._committing:
                self._turn.wait()
            if mine.done:
                return None
            self._committing = True
            batch = self._line[: self._max_batch]
            del self._line[: len(batch)]
            return batch

    def _commit_batch(self, batch: list[_Waiting]) -> None:
        errors: Sequence[LedgerError | None] = [_interrupted()] * len(batch)
        try:
            errors = commit_prepared(self._node, [waiting.prepared for waiting in batch])
        except LedgerError as error:
            errors = [error] * len(batch)
        finally:  # whatever happened, nobody waits for ever
            with self._turn:
                for waiting, failure in zip(batch, errors, strict=True):
                    waiting.error, waiting.done = failure, True
                self._committing = False
                self._turn.notify_all()


def commit_prepared(
    node: Node, prepared: Sequence[PreparedMaterial]
) -> Sequence[LedgerError | None]:
    """Make prepared materials durable in crash order; one commit unless rows are in conflict.

    Returns:
        For each material None once it is durable, or why it is not registered.

    Raises:
        UnavailableError: A store or the database does not answer; none of them is registered
            (or, when a commit's outcome stayed unknown, some may be, unreceipted).
    """
    store_secrets(node, prepared)
    return store_rows(node, prepared)


def store_secrets(node: Node, prepared: Sequence[PreparedMaterial]) -> None:
    """First two steps of the crash order: ciphertext durable, then the material keys."""
    if any(one.stores_documents for one in prepared):
        node.documents.sync()
    node.key_store.put_all({one.row.material_id: one.key for one in prepared})


def store_rows(node: Node, prepared: Sequence[PreparedMaterial]) -> Sequence[LedgerError | None]:
    """Third step: rows and entries in one commit; on a conflict one by one, to name the row."""
    try:
        _save(node, prepared)
    except RowConflictError:
        return [_save_alone(node, one) for one in prepared]
    return [None] * len(prepared)


def _save(node: Node, prepared: Sequence[PreparedMaterial]) -> None:
    """One commit. When its outcome is unknown, what the database says counts."""
    try:
        with node.database.transaction() as tx:
            tx.intake.save_materials([one.row for one in prepared])
            for one in prepared:
                if one.succession is not None:
                    tx.messages.save_notice(one.succession)
    except DatabaseUnavailableError:
        ids = [one.row.material_id for one in prepared]
        with node.database.read() as tx:
            if len(tx.intake.load_materials(ids)) != len(ids):
                raise


def _save_alone(node: Node, prepared: PreparedMaterial) -> LedgerError | None:
    """Register one material of a batch that held a conflict; says whose paper it is."""
    try:
        _save(node, [prepared])
    except RowConflictError as error:
        with node.database.read() as tx:
            owners = tx.intake.find_number_owners(list_duplicate_keys(prepared.row))
            stands = tx.intake.load_materials([prepared.row.material_id])
        if not stands:  # else it is the key of the one that was registered under this id
            node.key_store.destroy(prepared.row.material_id)
        return DocumentAlreadyRegisteredError(next(iter(owners.values()))) if owners else error
    return None


def registered_of(prepared: PreparedMaterial) -> Registered:
    """What a receipt says about a committed material."""
    row = prepared.row
    return Registered(
        material_id=row.material_id,
        type_code=row.type_code,
        commitment=row.commitment,
        digests=prepared.digests,
        registered_at=row.registered_at,
        predecessor=row.predecessor,
    )


def _interrupted() -> UnavailableError:
    return UnavailableError(
        "登记被中断，请重新提交。", "The registration was interrupted; hand it in again."
    )
