"""Bloom filter over the logs of a block, as an Ethereum header carries it.

Step 5 of the data flow: a follower compares it with the logs it was given, because no block hash
shows that a log is missing. Spec: Ethereum yellow paper, section 4.3.1 (M3:2048).

Invariants:
    * Equal filters mean that no log with an address or topic of its own is missing. A log that
      repeats address and topics of another leaves no trace here: the follower counts those.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from eth_hash.auto import keccak

BLOOM_BYTES = 256
_BITS = BLOOM_BYTES * 8


@lru_cache(maxsize=65_536)
def _item_bits(item: bytes) -> int:
    digest = keccak(item)
    bits = 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") % _BITS)
    return bits


def compute_bloom(items: Iterable[bytes]) -> bytes:
    """Filter over addresses (20 bytes) and topics (32 bytes) of logs, 256 bytes."""
    bits = 0
    for item in items:
        bits |= _item_bits(item)
    return bits.to_bytes(BLOOM_BYTES, "big")
