"""Running a message without sending it: calls and gas estimates, on the state after any block.

Block context (number, timestamp) is that of the block asked for, as other clients do it.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth.abc import BlockHeaderAPI, ComputationAPI, StateAPI
from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.forks.paris.transactions import ParisTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.settings import CALL_GAS_CAP

ESTIMATE_TOLERANCE = 0.015
CALL_STIPEND = 2_300
_SOLIDITY_ERROR = bytes.fromhex("08c379a0")
_WORD = 32


@dataclass(frozen=True, slots=True)
class CallMessage:
    """What would be sent; `to` empty means contract creation; `gas` None means the cap."""

    sender: bytes
    to: bytes
    data: bytes
    value_wei: int
    gas: int | None


class ExecutionRevertedError(Exception):
    """The contract reverted; `output` is its revert data."""

    def __init__(self, output: bytes) -> None:
        reason = _decode_reason(output)
        super().__init__("execution reverted" + (f": {reason}" if reason else ""))
        self.output = output


class ExecutionFailedError(Exception):
    """Out of gas, bad opcode, no balance and the like; the message says which."""


def call(chain: LocalChain, header: BlockHeaderAPI, message: CallMessage) -> bytes:
    """Return data of a message.

    Raises:
        ExecutionRevertedError: The contract reverted.
        ExecutionFailedError: It could not run to its end.
    """
    computation = _run(chain.state_at(header), message, _gas_cap(header, message))
    _raise_if_failed(computation)
    return computation.output


def estimate_gas(chain: LocalChain, header: BlockHeaderAPI, message: CallMessage) -> int:
    """A gas limit under which the message succeeds, at most 1.5 % above the least.

    Raises:
        ExecutionRevertedError: It reverts even with all gas.
        ExecutionFailedError: It fails even with all gas.
    """
    high = _gas_cap(header, message)
    state = chain.state_at(header)
    computation = _run(state, message, high)
    _raise_if_failed(computation)
    spent = high - computation.get_gas_remaining()
    low = spent - min(computation.get_gas_refund(), spent // 5) - 1
    guess = (spent + CALL_STIPEND) * 64 // 63
    while high - low > 1 and (high - low) / high > ESTIMATE_TOLERANCE:
        middle = guess if low < guess < high else (low + high) // 2
        guess = 0
        if _run(state, message, middle).is_error:
            low = middle
        else:
            high = middle
    return high


def _gas_cap(header: BlockHeaderAPI, message: CallMessage) -> int:
    cap = min(header.gas_limit, CALL_GAS_CAP)
    return cap if message.gas is None else min(message.gas, cap)


def _run(state: StateAPI, message: CallMessage, gas: int) -> ComputationAPI:
    """Execute on a state and take it back."""
    unsigned = ParisTransactionBuilder.create_unsigned_transaction(
        nonce=state.get_nonce(Address(message.sender)),
        gas_price=0,
        gas=gas,
        to=Address(message.to),
        value=message.value_wei,
        data=message.data,
    )
    transaction = SpoofTransaction(unsigned, from_=Address(message.sender))
    if gas < unsigned.intrinsic_gas:
        raise ExecutionFailedError(f"intrinsic gas too low: have {gas}")
    snapshot = state.snapshot()
    try:
        return state.apply_transaction(transaction)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ExecutionFailedError("insufficient funds for transfer") from error
    finally:
        state.revert(snapshot)


def _raise_if_failed(computation: ComputationAPI) -> None:
    if not computation.is_error:
        return
    error: VMError = computation.error
    if isinstance(error, Revert):
        raise ExecutionRevertedError(computation.output)
    if isinstance(error, OutOfGas):
        raise ExecutionFailedError("out of gas")
    raise ExecutionFailedError(f"execution failed: {type(error).__name__}")


def _decode_reason(output: bytes) -> str:
    """Text of Solidity's `Error(string)`; empty for anything else."""
    if output[:4] != _SOLIDITY_ERROR or len(output) < 4 + 2 * _WORD:
        return ""
    length = int.from_bytes(output[4 + _WORD : 4 + 2 * _WORD], "big")
    return output[4 + 2 * _WORD :][:length].decode("utf-8", "replace")
