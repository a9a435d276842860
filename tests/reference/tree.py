"""RFC 6962 section 2.1 as it is written, slow and obvious: the oracle for the fast tree.

A tree is a list of entries; nothing is cached. Shares no code with ledger_node.
"""

import hashlib


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(n):
    """Largest power of two k with k < n <= 2k."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(entries):
    """Merkle Tree Hash."""
    n = len(entries)
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return leaf_hash(entries[0])
    k = split(n)
    return node_hash(mth(entries[:k]), mth(entries[k:]))


def path(m, entries):
    """PATH(m, D[n]): inclusion proof of leaf m (section 2.1.1)."""
    n = len(entries)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m, entries):
    """PROOF(m, D[n]): consistency proof from m leaves (section 2.1.2); empty for m = 0 or n."""
    if m in (0, len(entries)):
        return []
    return subproof(m, entries, True)


def subproof(m, entries, known):
    """SUBPROOF(m, D[n], b)."""
    n = len(entries)
    if m == n:
        return [] if known else [mth(entries)]
    k = split(n)
    if m <= k:
        return [*subproof(m, entries[:k], known), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]
