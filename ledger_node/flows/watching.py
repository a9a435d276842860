"""Step 10: what became of a material reaches the chain, and every city that received it.

The issuing city's side, and the taking of others' notices. Crash order: signed `setStatus`, state
of the material and the notice to be spread in one commit (of a succession the notice alone, in the
commit that registers the successor; the call follows) -> broadcast -> final -> one notice per
receiving city in one commit -> delivered. `resume_watching` is both the loop and the start.
Spec: docs/spec/notice.md.

Invariants:
    * No notice leaves before its status is final on chain, and none is taken that the chain does
      not confirm.
    * Each city gets each notice until it took it; taking it twice changes nothing.
Not here: what was received and is affected (affected.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ledger_node.core.anchor import TxState
from ledger_node.core.canonical import encode_canonical
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import (
    ConflictError,
    LedgerError,
    UnavailableError,
    VerificationError,
)
from ledger_node.core.event_types import ContractRole, KeyRole
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.notice import (
    Notice,
    NoticeKind,
    build_successor_opening,
    compute_notice_id,
    compute_successor_commitment,
    encode_notice,
    verify_notice,
)
from ledger_node.core.release import OutgoingState
from ledger_node.core.shapes import Opening, read_name
from ledger_node.core.types import HASH_BYTES, CityId, Commitment, MaterialId, Salt
from ledger_node.flows.facts import leaf_hash_of, load_chain_view
from ledger_node.flows.following import catch_up
from ledger_node.flows.halts import demand_no_halt
from ledger_node.flows.node import Node
from ledger_node.flows.outbox import ContractCall, submit
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import OutboxRow, StatusChange
from ledger_node.ports.database_exchange import NoticeRow
from ledger_node.ports.database_intake import StoredMaterial

INCOMING = "incoming"
OUTGOING = "outgoing"
NOTICE_PATH = "/peer/v1/notices"
STATUS_KIND = "status"
SEND_TIMEOUT_S = 3.0
_NEVER_GIVEN = (OutgoingState.REFUSED, OutgoingState.FAILED)


class MaterialStateError(ConflictError):
    """The material is not in a state from which this is possible.

    Fields: material_id, state.
    """

    code = "material_state"

    def __init__(self, material_id: MaterialId, state: str) -> None:
        super().__init__(
            f"材料 {material_id} 当前状态为 {state}，不能如此处理。",
            f"Material {material_id} is {state}; this is not possible now.",
            material_id=material_id,
            state=state,
        )


class NoticeUnconfirmedError(UnavailableError):
    """The chain, as far as it was followed, does not say what the notice says; try again."""

    code = "notice_unconfirmed"


class NoticeContradictedError(VerificationError):
    """The successor a notice names is not the one the chain commits to."""

    code = "notice_contradicted"


@dataclass(frozen=True, slots=True)
class _Change:
    """A status to be set: what of, which, and the notice that will say so."""

    stored: StoredMaterial
    notice: Notice
    state_after: str

    @property
    def reference(self) -> str:
        """How the outbox names it."""
        return _reference(self.notice)


def withdraw(node: Node, material_id: MaterialId, reason: str) -> int:
    """Withdraw a material; returns the outbox id of the status transaction. Idempotent.

    Effects: outbox row, state `withdrawn` and the notice to be spread in one commit -> broadcast.

    Args:
        reason: Code for those who relied on it; letters, digits, `. _ / -`, never a name.

    Raises:
        MaterialNotFoundError: No such material.
        MaterialStateError: It is being erased.
        UnexpectedShapeError: The reason is no code.
        ContractRevertError, LedgerHaltedError, UnavailableError: Not now, or the chain refuses.
    """
    read_name(reason, what="reason")
    stored = _load_material(node, material_id)
    if stored.state not in ("registered", "superseded", "withdrawn"):
        raise MaterialStateError(material_id, stored.state)
    notice = _build_notice(node, stored.row.commitment, NoticeKind.WITHDRAWN, reason)
    return _set_status(node, _Change(stored, notice, "withdrawn"))


def supersede(node: Node, material_id: MaterialId) -> int:
    """Say on chain that a registered successor took a material's place; returns the outbox id.

    The chain holds a salted commitment to the successor; only the notice opens it. Idempotent.

    Raises:
        MaterialNotFoundError: No such material.
        MaterialStateError: No successor is registered.
        ContractRevertError, LedgerHaltedError, UnavailableError: Not now, or the chain refuses.
    """
    stored = _load_material(node, material_id)
    if stored.successor is None or stored.state != "superseded":
        raise MaterialStateError(material_id, stored.state)
    notice_id = compute_notice_id(node.city, stored.row.commitment, NoticeKind.SUPERSEDED)
    with node.database.read() as tx:
        waiting = tx.messages.list_notices(OUTGOING, undelivered_only=True)
    own = [row for row in waiting if (row.notice_id, row.city) == (notice_id, node.city)]
    if own:
        return _announce(node, _read_own(node, own[0]))
    successor = _load_material(node, stored.successor)
    notice = _build_succession(node, stored.row.commitment, successor.row.commitment)
    return _set_status(node, _Change(stored, notice, "superseded"))


def build_succession(node: Node, before: Commitment, after: Commitment) -> NoticeRow:
    """The notice that a material took another's place, to be kept in the commit that registers it:
    `resume_watching` tells the chain, and once that is final every city that received it."""
    return _build_row(node, node.city, _build_succession(node, before, after))


def resume_watching(node: Node) -> int:
    """One turn: spread notices whose status is final, deliver what is not delivered.

    Effects: as in the module's crash order; returns how many were delivered. Idempotent; several
    processes may run it at once. A silent or refusing city is tried again at the next turn.

    Raises:
        LedgerHaltedError: A halt stands.
    """
    with node.database.read() as tx:
        demand_no_halt(tx)
        waiting = tx.messages.list_notices(OUTGOING, undelivered_only=True)
    for row in waiting:
        if row.city == node.city:
            _spread(node, row)
    with node.database.read() as tx:
        waiting = tx.messages.list_notices(OUTGOING, undelivered_only=True)
    delivered, silent = 0, {node.city}
    for row in waiting:
        if row.city in silent:
            continue
        if _deliver(node, row):
            delivered += 1
        else:
            silent.add(row.city)
    return delivered


def take_notice(node: Node, city: CityId, body: bytes) -> bytes:
    """Keep another city's notice once the chain confirms it; returns what was taken. Idempotent.

    Args:
        city: Whose message key signed the request.
        body: The signed notice.

    Raises:
        VerificationError, MalformedInputError: Not a notice of that city about its own material.
        NoticeUnconfirmedError: The chain does not say so (yet).
        NoticeContradictedError: The chain commits to another successor.
    """
    catch_up(node)
    with node.database.read() as tx:
        view = load_chain_view(tx)

        def is_message_key(key_id: MessageKeyId) -> bool:
            return view.current_key(key_id.city, KeyRole.MESSAGE) == key_id.key

        notice = verify_notice(body, city, is_message_key)
        _demand_confirmed(node, tx, notice)
    notice_id = compute_notice_id(notice.issuer, notice.commitment, notice.kind)
    row = NoticeRow(
        notice_id,
        INCOMING,
        city,
        notice.commitment,
        notice.kind.value,
        body,
        True,
        node.clock.now(),
    )
    with node.database.transaction() as tx:
        tx.messages.save_notice(row)
    return encode_canonical({"notice": notice_id.hex(), "taken": True})


def _demand_confirmed(node: Node, tx: Transaction, notice: Notice) -> None:
    change = _find_change(tx, notice, final_only=False)
    if change is None:
        raise NoticeUnconfirmedError(
            "链上尚无此状态，请稍后再发。", "The chain does not say so yet; send it again later."
        )
    expected = compute_successor_commitment(notice, node.domain)
    if expected is not None and change.successor != expected:
        raise NoticeContradictedError(
            "通知所称的后继材料与链上承诺不符。",
            "The successor named is not the one the chain commits to.",
        )


def _find_change(tx: Transaction, notice: Notice, *, final_only: bool) -> StatusChange | None:
    leaf_hash = leaf_hash_of(EntryKind.MATERIAL, notice.commitment)
    for change in tx.chain.list_statuses(notice.issuer, leaf_hash, final_only=final_only):
        if change.flag == notice.kind.flag:
            return change
    return None


def _load_material(node: Node, material_id: MaterialId) -> StoredMaterial:
    with node.database.read() as tx:
        return tx.intake.load_material(material_id)


def _build_succession(node: Node, before: Commitment, after: Commitment) -> Notice:
    opening = build_successor_opening(Salt(node.entropy(HASH_BYTES)), after)
    return _build_notice(node, before, NoticeKind.SUPERSEDED, "successor", opening)


def _build_notice(
    node: Node,
    commitment: Commitment,
    kind: NoticeKind,
    reason: str,
    opening: Opening | None = None,
) -> Notice:
    return Notice(
        node.city,
        node.generation,
        commitment,
        kind,
        reason,
        opening,
        int(node.clock.now().timestamp()),
    )


def _announce(node: Node, notice: Notice) -> int:
    """Status of a notice that stands already; one that is under way is returned."""
    with node.database.read() as tx:
        known = tx.outbox.find_latest(STATUS_KIND, _reference(notice))
    return (known or submit(node, _build_call(node, notice))).outbox_id


def _set_status(node: Node, change: _Change) -> int:
    """Status, state and notice in one commit; a status that is under way already is returned."""
    material_id, before = change.stored.row.material_id, change.stored.state
    with node.database.read() as tx:
        known = tx.outbox.find_latest(STATUS_KIND, change.reference)
    if known is not None:
        return known.outbox_id

    def beside(tx: Transaction, _: OutboxRow) -> None:
        if not tx.intake.set_material_state(material_id, before, change.state_after):
            raise MaterialStateError(material_id, before)
        if not tx.messages.save_notice(_build_row(node, node.city, change.notice)):
            raise MaterialStateError(material_id, change.state_after)

    return submit(node, _build_call(node, change.notice), beside).outbox_id


def _build_call(node: Node, notice: Notice) -> ContractCall:
    with node.database.read() as tx:
        demand_no_halt(tx)
        contract = load_chain_view(tx).contract(ContractRole.MATERIAL_STATUS)
    data = node.contracts.encode_set_status(
        leaf_hash_of(EntryKind.MATERIAL, notice.commitment),
        int(notice.kind.flag),
        compute_successor_commitment(notice, node.domain),
    )
    return ContractCall(KeyRole.GATE, contract, data, STATUS_KIND, _reference(notice))


def _build_row(node: Node, city: CityId, notice: Notice) -> NoticeRow:
    """Outgoing notice to a city; to this city itself it means: still to be spread."""
    return NoticeRow(
        compute_notice_id(notice.issuer, notice.commitment, notice.kind),
        OUTGOING,
        city,
        notice.commitment,
        notice.kind.value,
        encode_notice(notice, *_signer(node)),
        False,
        node.clock.now(),
    )


def _spread(node: Node, row: NoticeRow) -> None:
    """Once the status is final: one notice per city that received the material."""
    notice = _read_own(node, row)
    with node.database.read() as tx:
        final = _find_change(tx, notice, final_only=True) is not None
        seen = _find_change(tx, notice, final_only=False) is not None
        sent = tx.outbox.find_latest(STATUS_KIND, _reference(notice))
    if not final:
        if not seen and (sent is None or sent.state is TxState.FAILED):
            _try_again(node, notice)
        return
    with node.database.transaction() as tx:
        given = tx.releases.list_releases_of_material(notice.commitment)
        for city in {each.city for each in given if each.state not in _NEVER_GIVEN}:
            tx.messages.save_notice(_build_row(node, city, notice))
        tx.messages.mark_notice_delivered(row.notice_id, node.city)


def _try_again(node: Node, notice: Notice) -> None:
    """Not sent yet, or it failed finally: a new one; what the chain refuses waits for a person."""
    try:
        submit(node, _build_call(node, notice))
    except LedgerError as error:
        structlog.get_logger().warning("status_waits", city=node.city, code=error.code)


def _deliver(node: Node, row: NoticeRow) -> bool:
    """Send one notice under the present message key; False when the city did not take it."""
    body = encode_notice(_read_own(node, row), *_signer(node))
    try:
        node.peers.send(row.city, NOTICE_PATH, body, timeout_s=SEND_TIMEOUT_S)
    except LedgerError as error:
        structlog.get_logger().info("notice_waits", city=node.city, peer=row.city, code=error.code)
        return False
    with node.database.transaction() as tx:
        tx.messages.mark_notice_delivered(row.notice_id, row.city)
    return True


def _read_own(node: Node, row: NoticeRow) -> Notice:
    """A notice this city wrote, whichever of its keys signed it then."""
    return verify_notice(row.body, node.city, lambda _: True)


def _reference(notice: Notice) -> str:
    return f"{notice.commitment.hex()}/{notice.kind.value}"


def _signer(node: Node) -> tuple[MessageKeyId, Callable[[bytes], bytes]]:
    key_id = MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE))
    return key_id, lambda message: node.keys.sign(KeyRole.MESSAGE, message)
