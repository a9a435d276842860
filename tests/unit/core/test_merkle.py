"""The tree against the slow reference: every (index, size) and (old, new), with damages (T13)."""

import hashlib

import pytest

from ledger_node.core import merkle, proof_nodes, tiles
from ledger_node.core.errors import LedgerError
from tests.reference import tree as reference

ENTRIES = [b"\x01\x01" + hashlib.sha256(b"%d" % i).digest() for i in range(257)]
LEAF_HASHES = merkle.hash_leaves(ENTRIES)
FOREIGN = hashlib.sha256(b"foreign").digest()


def leaf(index):
    return LEAF_HASHES[32 * index : 32 * index + 32]


class Log:
    """Roots and node hashes of every size, computed by the reference once."""

    def __init__(self, size):
        self.hashes = {}
        self.roots = [self.root(0, n) for n in range(size + 1)]

    def root(self, begin, end):
        """Reference hash of a range, remembered; the recursion is RFC 6962's."""
        if (begin, end) not in self.hashes:
            if end - begin < 2:
                value = reference.mth(ENTRIES[begin:end])
            else:
                k = begin + reference.split(end - begin)
                value = reference.node_hash(self.root(begin, k), self.root(k, end))
            self.hashes[begin, end] = value
        return self.hashes[begin, end]

    def path(self, index, begin, end):
        if end - begin == 1:
            return []
        k = begin + reference.split(end - begin)
        if index < k:
            return [*self.path(index, begin, k), self.root(k, end)]
        return [*self.path(index, k, end), self.root(begin, k)]

    def proof(self, old, begin, end, known):
        if old == end:
            return [] if known else [self.root(begin, end)]
        k = begin + reference.split(end - begin)
        if old <= k:
            return [*self.proof(old, begin, k, known), self.root(k, end)]
        return [*self.proof(old, k, end, False), self.root(begin, k)]


def flip(data, bit):
    changed = bytearray(data)
    changed[bit // 8 % 32] ^= 1 << bit % 8
    return bytes(changed)


def refused(function, *arguments):
    with pytest.raises(LedgerError) as caught:
        function(*arguments)
    return type(caught.value).__name__


def check_inclusion(log, index, size):
    """The proof holds and equals the reference's; three damages are refused."""
    head = merkle.TreeHead(size, log.roots[size])
    expected = log.path(index, 0, size)
    assert merkle.compute_inclusion_proof_length(index, size) == len(expected)
    merkle.verify_inclusion(leaf(index), index, expected, head)
    verify = merkle.verify_inclusion
    bad_leaf = flip(leaf(index), index + size)
    assert refused(verify, bad_leaf, index, expected, head) == "RootMismatchError"
    assert refused(verify, leaf(index), index, [*expected, FOREIGN], head) == "MalformedProofError"
    assert refused(verify, leaf(index), (index + 1) % size, expected, head) if size > 1 else True
    if expected:
        short = expected[:-1]
        assert refused(verify, leaf(index), index, short, head) == "MalformedProofError"
        at = (index + size) % len(expected)
        wrong = [*expected[:at], flip(expected[at], 7 * index + size), *expected[at + 1 :]]
        assert refused(verify, leaf(index), index, wrong, head) == "RootMismatchError"
    return expected


def check_consistency(log, old, new):
    """The proof holds and equals the reference's; three damages are refused."""
    heads = merkle.TreeHead(old, log.roots[old]), merkle.TreeHead(new, log.roots[new])
    expected = log.proof(old, 0, new, True) if 0 < old < new else []
    assert merkle.compute_consistency_proof_length(old, new) == len(expected)
    verify = merkle.verify_consistency
    verify(*heads, expected)
    assert refused(verify, *heads, [*expected, FOREIGN]) == "MalformedProofError"
    forged = merkle.TreeHead(old, flip(log.roots[old], old + new))
    assert refused(verify, forged, heads[1], expected) == "RootMismatchError"
    if old < new:
        assert refused(verify, heads[1], heads[0], expected) == "MalformedProofError"
    if expected:
        assert refused(verify, *heads, expected[1:]) == "MalformedProofError"
        at = (old + new) % len(expected)
        wrong = [*expected[:at], flip(expected[at], 7 * old + new), *expected[at + 1 :]]
        assert refused(verify, *heads, wrong) == "RootMismatchError"
    if old:
        forged = merkle.TreeHead(new, flip(log.roots[new], old + new))
        assert refused(verify, heads[0], forged, expected) == "RootMismatchError"
    return expected


def files_of(size):
    files, head = tiles.extend_tiles(0, LEAF_HASHES[: 32 * size], {}.__getitem__)
    return files.__getitem__, head


def check_size(log, size):
    """Every index and every old size of one tree, built from tiles and verified."""
    read_tile, head = files_of(size)
    assert head.root == log.roots[size] == merkle.compute_root(LEAF_HASHES[: 32 * size])
    for index in range(size):
        proof = check_inclusion(log, index, size)
        assert list(tiles.build_inclusion_proof(read_tile, index, size)) == proof
    for old in range(size + 1):
        proof = check_consistency(log, old, size)
        assert list(tiles.build_consistency_proof(read_tile, old, size)) == proof
    return size + size + 1


def test_reference_tree_remembered_equals_reference_tree_plain():
    log = Log(20)
    for size in range(1, 21):
        entries = ENTRIES[:size]
        assert log.roots[size] == reference.mth(entries)
        for index in range(size):
            assert log.path(index, 0, size) == reference.path(index, entries)
        for old in range(1, size):
            assert log.proof(old, 0, size, True) == reference.proof(old, entries)


def test_every_proof_of_every_tree_up_to_64_verifies_and_three_damages_fail():
    log = Log(64)
    checked = sum(check_size(log, size) for size in range(65))
    assert checked == 64 * 65 // 2 + 65 * 66 // 2


@pytest.mark.slow
def test_every_proof_of_every_tree_up_to_256_verifies_and_three_damages_fail():
    log = Log(256)
    checked = sum(check_size(log, size) for size in range(257))
    assert checked == 256 * 257 // 2 + 257 * 258 // 2


def test_verify_inclusion_any_flipped_bit_of_a_proof_fails():
    log = Log(13)
    head = merkle.TreeHead(13, log.roots[13])
    proof = log.path(10, 0, 13)
    for at in range(len(proof)):
        for bit in range(256):
            wrong = [*proof[:at], flip(proof[at], bit), *proof[at + 1 :]]
            with pytest.raises(merkle.RootMismatchError):
                merkle.verify_inclusion(leaf(10), 10, wrong, head)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_verify_inclusion_negative_index_raises_malformed_for_any_length(size):
    # Shifted right a negative index is all ones: some length would fit and be folded.
    for length in range(12):
        with pytest.raises(merkle.MalformedProofError, match="not in a tree"):
            merkle.verify_inclusion(leaf(0), -1, [FOREIGN] * length, merkle.TreeHead(size, FOREIGN))


def test_verify_inclusion_mismatch_carries_both_roots():
    log = Log(3)
    with pytest.raises(merkle.RootMismatchError) as caught:
        merkle.verify_inclusion(leaf(1), 1, log.path(1, 0, 3), merkle.TreeHead(3, FOREIGN))
    assert (caught.value.expected, caught.value.computed) == (FOREIGN, log.roots[3])
    assert caught.value.tree_size == 3


def test_verify_consistency_new_root_and_old_root_are_both_checked():
    log = Log(7)
    old, new = merkle.TreeHead(3, log.roots[3]), merkle.TreeHead(7, log.roots[7])
    proof = log.proof(3, 0, 7, True)
    with pytest.raises(merkle.RootMismatchError) as caught:
        merkle.verify_consistency(merkle.TreeHead(3, FOREIGN), new, proof)
    assert caught.value.tree_size == 3
    with pytest.raises(merkle.RootMismatchError) as caught:
        merkle.verify_consistency(old, merkle.TreeHead(7, FOREIGN), proof)
    assert caught.value.tree_size == 7


def test_verify_inclusion_at_the_largest_size_uses_all_levels():
    size = merkle.MAX_TREE_SIZE
    proof = [FOREIGN] * merkle.compute_inclusion_proof_length(0, size)
    assert len(proof) == 64
    root = merkle.compute_root_of_inclusion(leaf(0), 0, size, proof)
    merkle.verify_inclusion(leaf(0), 0, proof, merkle.TreeHead(size, root))
    with pytest.raises(merkle.MalformedProofError):
        merkle.compute_root_of_inclusion(leaf(0), 0, size + 1, proof)


@pytest.mark.parametrize(
    ("size", "root"), [(-1, FOREIGN), (2**64, FOREIGN), (0, FOREIGN[:31]), (1, b"")]
)
def test_tree_head_out_of_range_raises_malformed(size, root):
    with pytest.raises(merkle.MalformedTreeHeadError):
        merkle.TreeHead(size, root)


def test_tree_head_at_the_limits_is_accepted():
    assert merkle.TreeHead(2**64 - 1, FOREIGN).size == 2**64 - 1
    assert merkle.TreeHead(0, reference.mth([])) == merkle.EMPTY_TREE_HEAD


def test_hash_leaf_and_children_equal_reference_and_never_each_other():
    pair = leaf(0) + leaf(1)
    assert merkle.hash_leaf(ENTRIES[0]) == leaf(0) == reference.leaf_hash(ENTRIES[0])
    assert merkle.hash_children(leaf(0), leaf(1)) == reference.node_hash(leaf(0), leaf(1))
    assert merkle.hash_leaf(pair) != merkle.hash_children(leaf(0), leaf(1))


def test_compact_range_in_any_steps_equals_reference():
    log = Log(70)
    for step in (1, 2, 3, 7, 16, 70):
        grown = merkle.EMPTY_RANGE
        for begin in range(0, 70, step):
            grown = grown.append(LEAF_HASHES[32 * begin : 32 * min(70, begin + step)])
            assert grown.compute_head() == merkle.TreeHead(grown.size, log.roots[grown.size])
            assert len(grown.peaks) == grown.size.bit_count()


def test_compact_range_append_nothing_stays_equal():
    grown = merkle.EMPTY_RANGE.append(LEAF_HASHES[: 32 * 5])
    assert grown.append(b"") == grown


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_build_inclusion_proof_outside_the_log_raises_not_found(index, size):
    with pytest.raises(proof_nodes.LeafOutOfRangeError):
        tiles.build_inclusion_proof({}.__getitem__, index, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5)])
def test_build_consistency_proof_outside_the_log_raises_not_found(old, new):
    with pytest.raises(proof_nodes.LeafOutOfRangeError):
        tiles.build_consistency_proof({}.__getitem__, old, new)
