"""Vectors of inclusion proofs, consistency proofs and roots, with named damages."""

import hashlib

from tests.reference.tree import leaf_hash, mth, node_hash, path, proof

INCLUSION_CASES = [
    (0, 1),
    (0, 2),
    (1, 2),
    (2, 3),
    (0, 4),
    (5, 7),
    (6, 7),
    (3, 8),
    (10, 11),
    (7, 33),
    (255, 256),
    (256, 300),
]
CONSISTENCY_CASES = [
    (1, 2),
    (1, 3),
    (2, 3),
    (2, 4),
    (3, 4),
    (3, 7),
    (4, 7),
    (6, 7),
    (6, 8),
    (8, 9),
    (7, 33),
    (64, 100),
    (99, 100),
    (255, 257),
]
ROOT_CASES = [0, 1, 2, 3, 5, 8, 17]

FOREIGN = hashlib.sha256(b"foreign").digest()


def make_entries(count, seed="vector"):
    """Log entries of 34 bytes, different for every index and seed."""
    return [b"\x01\x01" + hashlib.sha256(f"{seed}/{i}".encode()).digest() for i in range(count)]


def _hexed(case, desc, want_error):
    def turn(value):
        if isinstance(value, bytes):
            return value.hex()
        return [turn(item) for item in value] if isinstance(value, list) else value

    return {
        **{key: turn(value) for key, value in case.items()},
        "desc": desc,
        "want_error": want_error,
    }


def _flip(data, bit=0):
    return bytes([data[0] ^ (1 << bit)]) + data[1:]


def _damage_proof(case):
    """Damages that both kinds of proof share: (name, desc, changed case, error)."""
    hashes = case["proof"]
    yield (
        "extra-hash",
        "one hash too many",
        {**case, "proof": [*hashes, FOREIGN]},
        "MalformedProofError",
    )
    if not hashes:
        return
    yield (
        "truncated-proof",
        "the last hash is missing",
        {**case, "proof": hashes[:-1]},
        "MalformedProofError",
    )
    yield (
        "short-hash",
        "the first hash has 31 bytes",
        {**case, "proof": [hashes[0][:31], *hashes[1:]]},
        "MalformedProofError",
    )
    for place, at in (("first", 0), ("last", len(hashes) - 1)):
        flipped = [_flip(item) if i == at else item for i, item in enumerate(hashes)]
        yield (
            f"flipped-bit-{place}-hash",
            "one bit of a hash is flipped",
            {**case, "proof": flipped},
            "RootMismatchError",
        )
    if len(hashes) > 1:
        swapped = [hashes[1], hashes[0], *hashes[2:]]
        yield (
            "swapped-siblings",
            "the first two hashes changed places",
            {**case, "proof": swapped},
            "RootMismatchError",
        )


def _inclusion(index, size):
    entries = make_entries(size)
    case = {
        "leaf_hash": leaf_hash(entries[index]),
        "leaf_index": index,
        "tree_size": size,
        "root": mth(entries),
        "proof": path(index, entries),
    }
    yield "happy", f"entry {index} of {size}", case, None
    yield from _damage_proof(case)
    yield (
        "foreign-root",
        "root of another tree",
        {**case, "root": mth(make_entries(size, "other"))},
        "RootMismatchError",
    )
    yield (
        "foreign-leaf",
        "leaf of another tree",
        {**case, "leaf_hash": leaf_hash(make_entries(size, "other")[index])},
        "RootMismatchError",
    )
    yield (
        "short-leaf",
        "leaf hash of 31 bytes",
        {**case, "leaf_hash": case["leaf_hash"][:31]},
        "MalformedProofError",
    )
    yield (
        "unprefixed-leaf",
        "leaf hashed without its prefix",
        {**case, "leaf_hash": hashlib.sha256(entries[index]).digest()},
        "RootMismatchError",
    )
    yield (
        "index-equals-size",
        "index outside the tree",
        {**case, "leaf_index": size},
        "MalformedProofError",
    )
    yield "negative-index", "index below zero", {**case, "leaf_index": -1}, "MalformedProofError"
    yield (
        "size-zero",
        "an empty tree has no entries",
        {**case, "tree_size": 0},
        "MalformedProofError",
    )
    if index + 1 < size:
        error = (
            "RootMismatchError"
            if len(path(index + 1, entries)) == len(case["proof"])
            else "MalformedProofError"
        )
        yield (
            "index-plus-1",
            "proof of the next entry's place",
            {**case, "leaf_index": index + 1},
            error,
        )
    if len(path(index, [b""] * (size + 1))) != len(case["proof"]):
        yield (
            "size-plus-1",
            "proof read for a tree one larger",
            {**case, "tree_size": size + 1},
            "MalformedProofError",
        )
    if size >= 2 and index ^ 1 < size:
        pair = index - index % 2
        inner = node_hash(leaf_hash(entries[pair]), leaf_hash(entries[pair + 1]))
        as_leaf = {**case, "leaf_hash": inner, "proof": case["proof"][1:]}
        yield (
            "node-as-leaf",
            "an inner node offered as a leaf, proof shortened to fit",
            as_leaf,
            "MalformedProofError",
        )
        halved = {**as_leaf, "leaf_index": index // 2, "tree_size": (size + 1) // 2}
        if size % 2 == 0:
            # Without prefixes two leaf hashes would be an entry of a tree half as large.
            rehashed = {
                **halved,
                "leaf_hash": leaf_hash(leaf_hash(entries[pair]) + leaf_hash(entries[pair + 1])),
            }
            yield (
                "node-rehashed-as-leaf",
                "two leaf hashes offered as an entry of a tree half as large",
                rehashed,
                "RootMismatchError",
            )


def _consistency(old, new):
    entries = make_entries(new)
    case = {
        "old_size": old,
        "old_root": mth(entries[:old]),
        "new_size": new,
        "new_root": mth(entries),
        "proof": proof(old, entries),
    }
    yield "happy", f"from {old} to {new} entries", case, None
    yield from _damage_proof(case)
    yield (
        "foreign-old-root",
        "old root of another tree",
        {**case, "old_root": mth(make_entries(old, "other"))},
        "RootMismatchError",
    )
    yield (
        "foreign-new-root",
        "new root of another tree",
        {**case, "new_root": mth(make_entries(new, "other"))},
        "RootMismatchError",
    )
    yield (
        "swapped-roots",
        "old and new root changed places",
        {**case, "old_root": case["new_root"], "new_root": case["old_root"]},
        "RootMismatchError",
    )
    yield (
        "swapped-sizes",
        "old and new size changed places",
        {**case, "old_size": new, "new_size": old},
        "MalformedProofError",
    )
    yield (
        "old-size-zero",
        "a proof where none is needed",
        {**case, "old_size": 0},
        "MalformedProofError",
    )
    grown = proof(old, [b""] * (new + 1))
    if len(grown) != len(case["proof"]):
        yield (
            "new-size-plus-1",
            "read for a new tree one larger",
            {**case, "new_size": new + 1},
            "MalformedProofError",
        )
    rewritten = [*make_entries(old - 1), *make_entries(1, "rewritten"), *entries[old:]]
    yield (
        "rewritten-entry",
        "the last old entry was replaced",
        {**case, "new_root": mth(rewritten), "proof": proof(old, rewritten)},
        "RootMismatchError",
    )
    doubled = {**case, "proof": [*case["proof"], case["proof"][-1]]}
    yield "doubled-last-hash", "the last hash stands twice", doubled, "MalformedProofError"


def _edges():
    """Heads that need no proof."""
    five = mth(make_entries(5))
    empty = mth([])
    same = {"old_size": 5, "old_root": five, "new_size": 5, "new_root": five, "proof": []}
    yield "same-size-5/happy", "equal heads", same, None
    yield (
        "same-size-5/foreign-new-root",
        "equal sizes, other root",
        {**same, "new_root": FOREIGN},
        "RootMismatchError",
    )
    yield (
        "same-size-5/extra-hash",
        "a proof where none is needed",
        {**same, "proof": [FOREIGN]},
        "MalformedProofError",
    )
    start = {"old_size": 0, "old_root": empty, "new_size": 5, "new_root": five, "proof": []}
    yield "from-empty-to-5/happy", "from the empty tree", start, None
    yield (
        "from-empty-to-5/foreign-old-root",
        "size 0 with another root",
        {**start, "old_root": FOREIGN},
        "RootMismatchError",
    )
    yield (
        "from-empty-to-5/extra-hash",
        "a proof where none is needed",
        {**start, "proof": [FOREIGN]},
        "MalformedProofError",
    )
    none = {"old_size": 0, "old_root": empty, "new_size": 0, "new_root": empty, "proof": []}
    yield "same-size-0/happy", "two empty trees", none, None
    yield (
        "same-size-0/foreign-new-root",
        "size 0 with another root",
        {**none, "new_root": FOREIGN},
        "RootMismatchError",
    )


def build_vectors():
    """Every vector below merkle/."""
    for index, size in INCLUSION_CASES:
        for name, desc, case, error in _inclusion(index, size):
            yield (
                f"merkle/inclusion/index-{index}-size-{size}/{name}.json",
                _hexed(case, desc, error),
            )
    for old, new in CONSISTENCY_CASES:
        for name, desc, case, error in _consistency(old, new):
            yield f"merkle/consistency/from-{old}-to-{new}/{name}.json", _hexed(case, desc, error)
    for name, desc, case, error in _edges():
        yield f"merkle/consistency/{name}.json", _hexed(case, desc, error)
    for size in ROOT_CASES:
        entries = make_entries(size)
        yield (
            f"merkle/roots/size-{size}/happy.json",
            _hexed({"entries": entries, "root": mth(entries)}, f"root of {size} entries", None),
        )
        if size > 1:
            swapped = [entries[1], entries[0], *entries[2:]]
            case = {"entries": swapped, "root": mth(entries)}
            yield (
                f"merkle/roots/size-{size}/swapped-entries.json",
                _hexed(case, "two entries changed places", "RootMismatchError"),
            )
        if size % 2:
            case = {"entries": [*entries, entries[-1]], "root": mth(entries)}
            yield (
                f"merkle/roots/size-{size}/doubled-last-entry.json",
                _hexed(case, "the last entry stands twice", "RootMismatchError"),
            )
