"""Registration receipts: pending at first, sealed once a final anchor covers the entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import rlp

from ledger_node.core.canonical import encode_canonical
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.event_types import CheckpointAnchored, Position
from ledger_node.core.merkle import RootMismatchError, TreeHead, hash_leaf, verify_inclusion
from ledger_node.core.place import place_index
from ledger_node.core.receipt import ReceiptFile, verify_receipt_signature
from ledger_node.core.receipt_chain import ChainEvidence, LogEvidence, encode_chain_evidence
from ledger_node.core.receipt_registration import RegistrationBody, read_registration_body
from ledger_node.core.receipt_v1 import encode_receipt_v1, parse_receipt_v1
from ledger_node.core.signed_note import VerifierKey
from ledger_node.core.statement import verify_showing
from ledger_node.core.tlog_proof import TlogProofEntryError, verify_tlog_proof
from ledger_node.core.types import Address, BlockHash, BlockNumber, RootHash, TxHash
from ledger_node.flows.exporting import build_tlog_proof
from ledger_node.flows.facts import NotYetAnchoredError
from ledger_node.flows.intake import IntakeQueue, register
from ledger_node.flows.node import Node
from ledger_node.flows.proving import resume_proving
from ledger_node.flows.receipts import build_registration_receipt
from ledger_node.flows.sequencing import open_log, run_sequencing_round
from ledger_node.ports.chain import BlockRef, ChainContradictionError, RawLog
from ledger_node.ports.database_chain import ChainPins, FollowedBatch, FollowedTip
from ledger_node.ports.database_proofs import ProofKind, ProofRow
from ledger_node.ports.keys import KeyRole
from tests.fakes.fake_chain import FakeChain
from tests.integration.city import file_of, submission
from tests.reference.blocks import recorded_fields

pytestmark = pytest.mark.integration
CITY_LOG = Address(b"\x0c" * 20)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def anchor(city: Node, head: TreeHead, *, block: int, final: int) -> Position:
    """Take in a block in which `CityLog` said that it holds `head`."""
    position = Position(
        block_number=BlockNumber(block),
        log_index=0,
        tx_hash=TxHash(b"\x01" * 32),
        block_hash=BlockHash(b"\x02" * 32),
        block_timestamp_s=1_790_000_000,
        address=CITY_LOG,
    )
    pins = ChainPins(31337, BlockHash(b"\x00" * 32), Address(b"\x0a" * 20), BlockNumber(block))
    start = FollowedTip(
        number=BlockNumber(block - 1),
        hash=BlockHash(b"\x03" * 32),
        block_timestamp_s=1_789_999_999,
        final_number=BlockNumber(final - 1),
        head_number=BlockNumber(block),
        head_timestamp_s=1_790_000_000,
        observed_at=NOW,
        pins_checked_at=None,
    )
    tip = replace(
        start,
        number=BlockNumber(block),
        hash=position.block_hash,
        block_timestamp_s=position.block_timestamp_s,
        final_number=BlockNumber(final),
    )
    batch = FollowedBatch(
        [BlockRef(BlockNumber(block), position.block_hash, start.hash, 1_790_000_000)],
        [RawLog(CITY_LOG, (), b"", BlockNumber(block), position.block_hash, position.tx_hash, 0)],
        [CheckpointAnchored(position, city.city, 0, head.size, head.root)],
        tip,
    )
    with city.database.transaction() as tx:
        tx.chain.open_following(pins, start)
        tx.chain.take_in(start, batch)
    return position


@pytest.fixture
def city(city: Node) -> Node:
    """The city, with a chain that proves nothing."""
    return replace(city, chain=FakeChain())


def keep_proof(city: Node, position: Position) -> None:
    """What the worker takes of an anchor; here the log is the third of the first transaction."""
    log = LogEvidence(position.block_number, 0, 2, (b"\xc0",))
    header: bytes = rlp.encode(recorded_fields()[1])
    evidence = encode_canonical(encode_chain_evidence(ChainEvidence((header,), (log,), ())))
    with city.database.transaction() as tx:
        tx.proofs.save_proof(
            ProofRow(position.block_number, 0, ProofKind.LOG, position.block_hash, evidence)
        )


def reread(receipt: ReceiptFile) -> tuple[ReceiptFile, RegistrationBody]:
    """As the holder reads it: parsed from its bytes, signature checked."""
    parsed = parse_receipt_v1(encode_receipt_v1(receipt))
    verify_receipt_signature(parsed)
    return parsed, read_registration_body(parsed.body)


def test_build_registration_receipt_before_the_anchor_is_pending_and_shows_only_digests(
    city: Node, queue: IntakeQueue
) -> None:
    open_log(city)
    done = register(city, queue, submission(1, file_of(b"a"), file_of(b"b")))
    for _ in range(2):
        parsed, body = reread(build_registration_receipt(city, done.material_id))
        assert parsed.seal is None
        assert (body.receipt_id, body.commitment) == (done.material_id, done.commitment)
        showing = verify_showing(city.origin, body.commitment, body.digests, body.disclosed)
        assert set(showing.values) == {"document.0", "document.1"}
        run_sequencing_round(city)  # sequenced and published is still pending


def test_build_registration_receipt_after_a_final_anchor_carries_proof_and_facts(
    city: Node, queue: IntakeQueue
) -> None:
    open_log(city)
    ids = [register(city, queue, submission(n)).material_id for n in range(5)]
    head = run_sequencing_round(city).head
    register(city, queue, submission(7))
    run_sequencing_round(city)
    position = anchor(city, head, block=3, final=3)
    assert build_registration_receipt(city, ids[0]).seal is None  # nobody says its place yet
    keep_proof(city, position)
    place = replace(position, tx_hash=TxHash(b""), log_index=place_index(0, 2))
    for index, material_id in enumerate(ids):
        parsed, body = reread(build_registration_receipt(city, material_id))
        assert parsed.seal is not None
        placement = parsed.seal.placement
        assert (placement.leaf_index, placement.tree_head) == (index, head)
        assert parsed.seal.anchored == place
        assert parsed.chain is not None
        assert [log.log for log in parsed.chain.logs] == [2]
        verify_inclusion(hash_leaf(body.entry), placement.leaf_index, placement.proof, head)


class OtherChain(FakeChain):
    """Answers the header of another block than the one that was followed."""

    def fetch_header(self, number: BlockNumber) -> bytes:
        header: bytes = rlp.encode(recorded_fields()[1])
        return header


def test_prove_log_under_a_header_that_was_not_followed_is_a_contradiction(
    city: Node, queue: IntakeQueue
) -> None:
    open_log(city)
    register(city, queue, submission(1))
    anchor(city, run_sequencing_round(city).head, block=3, final=3)
    node = replace(city, chain=OtherChain())
    with pytest.raises(ChainContradictionError):
        resume_proving(node)
    with city.database.read() as tx:
        assert len(tx.proofs.list_unproven_anchors(9)) == 1


def test_build_tlog_proof_of_an_anchored_material_verifies_with_the_checkpoint_key(
    city: Node, queue: IntakeQueue
) -> None:
    open_log(city)
    first, second = (register(city, queue, submission(n)) for n in range(2))
    with pytest.raises(NotYetAnchoredError):
        build_tlog_proof(city, second.material_id)
    head = run_sequencing_round(city).head
    anchor(city, head, block=3, final=3)
    data = build_tlog_proof(city, second.material_id)
    key = VerifierKey(city.origin, city.keys.public_key(KeyRole.CHECKPOINT))
    entry = encode_entry(EntryKind.MATERIAL, second.commitment)
    assert verify_tlog_proof(data, entry, city.origin, key).tree_head == head
    other = encode_entry(EntryKind.MATERIAL, first.commitment)
    with pytest.raises(TlogProofEntryError):
        verify_tlog_proof(data, other, city.origin, key)


def test_build_registration_receipt_anchor_not_final_yet_is_pending(
    city: Node, queue: IntakeQueue
) -> None:
    open_log(city)
    done = register(city, queue, submission(1))
    anchor(city, run_sequencing_round(city).head, block=3, final=2)
    assert build_registration_receipt(city, done.material_id).seal is None


def test_build_registration_receipt_anchored_head_is_not_ours_is_not_handed_out(
    city: Node, queue: IntakeQueue
) -> None:
    open_log(city)
    done = register(city, queue, submission(1))
    head = run_sequencing_round(city).head
    anchor(city, TreeHead(head.size, RootHash(b"\x09" * 32)), block=3, final=3)
    with pytest.raises(RootMismatchError):
        build_registration_receipt(city, done.material_id)
