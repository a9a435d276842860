"""Raw transaction bytes to a checked transaction; nothing here looks at the chain's state."""

from __future__ import annotations

from dataclasses import dataclass

import rlp  # type: ignore[import-untyped]
from eth.abc import SignedTransactionAPI
from eth.vm.forks.paris.transactions import ParisTransactionBuilder
from eth_utils.exceptions import ValidationError
from rlp.codec import consume_length_prefix  # type: ignore[import-untyped]

from ledger_node.localchain.errors import TransactionRejectedError

MAX_RAW_BYTES = 128 * 1024
MAX_LIST_DEPTH = 4  # transaction, access list, its entries, their slots
MAX_NONCE = 2**64 - 2  # EIP-2681
_FIRST_LIST_BYTE = 0xC0
_KNOWN_TYPES = (1, 2)
_DECODING_ERRORS = (
    rlp.RLPException,
    ValidationError,
    ValueError,
    TypeError,
    IndexError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class PoolTransaction:
    """A transaction whose form, chain id and signature have been checked."""

    hash: bytes
    sender: bytes
    nonce: int
    raw: bytes
    signed: SignedTransactionAPI


def parse_transaction(raw: bytes, chain_id: int, gas_limit: int) -> PoolTransaction:
    """Decode legacy (EIP-155), type-1 and type-2 bytes and check what needs no state.

    Raises:
        TransactionRejectedError: Not a transaction this chain can ever take.
    """
    if len(raw) > MAX_RAW_BYTES:
        raise TransactionRejectedError("oversized data")
    if not raw or (raw[0] < _FIRST_LIST_BYTE and raw[0] not in _KNOWN_TYPES):
        raise TransactionRejectedError("transaction type not supported")
    signed = _decode(raw)
    if signed.chain_id is None:
        raise TransactionRejectedError("only replay-protected (EIP-155) transactions allowed")
    if signed.chain_id != chain_id:
        raise TransactionRejectedError(
            f"invalid chain id for signer: have {signed.chain_id} want {chain_id}"
        )
    if signed.nonce > MAX_NONCE:
        raise TransactionRejectedError("nonce has max value")
    if signed.gas > gas_limit:
        raise TransactionRejectedError("exceeds block gas limit")
    if signed.gas < signed.intrinsic_gas:
        raise TransactionRejectedError("intrinsic gas too low")
    if signed.max_priority_fee_per_gas > signed.max_fee_per_gas:
        raise TransactionRejectedError("max priority fee per gas higher than max fee per gas")
    try:
        signed.validate()
        sender = signed.sender
    except (ValidationError, ValueError) as error:
        raise TransactionRejectedError("invalid sender") from error
    return PoolTransaction(signed.hash, sender, signed.nonce, raw, signed)


def _decode(raw: bytes) -> SignedTransactionAPI:
    try:
        _refuse_deep(raw if raw[0] >= _FIRST_LIST_BYTE else raw[1:])
        signed = ParisTransactionBuilder.decode(raw)
        canonical = signed.encode() == raw
    except _DECODING_ERRORS as error:
        raise TransactionRejectedError("malformed transaction") from error
    if not canonical:
        raise TransactionRejectedError("malformed transaction")
    return signed


def _refuse_deep(encoded: bytes) -> None:
    """Refuse lists nested deeper than any transaction's, without recursion.

    The library's decoder recurses and copies at every level: seconds for a hundred kilobytes.
    """
    ends: list[int] = []
    position = 0
    while position < len(encoded):
        while ends and position >= ends[-1]:
            ends.pop()
        _, kind, length, start = consume_length_prefix(encoded, position)
        if kind is list:
            ends.append(start + length)
            position = start
        else:
            position = start + length
        if len(ends) > MAX_LIST_DEPTH:
            raise ValueError("lists are nested too deeply")
