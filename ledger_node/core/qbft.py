"""Seals of QBFT validators: two hashes of one header, who sealed it, and whether that suffices.

Step 9 of the data flow (no node at hand). Spec: EIP-650 as QBFT changed it, extraData
RLP[vanity, validators, vote, round, seals]; docs/spec/receipt-v1.md, "Seals". Vectors:
tests/vectors/qbft/ (recorded from a network of four validators).

Invariants:
    * The block hash has round 0 and no seals; what a seal signs keeps the round and has no seals.
    * At least ceil(2N/3) distinct validators of a set the caller trusts. The set named in the
      header under test counts for nothing.
    * Every seal present holds, is by one of the set, and no validator seals twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature

from ledger_node.core.block_header import BlockHeader, hash_header_with_extra
from ledger_node.core.errors import VerificationError
from ledger_node.core.rlp_items import (
    RlpItem,
    decode_rlp,
    demand_bytes,
    demand_items,
    demand_scalar,
    encode_rlp,
    refuse_rlp,
)
from ledger_node.core.types import Address, BlockHash

QBFT_MIX_HASH = b"ctical byzantine fault tolerance"  # of every header of this family (EIP-650)
SEAL_BYTES = 65
MAX_ROUND = 2**32 - 1
MAX_VALIDATORS = 256
_WHAT = "QBFT extra data"


class SealError(VerificationError):
    """A seal of the header does not count, and so neither does the header.

    Fields: block_number.
    """

    code = "seal_invalid"


class ForeignSealError(SealError):
    """A seal holds, but its signer is no validator of this block.

    Fields: block_number, signer.
    """

    code = "seal_foreign"


class DuplicatedSealError(SealError):
    """A validator sealed twice.

    Fields: block_number, signer.
    """

    code = "seal_duplicated"


class TooFewSealsError(SealError):
    """Fewer validators than two thirds sealed the header.

    Fields: block_number, found, needed.
    """

    code = "seals_insufficient"


@dataclass(frozen=True, slots=True)
class QbftExtra:
    """What QBFT keeps in a header's extra data.

    Attributes:
        vanity: Free bytes, usually 32.
        validators: As the header says; never a reason to believe anything.
        vote: Of the proposer, unread.
        round: In which the block was agreed on, from 0.
        seals: Commit seals, 65 bytes each.
    """

    vanity: bytes
    validators: tuple[Address, ...]
    vote: RlpItem
    round: int
    seals: tuple[bytes, ...]


def is_qbft_header(header: BlockHeader) -> bool:
    """Whether the header says that QBFT wrote it."""
    return header.mix_hash == QBFT_MIX_HASH


def parse_qbft_extra(data: bytes) -> QbftExtra:
    """Read the extra data of a QBFT header.

    Raises:
        MalformedRlpError: Not vanity, validators, vote, round and seals in their one spelling.
    """
    items = demand_items(decode_rlp(data, what=_WHAT), what=_WHAT)
    if len(items) != 5:
        raise refuse_rlp(_WHAT, "应有五项", "should have five items")
    validators = demand_items(items[1], what=_WHAT)
    seals = demand_items(items[4], what=_WHAT)
    if max(len(validators), len(seals)) > MAX_VALIDATORS:
        raise refuse_rlp(_WHAT, "项数过多", "has too many validators or seals")
    return QbftExtra(
        vanity=demand_bytes(items[0], what=_WHAT),
        validators=tuple(
            Address(demand_bytes(each, what=_WHAT, length_bytes=20)) for each in validators
        ),
        vote=items[2],
        round=demand_scalar(items[3], what=_WHAT, maximum=MAX_ROUND),
        seals=tuple(demand_bytes(each, what=_WHAT, length_bytes=SEAL_BYTES) for each in seals),
    )


def encode_qbft_extra(extra: QbftExtra) -> bytes:
    """Write extra data."""
    scalar = extra.round.to_bytes((extra.round.bit_length() + 7) // 8, "big")
    return encode_rlp((extra.vanity, extra.validators, extra.vote, scalar, extra.seals))


def compute_block_hash(header: BlockHeader) -> BlockHash:
    """Hash by which the chain knows a block.

    Under QBFT the header with round 0 and no seals, so that one block has one hash however many
    validators sealed it and in whichever round; otherwise the header as it stands.

    Raises:
        MalformedRlpError: The extra data of a QBFT header is not readable.
    """
    if not is_qbft_header(header):
        return hash_header_with_extra(header, header.extra_data)
    return _hash_unsealed(header, keep_round=False)


def compute_sealed_hash(header: BlockHeader) -> bytes:
    """What validators seal: the header with its round and no seals, 32 bytes.

    Raises:
        MalformedRlpError: The extra data is not readable.
    """
    return _hash_unsealed(header, keep_round=True)


def _hash_unsealed(header: BlockHeader, *, keep_round: bool) -> BlockHash:
    extra = parse_qbft_extra(header.extra_data)
    round_ = extra.round if keep_round else 0
    unsealed = QbftExtra(extra.vanity, extra.validators, extra.vote, round_, ())
    return hash_header_with_extra(header, encode_qbft_extra(unsealed))


def count_needed_seals(validators: int) -> int:
    """ceil(2N/3): how many of N validators a final block needs."""
    return -(-2 * validators // 3)


def recover_sealers(header: BlockHeader) -> tuple[Address, ...]:
    """Who sealed a header, in the order of its seals.

    Raises:
        MalformedRlpError: The extra data is not readable.
        SealError: A seal is no signature.
    """
    sealed_hash = compute_sealed_hash(header)
    seals = parse_qbft_extra(header.extra_data).seals
    return tuple(_recover(header, sealed_hash, seal) for seal in seals)


def verify_seals(header: BlockHeader, validators: Collection[Address]) -> None:
    """Check that the trusted validators of this block agreed on it.

    Args:
        header: Of a QBFT chain.
        validators: The set for this block, from a trust file; not empty.

    Raises:
        MalformedRlpError: The extra data is not readable.
        SealError: A seal is no signature, of no validator, doubled, or there are too few.
    """
    trusted, seen = set(validators), set[Address]()
    for signer in recover_sealers(header):
        if signer not in trusted:
            raise ForeignSealError(
                f"区块 {header.number} 的印章不是该区块验证者所签。",
                f"a seal of block {header.number} is by no validator of that block.",
                block_number=header.number,
                signer=signer,
            )
        if signer in seen:
            raise DuplicatedSealError(
                f"区块 {header.number} 有验证者重复盖章。",
                f"a validator sealed block {header.number} twice.",
                block_number=header.number,
                signer=signer,
            )
        seen.add(signer)
    needed = count_needed_seals(len(trusted))
    if not trusted or len(seen) < needed:
        raise TooFewSealsError(
            f"区块 {header.number} 只有 {len(seen)} 位验证者盖章，需要 {needed} 位。",
            f"block {header.number} has {len(seen)} seals, {needed} are needed.",
            block_number=header.number,
            found=len(seen),
            needed=needed,
        )


def _recover(header: BlockHeader, sealed_hash: bytes, seal: bytes) -> Address:
    try:
        signature = Signature(signature_bytes=seal)
        public_key = signature.recover_public_key_from_msg_hash(sealed_hash)
    except (BadSignature, ValueError) as error:
        raise SealError(
            f"区块 {header.number} 的一枚印章不是有效签名。",
            f"a seal of block {header.number} is no signature.",
            block_number=header.number,
        ) from error
    return Address(public_key.to_canonical_address())
