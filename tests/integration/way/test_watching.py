"""Step 10 between real nodes: statuses, notices, and what a receiving city sees without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from ledger_node.core.case import CaseStage
from ledger_node.core.consequence import Action
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.message_key import MessageKeyId
from ledger_node.core.message_problem import MessageKeyUnknownError
from ledger_node.core.notice import (
    Notice,
    NoticeKind,
    build_successor_opening,
    encode_notice,
    verify_notice,
)
from ledger_node.core.shapes import Opening
from ledger_node.core.signed_body import SignedBodyError
from ledger_node.core.status import Standing
from ledger_node.core.types import Commitment, Salt
from ledger_node.flows import watching
from ledger_node.flows.affected import (
    AffectedRelease,
    encode_affected,
    list_affected,
    list_recalls,
)
from ledger_node.flows.granting import load_grant
from ledger_node.flows.node import Node
from ledger_node.flows.watching import (
    STATUS_KIND,
    MaterialStateError,
    NoticeContradictedError,
    NoticeUnconfirmedError,
    resume_watching,
    supersede,
    take_notice,
    withdraw,
)
from ledger_node.ports.database_cases import CaseRow
from ledger_node.ports.database_exchange import NoticeRow
from ledger_node.ports.keys import KeyRole
from ledger_node.ports.peers import PeerUnavailableError
from tests.integration.way.story import Way

pytestmark = [pytest.mark.integration]


class SilentPeers:
    """No city answers; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def send(self, city: str, *_: object, **__: object) -> None:
        self.asked += 1
        raise PeerUnavailableError(city, "silent")


def with_silent_peers(node: Node) -> tuple[Node, SilentPeers]:
    peers = SilentPeers()
    return replace(node, peers=cast(Any, peers)), peers


def sign_as(node: Node) -> tuple[MessageKeyId, Callable[[bytes], bytes]]:
    key_id = MessageKeyId(node.city, node.keys.public_key(KeyRole.MESSAGE))
    return key_id, lambda message: node.keys.sign(KeyRole.MESSAGE, message)


def notice_of(way: Way, commitment: Commitment, **changes: Any) -> Notice:
    fresh = Notice(
        way.issuer.city,
        way.issuer.generation,
        commitment,
        NoticeKind.WITHDRAWN,
        "issued-in-error",
        None,
        1_700_000_000,
    )
    return replace(fresh, **changes)


def notices_at(node: Node, direction: str, commitment: Commitment) -> list[NoticeRow]:
    with node.database.read() as tx:
        rows = tx.messages.list_notices(direction, undelivered_only=False)
    return [row for row in rows if row.commitment == commitment]


def sees_flag(way: Way, commitment: Commitment, kind: NoticeKind) -> bool:
    notice = notice_of(way, commitment, kind=kind)
    for node in (way.issuer, way.relier):
        with node.database.read() as tx:
            if watching._find_change(tx, notice, final_only=True) is None:
                return False
    return True


def affected_of(way: Way, digest: bytes) -> AffectedRelease | None:
    found = [each for each in list_affected(way.relier) if each.request_digest == digest]
    return found[0] if found else None


def test_withdraw_reaches_chain_then_the_city_that_received_it(way: Way) -> None:
    digest, material = way.stock["told"].digest, way.stock["told"].material
    commitment = material.commitment
    way.deliver()
    assert affected_of(way, digest) is None
    outbox_id = withdraw(way.issuer, material.material_id, "issued-in-error")
    assert withdraw(way.issuer, material.material_id, "issued-in-error") == outbox_id
    with way.issuer.database.read() as tx:
        assert tx.intake.load_material(material.material_id).state == "withdrawn"

    silent, peers = with_silent_peers(way.issuer)
    resume_watching(silent)  # nothing leaves before the status is final
    assert [row.city for row in notices_at(way.issuer, "outgoing", commitment)] == [way.issuer.city]
    assert peers.asked == 0
    way.settle(lambda: sees_flag(way, commitment, NoticeKind.WITHDRAWN))

    # The chain alone tells the receiving city, notice or not.
    affected = affected_of(way, digest)
    assert affected is not None
    (seen,) = affected.materials
    assert (seen.commitment, seen.standing, seen.notices) == (commitment, Standing.WITHDRAWN, ())

    assert resume_watching(silent) == 0  # a silent city keeps its notice
    assert peers.asked == 1
    undelivered = [
        row for row in notices_at(way.issuer, "outgoing", commitment) if not row.delivered
    ]
    assert [row.city for row in undelivered] == [way.relier.city]
    assert resume_watching(way.issuer) == 1
    assert resume_watching(way.issuer) == 0
    (taken,) = notices_at(way.relier, "incoming", commitment)
    notice = verify_notice(taken.body, way.issuer.city, lambda _: True)
    assert (notice.kind, notice.reason) == (NoticeKind.WITHDRAWN, "issued-in-error")
    affected = affected_of(way, digest)
    assert affected is not None
    assert affected.materials[0].notices == ("withdrawn",)
    encoded = cast(Any, encode_affected(affected))
    assert encoded["materials"][0]["standing"] == "withdrawn"
    # No case of this number here and nothing decided: the need is open again.
    assert (encoded["stage"], encoded["materials"][0]["action"]) == ("received", "ask")
    assert digest not in [each.request_digest for each in list_recalls(way.relier)]

    # A case of that number that was granted meanwhile: on the worklist, not handed over yet.
    opening = load_grant(way.relier, affected.grant_id).openings.case
    assert opening is not None
    number = cast(Any, opening.body)["number"]
    row = CaseRow(
        "of-affected", "own", number, None, None, None, None, "granted", "", 0,
        b"d" * 32, b"t" * 32, b"sealed", way.relier.clock.now(), way.relier.clock.now(),
    )  # fmt: skip
    with way.relier.database.transaction() as tx:
        tx.cases.save_case(row)
    (recalled,) = [each for each in list_recalls(way.relier) if each.request_digest == digest]
    assert recalled.stage is CaseStage.GRANTED
    assert recalled.materials[0].consequence.action is Action.STOP_DELIVERY

    # Taken again it changes nothing; the answer is the same.
    first = take_notice(way.relier, way.issuer.city, taken.body)
    assert take_notice(way.relier, way.issuer.city, taken.body) == first
    assert len(notices_at(way.relier, "incoming", commitment)) == 1


def test_registered_successor_is_told_by_the_loop_to_those_who_received_only(way: Way) -> None:
    digest, material = way.stock["renewed"].digest, way.stock["renewed"].material
    with pytest.raises(MaterialStateError):
        supersede(way.issuer, material.material_id)
    number = f"J510107-2020-{list(way.stock).index('renewed'):06}"
    successor = way.register(number, predecessor=material.material_id, attributes={"place": "武侯"})
    resume_watching(way.issuer)  # nobody calls `supersede`: the commit of the successor kept it
    with way.issuer.database.read() as tx:
        reference = f"{material.commitment.hex()}/{NoticeKind.SUPERSEDED.value}"
        told = tx.outbox.find_latest(STATUS_KIND, reference)
    assert told is not None
    assert supersede(way.issuer, material.material_id) == told.outbox_id
    way.settle(lambda: sees_flag(way, material.commitment, NoticeKind.SUPERSEDED))
    way.deliver()
    (taken,) = notices_at(way.relier, "incoming", material.commitment)
    notice = verify_notice(taken.body, way.issuer.city, lambda _: True)
    assert notice.successor is not None
    assert notice.successor.body == {"commitment": successor.commitment.hex()}
    affected = affected_of(way, digest)
    assert affected is not None
    assert affected.materials[0].standing is Standing.SUPERSEDED

    # Another successor than the one committed to on chain is refused.
    for forged in (
        build_successor_opening(notice.successor.salt, material.commitment),
        Opening(Salt(bytes(32)), notice.successor.body),
    ):
        body = encode_notice(replace(notice, successor=forged), *sign_as(way.issuer))
        with pytest.raises(NoticeContradictedError):
            take_notice(way.relier, way.issuer.city, body)


def test_take_notice_the_chain_does_not_confirm_is_refused(way: Way) -> None:
    commitment = way.stock["hidden"].material.commitment
    body = encode_notice(notice_of(way, commitment), *sign_as(way.issuer))
    with pytest.raises(NoticeUnconfirmedError):
        take_notice(way.relier, way.issuer.city, body)
    assert notices_at(way.relier, "incoming", commitment) == []


def test_take_notice_signed_by_anybody_else_is_refused(way: Way) -> None:
    notice = notice_of(way, way.stock["hidden"].material.commitment)
    own, foreign = sign_as(way.issuer), sign_as(way.relier)
    with pytest.raises(SignedBodyError):  # another member signed
        take_notice(way.relier, way.issuer.city, encode_notice(notice, *foreign))
    pretended = MessageKeyId(way.issuer.city, foreign[0].key)
    forged = encode_notice(notice, pretended, foreign[1])
    with pytest.raises(MessageKeyUnknownError):  # in the issuer's name, with another key
        take_notice(way.relier, way.issuer.city, forged)
    opening = Opening(Salt(bytes(32)), {})
    for lie in (
        replace(notice, issuer=way.relier.city),  # about a material of another city
        replace(notice, successor=opening),  # a successor where none belongs
    ):
        body = encode_notice(lie, *own)
        with pytest.raises(MalformedInputError):
            take_notice(way.relier, way.issuer.city, body)
    changed = encode_notice(notice, *own).replace(b"issued-in-error", b"issued-in-errar")
    with pytest.raises(SignedBodyError):
        take_notice(way.relier, way.issuer.city, changed)


def test_withdraw_reason_that_is_no_code_stores_nothing(way: Way) -> None:
    material = way.stock["hidden"].material
    with pytest.raises(MalformedInputError):
        withdraw(way.issuer, material.material_id, "张三 asked for it")
    assert notices_at(way.issuer, "outgoing", material.commitment) == []


def test_withdraw_while_being_erased_is_refused(way: Way) -> None:
    material = way.register("J510107-2021-000001")
    move(way, material.material_id, "registered", "erasing")
    with pytest.raises(MaterialStateError):
        withdraw(way.issuer, material.material_id, "issued-in-error")
    move(way, material.material_id, "erasing", "registered")


def move(way: Way, material_id: Any, before: str, after: str) -> None:
    with way.issuer.database.transaction() as tx:
        assert tx.intake.set_material_state(material_id, before, after)


def test_withdraw_state_moved_meanwhile_stores_nothing(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    material = way.register("J510107-2021-000002")
    real = watching._load_material

    def load_then_move(node: Node, material_id: Any) -> Any:
        stored = real(node, material_id)
        move(way, material_id, "registered", "erasing")
        return stored

    monkeypatch.setattr(watching, "_load_material", load_then_move)
    with pytest.raises(MaterialStateError):
        withdraw(way.issuer, material.material_id, "issued-in-error")
    with way.issuer.database.read() as tx:
        reference = f"{material.commitment.hex()}/withdrawn"
        assert tx.outbox.find_latest("status", reference) is None
    assert notices_at(way.issuer, "outgoing", material.commitment) == []
    move(way, material.material_id, "erasing", "registered")


def test_resume_watching_status_that_never_got_on_chain_is_sent_anew(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a transaction that failed finally: state and notice stand, the status does not."""
    material = way.register("J510107-2021-000003")

    def only_beside(node: Node, _: object, beside: Any) -> Any:
        with node.database.transaction() as tx:
            beside(tx, None)

        class Row:
            outbox_id = 0

        return Row

    with monkeypatch.context() as patched:
        patched.setattr(watching, "submit", only_beside)
        withdraw(way.issuer, material.material_id, "issued-in-error")
    way.deliver()
    assert sees_flag(way, material.commitment, NoticeKind.WITHDRAWN)
    (own,) = notices_at(way.issuer, "outgoing", material.commitment)  # nobody had received it
    assert own.delivered
