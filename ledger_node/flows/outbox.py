"""Steps 4, 7, 8, 10 towards the chain: signed transactions, sent until they are final.

Crash order: simulate -> nonce handed out, signed bytes stored in the caller's transaction ->
broadcast -> observe. A crash after any of them is finished by `resume_outbox`, which is also the
loop. Spec: docs/spec/chain-following.md; states: core/anchor.py.

Invariants:
    * Bytes are stored before they are sent, and sent again as the same bytes.
    * A nonce is handed out by the database, in the transaction that stores what uses it.
    * A state moves by compare-and-swap; final states are final. A transaction that reverted
      finally is the owning flow's to try anew, as a new transaction.
    * A nonce that others used, or that the database does not know, latches a halt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from ledger_node.core.anchor import (
    FINAL_STATES,
    Finality,
    FinalityKind,
    TxEvent,
    TxState,
    compute_final_block,
    compute_next_state,
    decide_finality,
)
from ledger_node.core.event_types import KeyRole
from ledger_node.core.types import Address, BlockHash, BlockNumber
from ledger_node.flows.chain_node import (
    CHAIN_CONTRADICTION,
    CHAIN_HALTS,
    NONCE_AHEAD,
    NONCE_FOREIGN,
    SIGNING_HALTS,
    ChainNode,
    demand_none_of,
    latch,
)
from ledger_node.ports.chain import (
    BlockRef,
    ChainContradictionError,
    ChainUnavailableError,
    TransactionRefusedError,
    TxOutcome,
)
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import OutboxRow
from ledger_node.ports.keys import ACCOUNT_ROLES, KeyMissingError, TransactionFields

ROUND_LIMIT: Final = 1000
SEND_LIMIT: Final = 100
GAP_KIND: Final = "gap"
_POLL_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class ContractCall:
    """One call to be signed: which account, which contract, which bytes, and for what."""

    role: KeyRole
    to: Address
    data: bytes
    kind: str
    reference: str


@dataclass(frozen=True, slots=True)
class OutboxReport:
    """What one round did and left."""

    sent: int
    moved: int
    open: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look at the chain; nonces first, so that what they count is in the outcomes."""

    head: BlockRef
    final: BlockNumber | None
    finalized: BlockNumber | None
    nonces: dict[Address, int]
    outcomes: dict[bytes, TxOutcome]
    hashes: dict[BlockNumber, BlockHash]


def simulate(node: ChainNode, call: ContractCall) -> None:
    """Ask the contract whether it would take the call now.

    Raises:
        ContractRevertError: It would not; nothing is stored.
        ChainUnavailableError: Nobody knows.
    """
    node.chain.call(call.to, call.data, sender=node.keys.account(call.role))


def open_account(node: ChainNode, role: KeyRole) -> Address:
    """Make sure the account has a nonce row; its first nonce is the chain's."""
    account = node.keys.account(role)
    with node.database.read() as tx:
        known = dict(tx.outbox.list_accounts())
    if account not in known:
        first_nonce = node.chain.fetch_nonce(account)
        with node.database.transaction() as tx:
            tx.outbox.open_account(account, first_nonce)
    return account


def store_signed(node: ChainNode, tx: Transaction, call: ContractCall) -> OutboxRow:
    """Hand out the nonce, sign, and store the bytes in the caller's transaction.

    The account row stays locked until the transaction ends: keep it short, `open_account` and
    `simulate` come before it.

    Raises:
        LedgerHaltedError: The chain or the account's nonces are in doubt.
        NotFoundError: The account was not opened.
    """
    demand_none_of(tx, SIGNING_HALTS)
    account = node.keys.account(call.role)
    return _store(node, tx, call, tx.outbox.take_nonce(account))


def _store(node: ChainNode, tx: Transaction, call: ContractCall, nonce: int) -> OutboxRow:
    signed = node.keys.sign_transaction(
        call.role,
        TransactionFields(
            chain_id=node.profile.chain_id,
            nonce=nonce,
            to=call.to,
            data=call.data,
            gas=node.profile.gas_limit,
            gas_price_wei=node.profile.gas_price_wei,
        ),
    )
    row = OutboxRow(
        outbox_id=0,
        account=node.keys.account(call.role),
        nonce=nonce,
        kind=call.kind,
        reference=call.reference,
        raw=signed.raw,
        tx_hash=signed.tx_hash,
        state=TxState.SIGNED,
        block_number=None,
        block_hash=None,
        gas_used=None,
        attempts=0,
        sent_at=None,
        missing_since=None,
        problem=None,
        created_at=node.clock.now(),
    )
    return replace(row, outbox_id=tx.outbox.save_transaction(row))


def submit(
    node: ChainNode,
    call: ContractCall,
    beside: Callable[[Transaction, OutboxRow], None] | None = None,
) -> OutboxRow:
    """Simulate, store and broadcast one call; `beside` writes the caller's own rows in the same
    transaction, and stores nothing at all when it raises.

    Effects: outbox row and `beside`; broadcast. A crash between them is finished by
    `resume_outbox`.
    """
    open_account(node, call.role)
    simulate(node, call)
    with node.database.transaction() as tx:
        row = store_signed(node, tx, call)
        if beside is not None:
            beside(tx, row)
    broadcast(node, [row])
    return row


def broadcast(node: ChainNode, rows: Sequence[OutboxRow]) -> int:
    """Send signed bytes and note it; a silent endpoint leaves the rows for the next round.

    Returns:
        How many the endpoint took (or already knew).
    """
    taken = 0
    for start in range(0, len(rows), SEND_LIMIT):
        taken += _broadcast_some(node, rows[start : start + SEND_LIMIT])
    return taken


def _broadcast_some(node: ChainNode, rows: Sequence[OutboxRow]) -> int:
    try:
        node.chain.send_transactions([row.raw for row in rows])
    except ChainUnavailableError as error:
        _note_sent(node, rows, problem=error.message_en)
        return 0
    except TransactionRefusedError as error:
        if len(rows) == 1:
            _note_sent(node, rows, problem=error.message_en)
            return 0
        return sum(_broadcast_some(node, [row]) for row in rows)  # find out which one
    _note_sent(node, rows, problem=None)
    return len(rows)


def _note_sent(node: ChainNode, rows: Sequence[OutboxRow], problem: str | None) -> None:
    now = node.clock.now()
    with node.database.transaction() as tx:
        for row in rows:
            state = row.state
            if problem is None and state is TxState.SIGNED:
                state = compute_next_state(state, TxEvent.TX_SUBMITTED)
            after = replace(
                row, state=state, attempts=row.attempts + 1, sent_at=now, problem=problem
            )
            tx.outbox.advance_transaction(row, after)


def resume_outbox(node: ChainNode, limit: int = ROUND_LIMIT) -> OutboxReport:
    """One turn: look at the chain, move states, send what is not sent. The loop and the start.

    Effects: states by compare-and-swap; broadcasts; a halt when nonces contradict the database.
    Idempotent; several processes may run it at once.

    Raises:
        LedgerHaltedError: The chain cannot be trusted, or a nonce was used by others.
        ChainUnavailableError: Nothing was observed; nothing moved.
    """
    with node.database.read() as tx:
        demand_none_of(tx, CHAIN_HALTS)
        accounts = [account for account, _ in tx.outbox.list_accounts()]
        rows = tx.outbox.list_open(limit)
    if not accounts:
        return OutboxReport(0, 0, 0)
    seen = _look(node, accounts, rows)
    _demand_known_nonces(node, seen)
    pairs = [(row, _observe(node, row, seen)) for row in rows]
    moved = _move(node, pairs)
    foreign = [after for before, after in pairs if _is_foreign(before, after)]
    if foreign:
        raise latch(
            node, NONCE_FOREIGN, f"nonce {foreign[0].nonce} of 0x{foreign[0].account.hex()}"
        )
    waiting = [after for _, after in pairs if after.state is TxState.SIGNED]
    waiting += _fill_gaps(node, rows, seen)
    sent = broadcast(node, waiting)
    still_open = sum(after.state not in FINAL_STATES for _, after in pairs)
    return OutboxReport(sent, moved, still_open)


def _look(node: ChainNode, accounts: Iterable[Address], rows: Sequence[OutboxRow]) -> _Seen:
    chain, policy = node.chain, node.profile.finality
    try:
        head = chain.fetch_head()
    except ChainContradictionError as error:
        raise latch(node, CHAIN_CONTRADICTION, error.message_en) from error
    finalized = chain.fetch_finalized() if policy.kind is FinalityKind.FINALIZED else None
    finalized_number = None if finalized is None else finalized.number
    final = compute_final_block(policy, head.number, finalized_number)
    nonces = (
        {}
        if final is None
        else {account: chain.fetch_nonce(account, block=final) for account in accounts}
    )
    found = chain.fetch_outcomes([row.tx_hash for row in rows]) if rows else []
    outcomes = {bytes(item.tx_hash): item for item in found if item is not None}
    numbers = {item.block_number for item in outcomes.values()} | {
        row.block_number for row in rows if row.block_number is not None
    }
    blocks = chain.fetch_blocks(sorted(numbers)) if numbers else []
    hashes = {block.number: block.hash for block in blocks if block is not None}
    return _Seen(head, final, finalized_number, nonces, outcomes, hashes)


def _demand_known_nonces(node: ChainNode, seen: _Seen) -> None:
    """The database may be restored from before transactions that are on chain (or another
    program uses the key). Read after the chain: what is mined was stored before."""
    with node.database.read() as tx:
        accounts = dict(tx.outbox.list_accounts())
    for account, used in seen.nonces.items():
        if used > accounts[account]:
            raise latch(
                node,
                NONCE_AHEAD,
                f"the chain counts {used} transactions of 0x{account.hex()}, the database "
                f"{accounts[account]}: restored from a backup, or the key is used elsewhere",
            )


def _observe(node: ChainNode, row: OutboxRow, seen: _Seen) -> OutboxRow:
    """The row after this look; unchanged when nothing certain was seen."""
    if row.state is TxState.INCLUDED:
        row = _observe_block(node, row, seen)
    if row.state in (TxState.SIGNED, TxState.SUBMITTED):
        outcome = seen.outcomes.get(row.tx_hash)
        if outcome is None:
            return _observe_absence(node, row, seen)
        if seen.hashes.get(outcome.block_number) != outcome.block_hash:
            return row  # the endpoint contradicts itself: look again
        row = replace(
            row,
            state=compute_next_state(row.state, TxEvent.TX_INCLUDED),
            block_number=outcome.block_number,
            block_hash=outcome.block_hash,
            gas_used=outcome.gas_used,
            missing_since=None,
            problem=None,
        )
        return _observe_block(node, row, seen)
    return row


def _observe_block(node: ChainNode, row: OutboxRow, seen: _Seen) -> OutboxRow:
    """An included row: orphaned, waiting, or final."""
    if row.block_number is None or row.block_hash is None:
        return row
    hash_now = seen.hashes.get(row.block_number)
    if hash_now is None and row.block_number > seen.head.number:
        return row  # an endpoint that lags knows nothing about that block
    finality = decide_finality(
        node.profile.finality,
        row.block_number,
        row.block_hash,
        hash_now=hash_now,
        head=seen.head.number,
        finalized=seen.finalized,
    )
    if finality is Finality.ORPHANED:
        state = compute_next_state(row.state, TxEvent.BLOCK_ORPHANED)
        return replace(row, state=state, block_number=None, block_hash=None, gas_used=None)
    outcome = seen.outcomes.get(row.tx_hash)
    if finality is Finality.WAITING or outcome is None or outcome.block_hash != row.block_hash:
        return row
    event = TxEvent.FINALITY_REACHED if outcome.succeeded else TxEvent.REVERT_FINAL
    return replace(row, state=compute_next_state(row.state, event))


def _observe_absence(node: ChainNode, row: OutboxRow, seen: _Seen) -> OutboxRow:
    """In no block: its nonce is used finally by other bytes, or it was dropped, or it waits."""
    now = node.clock.now()
    if seen.nonces.get(row.account, 0) > row.nonce:
        if row.missing_since is None:
            return replace(row, missing_since=now)
        if now - row.missing_since < timedelta(seconds=node.profile.foreign_after_s):
            return row
        return replace(row, state=compute_next_state(row.state, TxEvent.NONCE_TAKEN_FINAL))
    overdue = row.sent_at is None or now - row.sent_at >= timedelta(
        seconds=node.profile.resend_after_s
    )
    if row.state is TxState.SUBMITTED and overdue:
        return replace(row, state=compute_next_state(row.state, TxEvent.TX_DROPPED))
    return row


def _move(node: ChainNode, pairs: Sequence[tuple[OutboxRow, OutboxRow]]) -> int:
    changed = [(before, after) for before, after in pairs if before != after]
    if not changed:
        return 0
    with node.database.transaction() as tx:
        return sum(tx.outbox.advance_transaction(before, after) for before, after in changed)


def _is_foreign(before: OutboxRow, after: OutboxRow) -> bool:
    return after.state is TxState.FAILED and after.block_hash is None and before != after


def _fill_gaps(node: ChainNode, rows: Sequence[OutboxRow], seen: _Seen) -> list[OutboxRow]:
    """A nonce without a row that the chain waits for, before rows that wait behind it, is used
    up by an empty transfer to the account itself."""
    filled = []
    for account, nonce in seen.nonces.items():
        role = _role_of(node, account)
        behind = any(row.account == account and row.nonce > nonce for row in rows)
        if role is None or not behind or node.chain.fetch_nonce(account) != nonce:
            continue  # nothing waits, or the nonce is used in a block that is not final yet
        with node.database.transaction() as tx:
            if nonce not in tx.outbox.list_nonces(account, nonce)[:1]:
                call = ContractCall(role, account, b"", GAP_KIND, str(nonce))
                filled.append(_store(node, tx, call, nonce))
    return filled


def _role_of(node: ChainNode, account: Address) -> KeyRole | None:
    for role in ACCOUNT_ROLES:
        try:
            if node.keys.account(role) == account:
                return role
        except KeyMissingError:
            continue
    return None


def load_transaction(node: ChainNode, outbox_id: int) -> OutboxRow:
    """A row as it stands."""
    with node.database.read() as tx:
        return tx.outbox.load_transaction(outbox_id)


def wait_until_final(node: ChainNode, outbox_id: int, timeout_s: float) -> OutboxRow:
    """Run rounds until a transaction is final or the time is over; returns it as it stands.

    Unavailability of the endpoint is waited out.
    """
    ends_s = node.clock.monotonic_s() + timeout_s
    while True:
        row = load_transaction(node, outbox_id)
        if row.state in FINAL_STATES or node.clock.monotonic_s() >= ends_s:
            return row
        try:
            resume_outbox(node)
        except ChainUnavailableError:
            pass
        else:
            row = load_transaction(node, outbox_id)
            if row.state in FINAL_STATES:
                return row
        node.clock.sleep(_POLL_S)


def adopt_chain_nonce(node: ChainNode, role: KeyRole, by: str) -> int:
    """A person decided, after a restore, that the account goes on at the chain's nonce.

    Effects: next nonce raised to the chain's; the halt cleared in that person's name.
    """
    account = node.keys.account(role)
    used = node.chain.fetch_nonce(account)
    with node.database.transaction() as tx:
        before = dict(tx.outbox.list_accounts()).get(account, 0)
        if used > before:
            tx.outbox.adopt_nonce(account, before, used)
        tx.log.clear_halt(NONCE_AHEAD, by, node.clock.now())
    return max(used, before)
