"""Behaviour of grant, release and receipt between two real nodes, mostly where things go wrong."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger_node.core.derivation import derive_document_secret
from ledger_node.core.errors import LedgerError
from ledger_node.core.refusal import ChainStaleError
from ledger_node.core.release import compute_request_digest
from ledger_node.core.release_fetch import encode_answer_fetch, parse_release_status
from ledger_node.core.signed_head import SignedHead
from ledger_node.core.types import GrantId
from ledger_node.flows import releasing
from ledger_node.flows.finding import find_materials
from ledger_node.flows.following import resume_following
from ledger_node.flows.granting import NotRecordingCityError, record_grant, revoke_grant
from ledger_node.flows.materials import load_material_by_commitment
from ledger_node.flows.node import Limits, Node
from ledger_node.flows.outbox import resume_outbox
from ledger_node.flows.receiving import (
    ACKNOWLEDGEMENT_PATH,
    ANSWER_PATH,
    DOCUMENT_PATH,
    RELEASE_PATH,
    ReleaseNotCompleteError,
    open_document,
    prepare_release,
    pursue_release,
)
from ledger_node.flows.records import open_record, seal_record
from ledger_node.ports.chain import ContractRevertError
from ledger_node.ports.database_exchange import GrantRow, ReleaseRow
from ledger_node.ports.peers import PeerRefusedError
from tests.support.consortium import Consortium, running_consortium
from tests.support.stock import (
    ISSUER,
    RELIER,
    Stock,
    ask_for,
    consent,
    make_stock,
    paper_of,
    prepare,
)

pytestmark = pytest.mark.integration

HEAD = SignedHead("http://127.0.0.1:1", RELEASE_PATH, {})


@pytest.fixture(scope="module")
def stock() -> Stock:
    return make_stock()


@pytest.fixture(scope="module")
def consortium(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    path = tmp_path_factory.mktemp("steps")
    with running_consortium(stock.template, path, (ISSUER, RELIER)) as running:
        running.pass_time(1)  # a block of today: the stock may be old
        yield running


@pytest.fixture(scope="module")
def issuer(consortium: Consortium) -> Node:
    return consortium[ISSUER].node


@pytest.fixture(scope="module")
def relier(consortium: Consortium) -> Node:
    return consortium[RELIER].node


@pytest.fixture
def grant(consortium: Consortium, stock: Stock) -> Callable[..., GrantId]:
    """Consent, recorded and followed by both cities."""

    def make(**changes: Any) -> GrantId:
        grant_id = consent(consortium[RELIER].node, stock, **changes)
        record_grant(consortium[RELIER].node, grant_id)
        consortium.settle(lambda: all(sees(consortium[s].node, grant_id) for s in (ISSUER, RELIER)))
        return grant_id

    return make


def sees(node: Node, grant_id: GrantId) -> bool:
    with node.database.read() as tx:
        return tx.chain.find_grant(grant_id) is not None


def settle(consortium: Consortium, done: Callable[[], object]) -> None:
    """Turn Wuhou, and Mianyang without its receiving loop, which the tests drive themselves."""
    relier = consortium[RELIER].node

    def turned() -> object:
        resume_following(relier)
        resume_outbox(relier)
        return done()

    consortium.settle(turned, (ISSUER,))


def pursue_to(consortium: Consortium, digest: bytes, *states: str) -> ReleaseRow:
    """Turn both cities until the release to Mianyang is in one of the states."""
    node = consortium[RELIER].node
    rows: list[ReleaseRow] = []

    def done() -> bool:
        rows[:] = [pursue_release(node, digest)]
        return rows[0].state in states

    settle(consortium, done)
    return rows[0]


class Tampering:
    """Peers of Mianyang, with something done before a message of one path is sent."""

    def __init__(self, peers: Any, path: str, before: Callable[[], None]) -> None:
        self._peers, self._path, self._before = peers, path, before

    def send(self, city: str, path: str, body: bytes, **options: Any) -> Any:
        if path == self._path:
            self._before()
        return self._peers.send(city, path, body, **options)

    def fetch_blob(self, city: str, path: str, body: bytes, **options: Any) -> Any:
        if path == self._path:
            self._before()
        return self._peers.fetch_blob(city, path, body, **options)


def test_find_answers_all_materials_of_the_person_and_both_cities_log_it(
    consortium: Consortium, stock: Stock, issuer: Node, relier: Node
) -> None:
    before = [count_finds(issuer, "answered"), count_finds(relier, "made")]
    (outcome,) = find_materials(relier, [consent(relier, stock)], "my-registrar-01")
    assert outcome.outcome == "answered"
    assert {each.commitment for each in outcome.candidates} == set(stock.materials)
    after = [count_finds(issuer, "answered"), count_finds(relier, "made")]
    assert after == [count + 1 for count in before]


def test_find_above_the_daily_limit_is_silence_and_below_is_answered(
    consortium: Consortium, stock: Stock, issuer: Node, relier: Node
) -> None:
    grant_id = consent(relier, stock)
    with limits(consortium, Limits(finds_per_city_per_day=0)):
        (outcome,) = find_materials(relier, [grant_id], "my-registrar-01")
        assert outcome.outcome == "silent"
        assert outcome.candidates == ()
    (outcome,) = find_materials(relier, [grant_id], "my-registrar-01")
    assert outcome.outcome == "answered"


def test_record_grant_by_another_city_is_refused(
    consortium: Consortium, stock: Stock, issuer: Node, relier: Node
) -> None:
    grant_id = consent(relier, stock)
    with relier.database.read() as tx:
        row: GrantRow = tx.grants.load_grant(grant_id)
    with issuer.database.transaction() as tx:
        tx.grants.save_grant(reseal(row, relier, issuer))
    with pytest.raises(NotRecordingCityError):
        record_grant(issuer, grant_id)
    assert record_grant(relier, grant_id) == record_grant(relier, grant_id)


def test_release_before_and_after_recording(
    consortium: Consortium, stock: Stock, relier: Node, grant: Callable[..., GrantId]
) -> None:
    unrecorded = consent(relier, stock)
    row = pursue_to(consortium, prepare(relier, unrecorded, stock.materials[0]), "refused")
    assert row.problem_code == "grant_missing"
    digest = prepare(relier, grant(), stock.materials[0])
    assert pursue_to(consortium, digest, "acknowledged").problem_code is None


def test_release_of_an_unknown_material_is_refused_and_with_a_known_one_it_is_left_out(
    consortium: Consortium, stock: Stock, relier: Node, grant: Callable[..., GrantId]
) -> None:
    grant_id = grant(uses=2)
    unknown = type(stock.materials[0])(b"\x5a" * 32)
    row = pursue_to(consortium, prepare(relier, grant_id, unknown), "refused")
    assert row.problem_code == "material_not_available"
    both = prepare(relier, grant_id, stock.materials[0], unknown)
    assert pursue_to(consortium, both, "acknowledged").problem_code is None


def test_release_of_a_field_nobody_granted_is_refused_whole(
    consortium: Consortium, stock: Stock, relier: Node, grant: Callable[..., GrantId]
) -> None:
    grant_id = grant()
    asked = ask_for(stock.materials[0])
    more = replace(asked, positions=tuple(sorted({*asked.positions, asked.positions[-1] + 1})))
    digest = releasing_request(relier, grant_id, more)
    row = pursue_to(consortium, digest, "refused")
    assert row.problem_code == "not_granted"
    digest = releasing_request(relier, grant_id, asked)
    assert pursue_to(consortium, digest, "acknowledged").problem_code is None


def test_open_document_gives_the_registered_bytes_only_when_complete(
    consortium: Consortium,
    stock: Stock,
    relier: Node,
    grant: Callable[..., GrantId],
    tmp_path: Path,
) -> None:
    material, target = stock.materials[3], tmp_path / "opened.pdf"
    digest = prepare(relier, grant(), material)
    with pytest.raises(ReleaseNotCompleteError):
        open_document(relier, digest, material, 0, target)
    pursue_to(consortium, digest, "acknowledged")
    open_document(relier, digest, material, 0, target)
    assert target.read_bytes() == paper_of(3)
    with pytest.raises(ReleaseNotCompleteError):
        open_document(relier, digest, material, 1, tmp_path / "other")


def test_document_swapped_at_the_issuer_ends_rejected(
    consortium: Consortium,
    stock: Stock,
    issuer: Node,
    relier: Node,
    grant: Callable[..., GrantId],
) -> None:
    """Sealed under the right identity and served at the address it has, but not what was logged."""
    material = stock.materials[5]
    opened = load_material_by_commitment(issuer, material)
    secret = derive_document_secret(opened.key, 0)
    forged = issuer.sealer.seal(issuer.documents, secret, io.BytesIO(b"%PDF-1.7 another paper"))
    issuer.documents.sync()
    grant_id = grant(uses=2)

    class Swapping:
        """Wuhou's database with another address for the document of one material."""

        def read(self) -> Any:
            return self._swapped(issuer.database.read())

        def transaction(self) -> Any:
            return issuer.database.transaction()

        @contextmanager
        def _swapped(self, reading: Any) -> Iterator[Any]:
            with reading as tx:
                find = tx.intake.find_material_by_commitment

                def find_swapped(commitment: Any) -> Any:
                    found = find(commitment)
                    row = found.row
                    document = replace(
                        row.documents[0], address=forged.address, sealed_bytes=forged.sealed_bytes
                    )
                    return replace(found, row=replace(row, documents=(document,)))

                tx.intake.find_material_by_commitment = find_swapped
                yield tx

    digest = prepare(relier, grant_id, material)
    swapping = replace(issuer, database=Swapping())
    releasing.accept_request(swapping, relier.city, request_bytes(relier, digest), HEAD)
    row = pursue_to(consortium, digest, "rejected")
    assert row.problem_code == "digest_mismatch"
    honest = prepare(relier, grant_id, material)
    assert pursue_to(consortium, honest, "acknowledged").problem_code is None


def test_accept_request_twice_at_once_is_one_release(
    consortium: Consortium,
    stock: Stock,
    issuer: Node,
    relier: Node,
    grant: Callable[..., GrantId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Command line and node of the receiving city may pursue the same release."""
    digest = prepare(relier, grant(), stock.materials[0])
    body = request_bytes(relier, digest)
    both_decided = threading.Barrier(2, timeout=20)
    build = releasing.build_answer

    def build_together(*args: Any) -> Any:
        built = build(*args)
        both_decided.wait()
        return built

    monkeypatch.setattr(releasing, "build_answer", build_together)
    failures: list[LedgerError] = []

    def accept() -> None:
        try:
            releasing.accept_request(issuer, relier.city, body, HEAD)
        except LedgerError as error:
            failures.append(error)

    threads = [threading.Thread(target=accept) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    monkeypatch.undo()
    assert pursue_to(consortium, digest, "acknowledged").problem_code is None
    assert count_uses(issuer, digest) == 1


def test_accept_request_decided_after_its_twin_used_the_grant_up_is_that_release(
    consortium: Consortium,
    stock: Stock,
    issuer: Node,
    relier: Node,
    grant: Callable[..., GrantId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest = prepare(relier, grant(), stock.materials[0])
    body = request_bytes(relier, digest)
    decide = releasing.decide_request

    def decide_late(*args: Any) -> Any:
        monkeypatch.setattr(releasing, "decide_request", decide)
        assert pursue_to(consortium, digest, "acknowledged").problem_code is None
        return decide(*args)

    monkeypatch.setattr(releasing, "decide_request", decide_late)
    given = releasing.accept_request(issuer, relier.city, body, HEAD)
    assert parse_release_status(given).request_digest == digest
    assert count_uses(issuer, digest) == 1


def test_sign_consume_waits_while_head_and_clock_differ(
    consortium: Consortium,
    stock: Stock,
    issuer: Node,
    relier: Node,
    grant: Callable[..., GrantId],
) -> None:
    grant_id = grant()
    digest = prepare(relier, grant_id, stock.materials[0])
    body = request_bytes(relier, digest)
    shifted = replace(issuer, clock=ShiftedClock(issuer.clock, 40))
    with pytest.raises(ChainStaleError):
        releasing.accept_request(shifted, relier.city, body, HEAD)
    assert pursue_to(consortium, digest, "acknowledged").problem_code is None


def test_answer_is_not_given_before_its_permit_is_final(
    consortium: Consortium,
    stock: Stock,
    issuer: Node,
    relier: Node,
    grant: Callable[..., GrantId],
) -> None:
    digest = prepare(relier, grant(), stock.materials[0])
    body = request_bytes(relier, digest)
    consortium.ask("evm_setAutomine", False)
    try:
        releasing.accept_request(issuer, relier.city, body, HEAD)
        resume_outbox(issuer)
        fetch = encode_answer_fetch(digest)
        status, given = releasing.hand_over_answer(issuer, relier.city, fetch)
    finally:
        consortium.ask("evm_setAutomine", True)
        consortium.ask("evm_mine")
    assert (status, parse_release_status(given).request_digest) == (202, digest)
    assert pursue_to(consortium, digest, "acknowledged").problem_code is None


def test_consume_refused_on_chain_says_why_once_that_is_followed(
    consortium: Consortium,
    stock: Stock,
    issuer: Node,
    relier: Node,
    grant: Callable[..., GrantId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The outbox sees a revert at once; the reason comes with the followed events."""
    grant_id = grant()
    late = prepare(relier, grant_id, stock.materials[0])
    other = prepare(relier, grant_id, stock.materials[1])
    monkeypatch.setattr(releasing, "catch_up", lambda node: None)
    monkeypatch.setattr("ledger_node.flows.outbox.simulate", lambda node, call: None)
    for digest in (other, late):  # the second of two that both simulated well
        releasing.accept_request(issuer, relier.city, request_bytes(relier, digest), HEAD)
    resume_outbox(issuer)
    releasing.resume_releasing(issuer)
    assert state_at(issuer, late) in ("consume_signed", "submitted")
    monkeypatch.undo()
    assert pursue_to(consortium, late, "refused").problem_code == "grant_used_up"
    assert pursue_to(consortium, other, "acknowledged").problem_code is None


@pytest.mark.parametrize("path", [RELEASE_PATH, ANSWER_PATH, DOCUMENT_PATH])
def test_release_revoked_on_its_way_ends_refused(
    consortium: Consortium,
    stock: Stock,
    issuer: Node,
    relier: Node,
    grant: Callable[..., GrantId],
    path: str,
) -> None:
    grant_id = grant()
    which = 4 if path == DOCUMENT_PATH else 0  # a document that Mianyang does not hold yet
    digest = prepare(relier, grant_id, stock.materials[which])

    def revoke() -> None:
        if not is_revoked(issuer, grant_id):
            revoke_grant(relier, grant_id)
            settle(consortium, lambda: is_revoked(issuer, grant_id))

    node = replace(relier, peers=Tampering(relier.peers, path, revoke))
    rows: list[ReleaseRow] = []

    def done() -> bool:
        rows[:] = [pursue_release(node, digest)]
        return rows[0].state in ("refused", "rejected", "acknowledged")

    settle(consortium, done)
    assert (rows[0].state, rows[0].problem_code) == ("refused", "grant_revoked")
    with pytest.raises(ContractRevertError):
        revoke_grant(relier, grant_id)


def test_refused_acknowledgement_does_not_stop_the_city_and_is_sent_again(
    consortium: Consortium, stock: Stock, relier: Node, grant: Callable[..., GrantId]
) -> None:
    refuse = [True]

    def before() -> None:
        if refuse:
            raise PeerRefusedError(consortium[ISSUER].node.city, 422, "no_thanks", "不", "no")

    digest = prepare(relier, grant(), stock.materials[0])
    node = replace(relier, peers=Tampering(relier.peers, ACKNOWLEDGEMENT_PATH, before))
    settle(consortium, lambda: pursue_release(node, digest).state == "complete")
    assert pursue_release(node, digest).state == "complete"
    refuse.clear()
    assert pursue_release(node, digest).state == "acknowledged"


def test_acknowledgement_that_races_with_the_end_of_the_window_is_kept(
    consortium: Consortium,
    stock: Stock,
    issuer: Node,
    relier: Node,
    grant: Callable[..., GrantId],
) -> None:
    """The loop closes the release between the acknowledgement's check and its commit."""
    grant_id = grant()
    digest = prepare(relier, grant_id, stock.materials[0])
    taken: list[bytes] = []

    def hold_back() -> None:
        raise PeerRefusedError(issuer.city, 503, "later", "稍后", "later")

    held = replace(relier, peers=Tampering(relier.peers, ACKNOWLEDGEMENT_PATH, hold_back))
    settle(consortium, lambda: pursue_release(held, digest).state == "complete")
    revoke_grant(relier, grant_id)

    class ClosingDatabase:
        """Lets the releasing loop run just before the first commit."""

        def transaction(self) -> Any:
            if not taken:
                taken.append(b"")
                settle(consortium, lambda: state_at(issuer, digest) == "closed")
            return issuer.database.transaction()

        def read(self) -> Any:
            return issuer.database.read()

    word = acknowledgement_of(relier, digest)
    raced = replace(issuer, database=ClosingDatabase())
    releasing.take_acknowledgement(raced, relier.city, word)
    assert taken
    assert state_at(issuer, digest) == "acknowledged"
    with issuer.database.read() as tx:
        row = tx.releases.load_release(digest, "outgoing")
    assert (row.answer, row.acknowledgement) == (None, word)


def count_finds(node: Node, direction: str) -> int:
    with node.database.read() as tx:
        return len(tx.finds.list_finds(direction, 1000))


def count_uses(node: Node, digest: bytes) -> int:
    with node.database.read() as tx:
        row = tx.releases.load_release(digest, "outgoing")
        grant = tx.chain.find_grant(row.grant_id)
    assert grant is not None
    return grant.uses - grant.uses_left


def is_revoked(node: Node, grant_id: GrantId) -> bool:
    with node.database.read() as tx:
        return tx.chain.find_revocation(grant_id) is not None


def state_at(node: Node, digest: bytes) -> str:
    with node.database.read() as tx:
        return str(tx.releases.load_release(digest, "outgoing").state)


def request_bytes(node: Node, digest: bytes) -> bytes:
    """The stored request, opened."""
    with node.database.read() as tx:
        row = tx.releases.load_release(digest, "incoming")
    body = open_record(node, f"release/{digest.hex()}", "request", row.request)
    assert compute_request_digest(body) == digest
    return body


def acknowledgement_of(relier: Node, digest: bytes) -> bytes:
    """The acknowledgement Mianyang would send."""
    sent: list[bytes] = []

    class Listening:
        def send(self, city: str, path: str, body: bytes, **_: Any) -> Any:
            sent.append(body)
            raise PeerRefusedError(city, 503, "later", "稍后", "later")

    pursue_release(replace(relier, peers=Listening()), digest)
    return sent[0]


def releasing_request(node: Node, grant_id: GrantId, asked: Any) -> bytes:
    return prepare_release(node, grant_id, [asked], "my-registrar-01")


def reseal(row: GrantRow, owner: Node, thief: Node) -> GrantRow:
    name = f"grant/{row.grant_id.hex()}"
    evidence = open_record(owner, name, "evidence", row.sealed_evidence)
    openings = open_record(owner, name, "openings", row.sealed_openings)
    return replace(
        row,
        sealed_evidence=seal_record(thief, name, "evidence", evidence),
        sealed_openings=seal_record(thief, name, "openings", openings),
        outbox_id=None,
    )


class ShiftedClock:
    """A clock that is wrong by some seconds."""

    def __init__(self, clock: Any, seconds: int) -> None:
        self._clock, self._shift = clock, timedelta(seconds=seconds)

    def now(self) -> Any:
        return self._clock.now() + self._shift

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)


@contextmanager
def limits(consortium: Consortium, changed: Limits) -> Iterator[None]:
    """Wuhou's running application with other limits."""
    runtime = consortium[ISSUER]
    node = runtime.node
    try:
        object.__setattr__(runtime, "node", replace(node, limits=changed))
        yield
    finally:
        object.__setattr__(runtime, "node", node)
