"""Doing a request of the HTTP API once, however often it is sent (`Idempotency-Key`).

Crash order: key row with the id of the effect -> effect (its own crash order; it is named after
that id, or its digest is noted in the commit that makes it) -> answer stored -> answer sent. A
process killed in between leaves an unanswered key: whoever asks again after the lease takes it
over, finds what was done, and goes on from there. Spec: docs/spec/api.md.

Invariants:
    * A key belongs to one account and route; another body under it is refused.
    * Two workers of one key never both commit an effect: the second is a conflict in its commit.
    * Only ids, states and codes are stored as an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from ledger_node.core.errors import (
    ConflictError,
    LedgerError,
    MalformedInputError,
    UnavailableError,
)
from ledger_node.core.types import HASH_BYTES
from ledger_node.flows.node import Node
from ledger_node.ports.database import RowConflictError, Transaction
from ledger_node.ports.database_api import IdempotencyRow

LEASE: Final = timedelta(seconds=20)  # longer than any effect takes; a find waits 8 s
KEPT: Final = timedelta(hours=24)
KEY_SCHEME: Final = "idempotency-key"
REQUEST_SCHEME: Final = "idempotency-request"
_TOKEN_BYTES: Final = 16


class KeyReusedError(MalformedInputError):
    """The key was used for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "这个 Idempotency-Key 已用于另一个请求，请换一个。",
            "This Idempotency-Key was used for another request; take a new one.",
        )


class RequestInProgressError(ConflictError):
    """The same request is being worked on; `Retry-After` says when to ask again."""

    code = "request_in_progress"

    def __init__(self) -> None:
        super().__init__(
            "同一请求正在办理，请稍后再问。",
            "The same request is being worked on; ask again in a moment.",
        )


@dataclass(frozen=True, slots=True)
class KeyScope:
    """Whose key, on which route.

    Attributes:
        key: As the program chose it.
        request: Canonical bytes of the request body.
    """

    account_id: str
    route: str
    key: str
    request: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with, the first time and every time after."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a key.

    Attributes:
        row: As stored when it was claimed.
        resumed: Whether somebody worked on it before.
        worker: Token of this turn.
    """

    row: IdempotencyRow
    resumed: bool
    worker: bytes

    @property
    def effect_id(self) -> str:
        """Lower-case UUID the effect is named after; the same at every turn."""
        return str(UUID(bytes=self.row.effect_id, version=4))

    @property
    def effects(self) -> tuple[bytes, ...]:
        """Digests of what earlier turns committed, in order."""
        joined = self.row.effects
        return tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))

    def link(self, tx: Transaction, digest: bytes) -> None:
        """Note an effect in the commit that makes it.

        Raises:
            RequestInProgressError: Another worker took the key over; the commit must not happen.
        """
        if not tx.idempotency.add_effect(self.row.key_tag, self.worker, digest):
            raise RequestInProgressError


def run_once(node: Node, scope: KeyScope, act: Callable[[Claim], Answer]) -> Answer:
    """Do `act` once for this key and give its answer, now or as it was stored.

    A refusal is not stored: the key is free again unless something was committed under it, and
    what may or may not have happened is looked up by the next turn.

    Raises:
        KeyReusedError: Another request stands under the key.
        RequestInProgressError: Somebody works on it.
        LedgerError: Whatever `act` raises.
    """
    claimed = claim_key(node, scope)
    if isinstance(claimed, Answer):
        return claimed
    try:
        answer = act(claimed)
    except BaseException as error:
        _let_go(node, claimed, definite=_is_definite(error))
        raise
    with node.database.transaction() as tx:
        tx.idempotency.save_answer(claimed.row.key_tag, claimed.worker, answer.status, answer.body)
    return answer


def claim_key(node: Node, scope: KeyScope) -> Claim | Answer:
    """Claim a key, or find its answer."""
    key_tag = _compute_key_tag(node, scope)
    request_tag = node.keys.compute_index_tag(REQUEST_SCHEME, scope.request.hex())
    worker, now = node.entropy(_TOKEN_BYTES), node.clock.now()
    row = IdempotencyRow(
        key_tag,
        scope.account_id,
        scope.route,
        request_tag,
        node.entropy(_TOKEN_BYTES),
        b"",
        worker,
        now + LEASE,
        None,
        None,
        now,
        now + KEPT,
    )
    try:
        with node.database.transaction() as tx:
            tx.idempotency.save_key(row)
        return Claim(row, resumed=False, worker=worker)
    except RowConflictError:
        return _claim_stored(node, key_tag, request_tag, worker)


def drop_old_keys(node: Node) -> int:
    """Forget keys older than a day."""
    with node.database.transaction() as tx:
        return tx.idempotency.drop_keys_before(node.clock.now())


def _claim_stored(node: Node, key_tag: bytes, request_tag: bytes, worker: bytes) -> Claim | Answer:
    with node.database.transaction() as tx:
        row = tx.idempotency.find_key(key_tag)
        if row is None:  # it expired or was let go between the two transactions
            raise RequestInProgressError
        if row.request_tag != request_tag:
            raise KeyReusedError
        if row.status is not None and row.body is not None:
            return Answer(row.status, row.body)
        now = node.clock.now()
        if row.worker is not None and row.leased_until > now:
            raise RequestInProgressError
        if not tx.idempotency.take_over_key(row, worker, now + LEASE):
            raise RequestInProgressError
    return Claim(row, resumed=True, worker=worker)


def _let_go(node: Node, claim: Claim, *, definite: bool) -> None:
    """Leave the key to the next turn; forget it where nothing can have happened."""
    with node.database.transaction() as tx:
        if definite and not claim.resumed:
            tx.idempotency.drop_key(claim.row.key_tag, claim.worker)
        tx.idempotency.let_go_key(claim.row.key_tag, claim.worker)


def _is_definite(error: BaseException) -> bool:
    """Whether an error says that nothing was done; an outage leaves that open."""
    return isinstance(error, LedgerError) and not isinstance(error, UnavailableError)


def _compute_key_tag(node: Node, scope: KeyScope) -> bytes:
    """Lengths stand before the parts, so that no two scopes read alike."""
    parts = (scope.account_id, scope.route, scope.key)
    return node.keys.compute_index_tag(KEY_SCHEME, "".join(f"{len(part)}:{part}" for part in parts))
