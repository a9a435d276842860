"""What the real contracts hold, proven from the state root of a header sealed by four test keys.

State, tries and proofs come from py-evm and its trie library; what is proven must be what the
contracts answer themselves.
"""

from __future__ import annotations

import pytest
import rlp
from eth_hash.auto import keccak
from trie import HexaryTrie

from ledger_node.core import storage_layout as layout
from ledger_node.core.block_header import parse_block_header
from ledger_node.core.event_types import StatusFlag
from ledger_node.core.qbft import verify_seals
from ledger_node.core.storage_proof import verify_account, verify_slot
from tests.contracts.consortium import ANCHOR, CITIES, GATE, MESSAGE, key_of, signer
from tests.contracts.evm import START_S
from tests.reference import blocks as b
from tests.reference import tries

RELEASING, RECEIVING, RECORDER, *_ = CITIES
TERMS, EVIDENCE, RELEASE = b"\x71" * 32, b"\xee" * 32, b"\x0a" * 32
LEAF, OTHER_LEAF, SUCCESSOR = b"\x4e" * 32, b"\x4f" * 32, b"\x50" * 32
ROOT = b"\xab" * 32
SUPERSEDED, ERASED = 2, 8


class Sealed:
    """The state of a chain under a header that three of four validators sealed."""

    def __init__(self, consortium):
        evm = consortium.evm
        evm.state.persist()
        self.database = dict(evm.stored.kv_store)
        self.number = evm.block_number
        fields = list(b.recorded_fields()[2])
        fields[3] = evm.state.make_state_root()
        fields[8], fields[11] = b.scalar(evm.block_number), b.scalar(evm.timestamp_s)
        header = parse_block_header(rlp.encode(b.reseal(fields)))
        verify_seals(header, b.SET)
        assert header.number == evm.block_number
        self.state_root = header.state_root

    def word(self, contract, slot):
        """Word at a slot, by proof alone."""
        nodes = tries.prove(HexaryTrie(self.database, self.state_root), keccak(contract.address))
        account = verify_account(self.state_root, contract.address, nodes)
        assert account.code_hash == keccak(contract.evm.state.get_code(contract.address))
        storage = HexaryTrie(self.database, account.storage_root)
        return verify_slot(account.storage_root, slot, tries.prove(storage, keccak(slot)))


@pytest.fixture(scope="module")
def told(built_consortium):
    """A chain on which something of every kind happened, and its sealed state."""
    chain = built_consortium.fork()
    chain.log.send(signer(RELEASING, ANCHOR), "anchor", 0, 5, ROOT, [])
    chain.evm.advance()
    gate = signer(RELEASING, GATE)
    chain.status.send(gate, "setStatus", LEAF, SUPERSEDED, SUCCESSOR)
    chain.status.send(gate, "setStatus", LEAF, ERASED, bytes(32))
    window = (START_S, START_S + 10_000)
    fields = (RELEASING, RECEIVING, *window, 3, 2, EVIDENCE)
    chain.grants.send(signer(RECORDER, GATE), "record", TERMS, *fields)
    chain.evm.advance()
    chain.grants.send(gate, "consume", TERMS, RELEASE)
    return chain, Sealed(chain)


def city(code):
    return f"{code:06d}"


def test_head_proven_from_storage_is_what_city_log_answers(told):
    chain, sealed = told
    first, second = layout.compute_head_slots(city(RELEASING))
    head = layout.read_head(sealed.word(chain.log, first), sealed.word(chain.log, second))
    answered = chain.log.call("head", RELEASING)
    assert (head.generation, head.size, head.root, head.block_number) == answered
    assert (head.generation, head.size, head.root) == (1, 5, ROOT)
    absent = layout.compute_head_slots(city(RECEIVING))
    none = layout.read_head(*(sealed.word(chain.log, slot) for slot in absent))
    assert none == layout.HeldHead(0, 0, bytes(32), 0)


def test_flags_proven_from_storage_are_what_material_status_answers(told):
    chain, sealed = told
    releasing = city(RELEASING)
    word = sealed.word(chain.status, layout.compute_flags_slot(releasing, LEAF))
    flags = layout.read_flags(word)
    assert flags == StatusFlag.SUPERSEDED | StatusFlag.ERASED
    successor = sealed.word(chain.status, layout.compute_successor_slot(releasing, LEAF))
    answered = chain.status.call("statusOf", RELEASING, LEAF)
    assert (int(flags), layout.encode_word(successor)) == answered
    for leaf, issuer in ((OTHER_LEAF, releasing), (LEAF, city(RECEIVING))):
        assert sealed.word(chain.status, layout.compute_flags_slot(issuer, leaf)) == 0


def test_grant_proven_from_storage_is_what_grants_answers(told):
    chain, sealed = told
    grant = layout.read_grant(sealed.word(chain.grants, layout.compute_grant_slot(TERMS)))
    evidence = sealed.word(chain.grants, layout.compute_evidence_slot(TERMS))
    assert (
        *(grant.state, int(grant.releasing), int(grant.receiving), int(grant.recorder)),
        *(grant.not_before_s, grant.not_after_s, grant.uses_left, grant.basis),
        layout.read_evidence(evidence),
    ) == chain.grants.call("grantOf", TERMS)
    assert grant.state == layout.RECORDED
    assert grant.uses_left == 2
    assert sealed.word(chain.grants, layout.compute_release_slot(RELEASE)) == 1
    assert sealed.word(chain.grants, layout.compute_release_slot(LEAF)) == 0


def test_standing_and_key_record_proven_from_storage_are_those_of_membership(told):
    chain, sealed = told
    standing = layout.compute_standing_slot(city(RELEASING))
    assert sealed.word(chain.membership, standing) == layout.GOOD_STANDING
    assert sealed.word(chain.membership, layout.compute_standing_slot("999999")) == 0
    key = key_of(RELEASING, MESSAGE)
    record = sealed.word(chain.membership, layout.compute_key_record_slot(key))
    members = layout.KEY_RECORD_MEMBERS
    assert layout.read_packed(record, *members["city"]) == RELEASING
    assert layout.read_packed(record, *members["role"]) == MESSAGE
    assert layout.read_packed(record, *members["validFrom"]) == START_S


def test_revoked_grant_is_proven_revoked(told):
    chain = told[0].fork()
    chain.grants.send(signer(RECEIVING, GATE), "revoke", TERMS)
    word = Sealed(chain).word(chain.grants, layout.compute_grant_slot(TERMS))
    assert layout.read_grant(word).state == layout.REVOKED
