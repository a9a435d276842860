"""Narrow types of the core. Every 32-byte value has one meaning; mypy keeps them apart.

Digests, hashes and roots are raw bytes inside; hex is for HTTP and logs, base64 for checkpoint
text. Times are aware UTC datetimes named `*_at`; block time is `block_timestamp_s` (seconds).
"""

from __future__ import annotations

from typing import NewType

Digest = NewType("Digest", bytes)  # SHA-256 of document bytes, 32 bytes
LeafHash = NewType("LeafHash", bytes)  # SHA-256(0x00 || entry), 32 bytes
NodeHash = NewType("NodeHash", bytes)  # SHA-256(0x01 || left || right), 32 bytes
RootHash = NewType("RootHash", bytes)  # root of a whole tree, 32 bytes
Commitment = NewType("Commitment", bytes)  # salted commitment carried by an entry, 32 bytes
Salt = NewType("Salt", bytes)  # 256-bit secret salt, 32 bytes
TxHash = NewType("TxHash", bytes)  # keccak-256 of a signed transaction, 32 bytes
BlockHash = NewType("BlockHash", bytes)  # 32 bytes
GrantId = NewType("GrantId", bytes)  # terms commitment, 32 bytes
ReleaseCommitment = NewType("ReleaseCommitment", bytes)  # 32 bytes
Address = NewType("Address", bytes)  # chain account or contract, 20 bytes
PublicKey = NewType("PublicKey", bytes)  # Ed25519 or X25519 public key, 32 bytes

CityId = NewType("CityId", str)  # six-digit division code, e.g. "510107"
MaterialId = NewType("MaterialId", str)  # lower-case UUID of a material inside its city
LeafIndex = NewType("LeafIndex", int)  # 0-based position in a log
TreeSize = NewType("TreeSize", int)  # number of leaves
BlockNumber = NewType("BlockNumber", int)

HASH_BYTES = 32
