"""A bare EVM for contract tests: one state, real signed transactions, time moved by hand.

py-evm without blocks: exact gas, full revert data, no waiting. Nothing of ledger_node is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.paris.state import ParisState
from eth.vm.forks.paris.transactions import ParisTransactionBuilder
from eth_abi import decode, encode
from eth_hash.auto import keccak
from eth_keys import keys

from contracts import Artifact, load_artifact, load_error_signatures

CHAIN_ID = 1337
GAS_LIMIT = 30_000_000
START_S = 1_800_000_000


class RevertedError(Exception):
    """A transaction or call was refused by a custom error."""

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        super().__init__(f"{name}{args}")
        self.name = name
        self.values = args


@contextmanager
def refused(name: str, *args: Any) -> Iterator[None]:
    """The block must be refused with exactly this error, and these arguments if given."""
    with pytest.raises(RevertedError) as caught:
        yield
    assert caught.value.name == name, caught.value
    assert not args or caught.value.values == args, caught.value


@dataclass(frozen=True)
class Receipt:
    """What a transaction did. `events` are (name, values by name) of the known contracts."""

    gas_used: int
    lookup_gas: int
    events: list[tuple[str, dict[str, Any]]]
    returned: bytes
    created: bytes


def account(number: int) -> keys.PrivateKey:
    return keys.PrivateKey(number.to_bytes(32, "big"))


def types_of(items: list[dict[str, Any]]) -> list[str]:
    return [_type(item) for item in items]


def _type(item: dict[str, Any]) -> str:
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    return f"({','.join(types_of(item['components']))}){item['type'][5:]}"


class Evm:
    """One chain state and the contracts deployed on it."""

    def __init__(self, stored: dict[bytes, bytes] | None = None, root: Any = None) -> None:
        self.block_number = 1
        self.timestamp_s = START_S
        self.stored = MemoryDB(stored or {})
        self.state = ParisState(AtomicDB(self.stored), self._context(), root or BLANK_ROOT_HASH)

    def fork(self) -> Evm:
        """An independent copy of the state as it is now."""
        self.state.persist()
        copy = Evm(dict(self.stored.kv_store), self.state.make_state_root())
        copy.advance(self.timestamp_s - START_S, self.block_number - 1)
        return copy

    def _context(self) -> ExecutionContext:
        return ExecutionContext(
            coinbase=b"\xcb" * 20,
            timestamp=self.timestamp_s,
            block_number=self.block_number,
            difficulty=0,
            mix_hash=b"\x00" * 32,
            gas_limit=GAS_LIMIT,
            prev_hashes=(),
            chain_id=CHAIN_ID,
            base_fee_per_gas=0,
        )

    def advance(self, seconds: int = 1, blocks: int = 1) -> None:
        self.timestamp_s += seconds
        self.block_number += blocks
        self.state.execution_context = self._context()

    def send(
        self, key: keys.PrivateKey, to: bytes, data: bytes, lookup: bytes | None = None
    ) -> Receipt:
        """Apply one signed transaction; raises RevertedError if the contract refuses it."""
        try:
            return self._apply(key, to, data, lookup)
        finally:
            self.state.lock_changes()

    def _apply(
        self, key: keys.PrivateKey, to: bytes, data: bytes, lookup: bytes | None = None
    ) -> Receipt:
        sender = key.public_key.to_canonical_address()
        unsigned = ParisTransactionBuilder.create_unsigned_transaction(
            nonce=self.state.get_nonce(sender),
            gas_price=0,
            gas=GAS_LIMIT,
            to=to,
            value=0,
            data=data,
        )
        computation = self.state.apply_transaction(unsigned.as_signed_transaction(key, CHAIN_ID))
        if computation.is_error:
            raise _parse_revert(computation)
        spent = GAS_LIMIT - computation.get_gas_remaining()
        refund = min(computation.get_gas_refund(), spent // 5)
        children = [child for child in computation.children if child.msg.to == lookup]
        return Receipt(
            gas_used=spent - refund,
            lookup_gas=sum(child.get_gas_used() for child in children),
            events=[_parse_event(*entry) for entry in computation.get_log_entries()],
            returned=computation.output,
            created=computation.msg.storage_address,
        )

    def call(self, to: bytes, data: bytes, sender: keys.PrivateKey | None = None) -> bytes:
        """Like send, but everything is rolled back."""
        snapshot = self.state.snapshot()
        try:
            return self._apply(sender or account(1), to, data).returned
        finally:
            self.state.revert(snapshot)
            self.state.lock_changes()

    def deploy(self, name: str, *args: Any, artifact: Artifact | None = None) -> Contract:
        artifact = artifact or load_artifact(name)
        inputs = next((i["inputs"] for i in artifact.abi if i["type"] == "constructor"), [])
        data = artifact.bytecode + encode(types_of(inputs), args)
        return Contract(self, artifact, self.send(account(1), b"", data).created)


class Contract:
    """A deployed contract: `contract.send(key, "vote", 1, True)`, `contract.call("members")`."""

    def __init__(self, evm: Evm, artifact: Artifact, address: bytes) -> None:
        self.evm = evm
        self.artifact = artifact
        self.address = address
        self.functions = {i["name"]: i for i in artifact.abi if i["type"] == "function"}
        self.selectors = {name.split("(")[0]: value for name, value in artifact.method_ids.items()}

    def on(self, evm: Evm) -> Contract:
        """The same contract on a copy of the chain."""
        return Contract(evm, self.artifact, self.address)

    def data(self, function: str, *args: Any) -> bytes:
        inputs = self.functions[function]["inputs"]
        return self.selectors[function] + encode(types_of(inputs), args)

    def send(
        self, key: keys.PrivateKey, function: str, *args: Any, lookup: bytes | None = None
    ) -> Receipt:
        return self.evm.send(key, self.address, self.data(function, *args), lookup)

    def call(self, function: str, *args: Any, sender: keys.PrivateKey | None = None) -> Any:
        returned = self.evm.call(self.address, self.data(function, *args), sender)
        values = decode(types_of(self.functions[function]["outputs"]), returned)
        return values[0] if len(values) == 1 else values


def _parse_revert(computation: Any) -> RevertedError:
    data = computation.output
    signature = load_error_signatures().get(data[:4])
    if signature is None:
        return RevertedError(f"{type(computation.error).__name__}:{data.hex()}", ())
    name, _, types = signature.rstrip(")").partition("(")
    return RevertedError(name, decode(types.split(",") if types else [], data[4:]))


def _event_table() -> dict[int, dict[str, Any]]:
    table = {}
    for name in ("Membership", "CityLog", "MaterialStatus", "Grants", "Catalogue"):
        for item in load_artifact(name).abi:
            if item["type"] == "event":
                signature = f"{item['name']}({','.join(types_of(item['inputs']))})"
                table[int.from_bytes(keccak(signature.encode()), "big")] = item
    return table


EVENTS = _event_table()


def _parse_event(
    _address: bytes, topics: tuple[int, ...], data: bytes
) -> tuple[str, dict[str, Any]]:
    item = EVENTS[topics[0]]
    indexed = [i for i in item["inputs"] if i["indexed"]]
    plain = [i for i in item["inputs"] if not i["indexed"]]
    values = dict(zip((i["name"] for i in plain), decode(types_of(plain), data), strict=True))
    for i, topic in zip(indexed, topics[1:], strict=True):
        values[i["name"]] = decode([_type(i)], topic.to_bytes(32, "big"))[0]
    return item["name"], values
