"""Trie, storage and log proofs: recorded from a real network, and against the trie library."""

import json
from pathlib import Path

import pytest
import rlp
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_node.core import storage_layout as layout
from ledger_node.core.errors import LedgerError
from ledger_node.core.event_types import StatusFlag
from ledger_node.core.log_proof import verify_log
from ledger_node.core.rlp_items import MalformedRlpError
from ledger_node.core.storage_proof import verify_account, verify_slot
from ledger_node.core.trie_proof import EMPTY_TRIE_ROOT, TrieProofError, verify_trie_proof
from tests.reference import blocks as b
from tests.reference import tries

LAYOUTS = Path(__file__).parents[3] / "contracts" / "layout"
PROOFS = b.RECORDED["proofs"]
CONTRACT = b.unhex(b.RECORDED["contract"])
WITH_LOGS = [each for each in b.RECORDED["receipts"] if each["logs"]]
SOMEBODY = bytes(range(20))


def nodes_of(texts):
    return [b.unhex(text) for text in texts]


def state_root(proof):
    return b.recorded_fields()[int(proof["block"], 16)][3]


def recorded_account(proof):
    result = proof["result"]
    return verify_account(state_root(proof), CONTRACT, nodes_of(result["accountProof"]))


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof["block"])
def test_verify_account_recorded_proof_leads_to_the_contract(proof):
    account = recorded_account(proof)
    assert account.storage_root == b.unhex(proof["result"]["storageHash"])
    assert account.code_hash == b.unhex(proof["result"]["codeHash"])


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof["block"])
def test_verify_slot_recorded_proofs_hold_two_values_and_one_absence(proof):
    root = recorded_account(proof).storage_root
    held = {
        item["key"]: verify_slot(root, b.unhex(item["key"]), nodes_of(item["proof"]))
        for item in proof["result"]["storageProof"]
    }
    named = b.RECORDED["storage"]
    assert held == {named["sequence"]: 6, named["status"]: 2, named["absent_status"]: 0}


def test_verify_account_changed_state_root_is_refused():
    proof = PROOFS[0]
    nodes = nodes_of(proof["result"]["accountProof"])
    for root in (bytes(32), state_root(proof)[:-1] + b"\x00", b.recorded_fields()[9][3]):
        with pytest.raises(TrieProofError):
            verify_account(root, CONTRACT, nodes)


def test_verify_account_wrong_account_is_absent_or_refused_and_never_the_contract():
    proof = PROOFS[0]
    nodes = nodes_of(proof["result"]["accountProof"])
    outcomes = set()
    for n in range(64):
        other = keccak(bytes([n]))[:20]
        try:
            outcomes.add(verify_account(state_root(proof), other, nodes))
        except TrieProofError as error:
            outcomes.add(error.fields["reason"])
    assert outcomes <= {None, "a node is not the one its parent names", "nodes are left over"}
    assert len(outcomes) >= 2


def test_verify_slot_wrong_slot_never_has_the_value_of_another():
    proof = PROOFS[0]
    root = recorded_account(proof).storage_root
    items = proof["result"]["storageProof"]
    for item in items:
        for other in items:
            if other is item:
                continue
            try:
                assert verify_slot(root, b.unhex(other["key"]), nodes_of(item["proof"])) == 0
            except TrieProofError:
                continue
            raise AssertionError("the proof of one slot served for another")


@pytest.mark.parametrize("item", PROOFS[0]["result"]["storageProof"], ids=["one", "two", "absent"])
def test_verify_slot_truncated_padded_or_flipped_nodes_are_refused(item):
    root = recorded_account(PROOFS[0]).storage_root
    slot, nodes = b.unhex(item["key"]), nodes_of(item["proof"])
    verify_slot(root, slot, nodes)
    damaged = [nodes[:-1], nodes[1:], [*nodes, nodes[-1]], [*nodes, b"\x80"], nodes[::-1] * 2, []]
    for at, node in enumerate(nodes):
        damaged.append([*nodes[:at], node[:-1], *nodes[at + 1 :]])
        for bit in range(8 * len(node)):
            flipped = bytearray(node)
            flipped[bit // 8] ^= 1 << bit % 8
            damaged.append([*nodes[:at], bytes(flipped), *nodes[at + 1 :]])
    for each in damaged:
        with pytest.raises((TrieProofError, MalformedRlpError)):
            verify_slot(root, slot, each)


def test_verify_trie_proof_empty_trie_proves_absence_and_nothing_else():
    assert keccak(rlp.encode(b"")) == EMPTY_TRIE_ROOT
    assert verify_trie_proof(EMPTY_TRIE_ROOT, b"key", []) is None
    with pytest.raises(TrieProofError):
        verify_trie_proof(EMPTY_TRIE_ROOT, b"key", [b"\x81\x80"])
    with pytest.raises(TrieProofError):
        verify_trie_proof(bytes(32), b"key", [])


KEYS = st.binary(min_size=3, max_size=3)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, st.binary(min_size=1, max_size=40), min_size=1, max_size=40), KEYS)
def test_verify_trie_proof_agrees_with_the_trie_library(pairs, stranger):
    """Short values make nodes that stand inside their parents; long ones make hashed nodes."""
    trie = tries.build(pairs)
    for key in [*list(pairs)[:6], stranger]:
        proof = tries.prove(trie, key)
        assert verify_trie_proof(trie.root_hash, key, proof) == (trie[key] or None)
        for damaged in (proof[:-1], [*proof, proof[0]]):
            with pytest.raises(TrieProofError):
                verify_trie_proof(trie.root_hash, key, damaged)


def _crafted(*items):
    node = rlp.encode(list(items))
    return keccak(node), [node]


@pytest.mark.parametrize(
    ("root", "nodes"),
    [
        _crafted(b"\x20abc"),  # one item
        _crafted(b"\x40abc", b"value"),  # unknown flag
        _crafted(b"\x2fabc", b"value"),  # padding that is not zero
        _crafted(b"", b"value"),  # no path
        _crafted(b"\x00", b"\x01" * 32),  # an extension without a path
        _crafted(b"\x00a", b""),  # an extension that leads nowhere
        _crafted(b"\x00a", b"short"),  # an extension to bytes that are no hash
        _crafted(b"\x20abc", b""),  # a leaf without a value
        _crafted(b"\x20abc", [b"value"]),  # a value that is a list
        _crafted([b"\x20abc"], b"value"),  # a path that is a list
        _crafted(*[b""] * 16),  # a branch of sixteen
        _crafted(*[b"odd"] * 17),  # children that are no hashes
    ],
)
def test_verify_trie_proof_nodes_of_no_such_form_are_refused(root, nodes):
    with pytest.raises((TrieProofError, MalformedRlpError)):
        verify_trie_proof(root, b"abc", nodes)


@pytest.mark.parametrize("receipt", WITH_LOGS, ids=lambda receipt: receipt["blockNumber"])
def test_verify_log_recorded_receipt_is_under_the_receipts_root_of_its_header(receipt):
    number = int(receipt["blockNumber"], 16)
    trie, root = tries.receipts_trie([receipt]), b.recorded_fields()[number][5]
    assert trie.root_hash == root
    nodes = tries.prove(trie, rlp.encode(b""))
    for at, named in enumerate(receipt["logs"]):
        log = verify_log(root, 0, at, nodes)
        assert log.address == b.unhex(named["address"])
        assert list(log.topics) == [b.unhex(topic) for topic in named["topics"]]
        assert log.data == b.unhex(named["data"])
    with pytest.raises(TrieProofError):
        verify_log(root, 0, len(receipt["logs"]), nodes)
    with pytest.raises(TrieProofError):
        verify_log(root, 1, 0, nodes)
    with pytest.raises(TrieProofError):
        verify_log(bytes(32), 0, 0, nodes)


def _receipt(index, kind="0x0", status="0x1"):
    return WITH_LOGS[0] | {"transactionIndex": hex(index), "type": kind, "status": status}


def test_verify_log_every_place_of_a_full_block_and_every_kind_of_transaction():
    made = [_receipt(index, hex(index % 3)) for index in range(140)]
    trie = tries.receipts_trie(made)
    for index in range(140):
        nodes = tries.prove(trie, rlp.encode(b.scalar(index)))
        assert verify_log(trie.root_hash, index, 0, nodes).address == CONTRACT


def test_verify_log_of_a_failed_transaction_is_refused():
    trie = tries.receipts_trie([_receipt(0, status="0x0")])
    with pytest.raises(MalformedRlpError):
        verify_log(trie.root_hash, 0, 0, tries.prove(trie, rlp.encode(b"")))


@pytest.mark.parametrize("value", [b"\x80", b"\x9f" * 40, rlp.encode([b"\x01"] * 3), b"\x02\x80"])
def test_verify_log_value_that_is_no_receipt_is_refused(value):
    trie = tries.build({rlp.encode(b""): value})
    with pytest.raises((MalformedRlpError, TrieProofError)):
        verify_log(trie.root_hash, 0, 0, tries.prove(trie, rlp.encode(b"")))


# --- Slots -------------------------------------------------------------------------------------


def load_layout(name):
    return json.loads((LAYOUTS / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("contract", "label", "slot"),
    [
        ("CityLog", "_heads", layout.HEADS),
        ("CityLog", "_closed", layout.CLOSED),
        ("MaterialStatus", "_flags", layout.STATUS_FLAGS),
        ("MaterialStatus", "_successors", layout.SUCCESSORS),
        ("Grants", "releaseUsed", layout.RELEASES_USED),
        ("Grants", "_grants", layout.GRANTS),
        ("Grants", "_evidence", layout.EVIDENCE),
        ("Membership", "_standing", layout.STANDING),
        ("Membership", "_records", layout.KEY_RECORDS),
    ],
)
def test_slot_numbers_are_those_of_the_compiler(contract, label, slot):
    [found] = [each for each in load_layout(contract)["storage"] if each["label"] == label]
    assert (found["slot"], found["offset"]) == (slot, 0)
    assert found["type"].startswith("mapping(")


@pytest.mark.parametrize(
    ("contract", "struct", "members", "first_slot"),
    [
        ("CityLog", "Head", layout.HEAD_MEMBERS, 1),  # the root has the slot before
        ("Grants", "Grant", layout.GRANT_MEMBERS, 0),
        ("Membership", "KeyRecord", layout.KEY_RECORD_MEMBERS, 0),
    ],
)
def test_packed_members_stand_where_the_compiler_puts_them(contract, struct, members, first_slot):
    found = load_layout(contract)["structs"][struct]
    places = {each["label"]: (each["slot"], each["offset"]) for each in found}
    if struct == "Head":
        assert places.pop("root") == (0, 0)
    assert places == {name: (first_slot, offset) for name, (offset, _) in members.items()}
    ends = [offset + length for offset, length in members.values()]
    assert ends[:-1] == [offset for offset, _ in members.values()][1:]  # no gap, no overlap


def test_read_grant_and_head_take_their_words_apart():
    word = 0
    values = (510107, 510700, 610113, 3, 1_790_000_000, 1_790_100_000, 2, 1)
    for value, (offset, _) in zip(values, layout.GRANT_MEMBERS.values(), strict=True):
        word |= value << 8 * offset
    grant = layout.read_grant(word)
    assert (grant.releasing, grant.receiving, grant.recorder) == ("510107", "510700", "610113")
    assert (grant.uses_left, grant.not_before_s, grant.not_after_s) == values[3:6]
    assert (grant.basis, grant.state) == (2, layout.RECORDED)
    head = layout.read_head(7, 1_000_000 | 2 << 64 | 99 << 96)
    assert (head.size, head.generation, head.block_number) == (1_000_000, 2, 99)
    assert head.root == bytes(31) + b"\x07"
    with pytest.raises(LedgerError):
        layout.read_grant(2**32 - 1)
    assert layout.read_flags(9) == StatusFlag.WITHDRAWN | StatusFlag.ERASED
    assert layout.read_flags(16) is None
