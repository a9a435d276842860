"""Methods about accounts and contract state, at any block."""

from __future__ import annotations

from collections.abc import Callable

from eth_typing import Address

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.execution import (
    CallMessage,
    ExecutionFailedError,
    ExecutionRevertedError,
    call,
    estimate_gas,
)
from ledger_node.localchain.proof import AccountProof, build_proof
from ledger_node.localchain.rpc.errors import (
    EXECUTION_REVERTED,
    SERVER_ERROR,
    RpcError,
    invalid_params,
)
from ledger_node.localchain.rpc.params import (
    load_header,
    parse_address,
    parse_data,
    parse_quantity,
    parse_slot,
)
from ledger_node.localchain.rpc.views import to_hex

MAX_SLOTS = 1_024
ZERO_ADDRESS = "0x" + "00" * 20
Method = Callable[..., object]


class StateMethods:
    """One method per JSON-RPC name."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain

    def table(self) -> dict[str, Method]:
        """Names and handlers."""
        return {
            "eth_getBalance": self.balance,
            "eth_getTransactionCount": self.transaction_count,
            "eth_getCode": self.code,
            "eth_getStorageAt": self.storage_at,
            "eth_getProof": self.proof,
            "eth_call": self.call,
            "eth_estimateGas": self.estimate_gas,
        }

    def balance(self, address: object, block: object = "latest") -> object:
        state = self._chain.state_at(load_header(self._chain, block))
        return hex(state.get_balance(Address(parse_address(address))))

    def transaction_count(self, address: object, block: object = "latest") -> object:
        account = parse_address(address)
        if block == "pending":
            return hex(self._chain.pending_nonce(account))
        state = self._chain.state_at(load_header(self._chain, block))
        return hex(state.get_nonce(Address(account)))

    def code(self, address: object, block: object = "latest") -> object:
        state = self._chain.state_at(load_header(self._chain, block))
        return to_hex(state.get_code(Address(parse_address(address))))

    def storage_at(self, address: object, slot: object, block: object = "latest") -> object:
        state = self._chain.state_at(load_header(self._chain, block))
        return f"0x{state.get_storage(Address(parse_address(address)), parse_slot(slot)):064x}"

    def proof(self, address: object, slots: object, block: object = "latest") -> object:
        if not isinstance(slots, list) or len(slots) > MAX_SLOTS:
            raise invalid_params(f"storage keys must be a list of at most {MAX_SLOTS}")
        account = parse_address(address)
        header = load_header(self._chain, block)
        found = build_proof(self._chain, header, account, [parse_slot(slot) for slot in slots])
        return _show_proof(account, slots, found)

    def call(self, message: object, block: object = "latest") -> object:
        header = load_header(self._chain, block)
        try:
            return to_hex(call(self._chain, header, _parse_message(message)))
        except (ExecutionRevertedError, ExecutionFailedError) as error:
            raise _translate(error) from error

    def estimate_gas(self, message: object, block: object = "latest") -> object:
        header = load_header(self._chain, block)
        try:
            return hex(estimate_gas(self._chain, header, _parse_message(message)))
        except (ExecutionRevertedError, ExecutionFailedError) as error:
            raise _translate(error) from error


def _translate(error: ExecutionRevertedError | ExecutionFailedError) -> RpcError:
    if isinstance(error, ExecutionRevertedError):
        return RpcError(EXECUTION_REVERTED, str(error), to_hex(error.output))
    return RpcError(SERVER_ERROR, str(error))


def _parse_message(value: object) -> CallMessage:
    if not isinstance(value, dict):
        raise invalid_params("call must be an object")
    data, same = value.get("input"), value.get("data")
    if data is not None and same is not None and data != same:
        raise invalid_params("input and data differ")
    to, gas = value.get("to"), value.get("gas")
    return CallMessage(
        sender=parse_address(value.get("from") or ZERO_ADDRESS, "from"),
        to=b"" if to is None else parse_address(to, "to"),
        data=parse_data(data or same or "0x", "data"),
        value_wei=parse_quantity(value.get("value") or "0x0", "value"),
        gas=None if gas is None else parse_quantity(gas, "gas"),
    )


def _show_proof(address: bytes, slots: list[object], found: AccountProof) -> dict[str, object]:
    return {
        "address": to_hex(address),
        "balance": hex(found.account.balance),
        "nonce": hex(found.account.nonce),
        "codeHash": to_hex(found.account.code_hash),
        "storageHash": to_hex(found.account.storage_root),
        "accountProof": [to_hex(node) for node in found.nodes],
        "storageProof": [
            {
                "key": asked,
                "value": hex(proof.value),
                "proof": [to_hex(node) for node in proof.nodes],
            }
            for asked, proof in zip(slots, found.storage, strict=True)
        ],
    }
