"""A chain in memory that reorganises, drops and fails on cue; passes tests/conformance.

Signed bytes are decoded and checked as a node would; contracts are small Python models that emit
the real events and revert with the real selectors. State is kept per block, so that past blocks
can be asked and a reorganisation is a cut and new blocks with other hashes.
"""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import rlp
from eth_abi import decode, encode
from eth_account import Account
from eth_hash.auto import keccak

from contracts import load_artifact
from ledger_node.core.bloom import compute_bloom
from ledger_node.core.event_types import ContractRole
from ledger_node.core.events import EVENT_LAYOUTS
from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead, verify_consistency
from ledger_node.core.receipt_chain import AccountEvidence, LogEvidence
from ledger_node.core.types import (
    Address,
    BlockHash,
    BlockNumber,
    RootHash,
    TreeSize,
    TxHash,
)
from ledger_node.edges.chain.errors import decode_revert
from ledger_node.ports.chain import (
    BlockRef,
    ChainIdentity,
    ChainUnavailableError,
    RawLog,
    TransactionRefusedError,
    TxOutcome,
)

Emitted = tuple[tuple[bytes, ...], bytes]
START_S = 1_790_000_000


class RevertError(Exception):
    """A contract model refuses."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data.hex())
        self.data = data


def revert(contract: str, signature: str, *arguments: object) -> RevertError:
    types = [part for part in signature[signature.index("(") + 1 : -1].split(",") if part]
    return RevertError(load_artifact(contract).error_ids[signature] + encode(types, arguments))


class FakeMembership:
    """Answers which contract is current; emits what it is told to."""

    code = b"membership"

    def __init__(self, contracts: dict[int, Address]) -> None:
        self._contracts = contracts

    def run(
        self, state: dict[Any, Any], sender: Address | None, data: bytes, number: int
    ) -> tuple[bytes, list[Emitted]]:
        if data[:4] != load_artifact("Membership").method_ids["currentContract(uint8)"]:
            raise RevertError(b"")
        (role,) = decode(["uint8"], data[4:])
        return encode(["address"], [self._contracts.get(role, bytes(20))]), []


class FakeCityLog:
    """`anchor` and `head` with the contract's rules; accounts are told, not looked up."""

    code = b"city log"

    def __init__(self, cities: dict[Address, int]) -> None:
        self._cities = cities
        self._methods = load_artifact("CityLog").method_ids

    def run(
        self, state: dict[Any, Any], sender: Address | None, data: bytes, number: int
    ) -> tuple[bytes, list[Emitted]]:
        if data[:4] == self._methods["head(uint32)"]:
            (city,) = decode(["uint32"], data[4:])
            size, root, anchored = state.get(city, (0, bytes(32), 0))
            types = ["uint32", "uint64", "bytes32", "uint64"]
            return encode(types, [1, size, root, anchored]), []
        if data[:4] != self._methods["anchor(uint64,uint64,bytes32,bytes32[])"]:
            raise RevertError(b"")
        if sender not in self._cities:
            raise revert(
                "Membership", "MembershipNotAuthorised(address,uint8)", sender or bytes(20), 0
            )
        return b"", [self._anchor(state, self._cities[sender], data, number)]

    def _anchor(self, state: dict[Any, Any], city: int, data: bytes, number: int) -> Emitted:
        types = ["uint64", "uint64", "bytes32", "bytes32[]"]
        old_size, size, root, proof = decode(types, data[4:])
        held_size, held_root, _ = state.get(city, (0, EMPTY_TREE_HEAD.root, 0))
        if old_size != held_size:
            raise revert("CityLog", "CityLogWrongOldSize(uint64,uint64)", held_size, old_size)
        if size <= held_size:
            raise revert("CityLog", "CityLogNotGrowing(uint64,uint64)", held_size, size)
        if held_size:
            old = TreeHead(TreeSize(held_size), RootHash(held_root))
            verify_consistency(old, TreeHead(TreeSize(size), RootHash(root)), proof)
        state[city] = (size, root, number)
        topic = EVENT_LAYOUTS[ContractRole.CITY_LOG][0].topic
        words = (topic, city.to_bytes(32, "big"), (1).to_bytes(32, "big"))
        return words, encode(["uint64", "bytes32"], [size, root])


@dataclass
class _Block:
    ref: BlockRef
    raw: list[bytes]
    outcomes: list[TxOutcome]
    logs: list[RawLog]
    nonces: dict[Address, int]
    state: dict[Address, dict[Any, Any]]


@dataclass
class FakeChain:
    """`ports.chain.Chain` in memory.

    Attributes:
        automine: A block for every sent batch; otherwise `mine` makes them.
        step_s: Seconds between blocks.
        finalized: Number behind the `finalized` tag; None answers none.
    """

    contracts: dict[Address, Any] = field(default_factory=dict)
    chain_id: int = 5101
    automine: bool = True
    step_s: int = 1
    finalized: int | None = None
    fired: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._salt = 0
        self._pool: dict[tuple[Address, int], bytes] = {}
        self._after_accept: Exception | None = None
        self._before: list[Exception] = []
        self._blocks: list[_Block] = []
        self._append([], [], [], {}, {address: {} for address in self.contracts})

    # --- faults -------------------------------------------------------------------------------

    def accept_then_fail_send(self) -> None:
        """The next send is taken, and then nobody answers."""
        self._after_accept = ChainUnavailableError("connection reset after accepting")

    def fail_next(self, times: int = 1) -> None:
        """The next calls of any kind find nobody."""
        self._before += [ChainUnavailableError("connection refused")] * times

    def drop_tx(self) -> int:
        """Forget what waits in the pool; returns how many."""
        dropped = len(self._pool)
        self._pool.clear()
        self.fired.append("drop_tx")
        return dropped

    def reorg(self, depth: int, fate: str = "again") -> None:
        """Replace the last `depth` blocks by `depth + 1` others.

        Args:
            fate: Of their transactions: `again` in the first new block, `later` in the last,
                `dropped`.
        """
        before = [block.ref.hash for block in self._blocks[-depth:]]
        cut, self._blocks = self._blocks[-depth:], self._blocks[:-depth]
        self._salt += 1
        returned = [raw for block in cut for raw in block.raw]
        if fate == "again":
            self._take(returned)
        self.mine()
        for _ in range(depth - 1):
            self.mine()
        if fate == "later":
            self._take(returned)
        self.mine()
        after = [block.ref.hash for block in self._blocks[-depth - 1 :]]
        assert not set(before) & set(after), "the hashes did not change"
        self.fired.append("reorg")

    def _fault(self) -> None:
        if self._before:
            self.fired.append("fail")
            raise self._before.pop(0)

    # --- making blocks ------------------------------------------------------------------------

    def mine(self, blocks: int = 1) -> None:
        """Blocks with whatever can run, in nonce order."""
        for _ in range(blocks):
            self._mine_one()

    def emit(self, emitted: Sequence[tuple[Address, Emitted]]) -> None:
        """One block with a transaction for each of these logs."""
        logs = [
            (place, address, topics, data)
            for place, (address, (topics, data)) in enumerate(emitted)
        ]
        self._salt += 1
        raw = [b"emit" + bytes([place]) + self._salt.to_bytes(8, "big") for place, *_ in logs]
        last = self._blocks[-1]
        self._append(raw, [True] * len(raw), logs, last.nonces, last.state)

    def _mine_one(self) -> None:
        last = self._blocks[-1]
        nonces, state = dict(last.nonces), copy.deepcopy(last.state)
        raw, succeeded, logs = [], [], []
        while ready := [key for key in self._pool if key[1] == nonces.get(key[0], 0)]:
            sender, nonce = ready[0]
            item = self._pool.pop((sender, nonce))
            nonces[sender] = nonce + 1
            worked, emitted = self._run(item, sender, state, last.ref.number + 1)
            logs += [(len(raw), *log) for log in emitted]
            raw.append(item)
            succeeded.append(worked)
        self._append(raw, succeeded, logs, nonces, state)

    def _run(
        self, raw: bytes, sender: Address, state: dict[Address, dict[Any, Any]], number: int
    ) -> tuple[bool, list[tuple[Address, tuple[bytes, ...], bytes]]]:
        fields: Any = rlp.decode(raw)
        to, data = Address(fields[3]), fields[5]
        contract = self.contracts.get(to)
        if contract is None:
            return True, []
        trial = copy.deepcopy(state[to])
        try:
            _, emitted = contract.run(trial, sender, data, number)
        except Exception:  # a revert or a refused proof: the transaction is in, and failed
            return False, []
        state[to] = trial
        return True, [(to, topics, payload) for topics, payload in emitted]

    def _append(
        self,
        raw: list[bytes],
        succeeded: list[bool],
        logs: list[tuple[int, Address, tuple[bytes, ...], bytes]],
        nonces: dict[Address, int],
        state: dict[Address, dict[Any, Any]],
    ) -> None:
        number = BlockNumber(len(self._blocks))
        parent = self._blocks[-1].ref.hash if self._blocks else BlockHash(bytes(32))
        seed = b"".join(keccak(item) for item in raw) + repr((number, self._salt)).encode()
        hash_ = BlockHash(hashlib.sha256(parent + seed).digest())
        hashes = [TxHash(keccak(item)) for item in raw]
        placed = [
            RawLog(address, topics, data, number, hash_, hashes[place], index)
            for index, (place, address, topics, data) in enumerate(logs)
        ]
        bloom = compute_bloom(item for log in placed for item in (log.address, *log.topics))
        time_s = START_S + number * self.step_s
        ref = BlockRef(number, hash_, parent, time_s, bloom, tuple(hashes))
        counts = Counter(place for place, *_ in logs)
        outcomes = [
            TxOutcome(tx_hash, number, hash_, worked, 50_000, counts[place])
            for place, (tx_hash, worked) in enumerate(zip(hashes, succeeded, strict=True))
        ]
        self._blocks.append(_Block(ref, raw, outcomes, placed, nonces, state))

    def _take(self, transactions: Iterable[bytes]) -> None:
        nonces = self._blocks[-1].nonces
        for raw in transactions:
            if raw.startswith(b"emit"):
                continue
            try:
                fields: Any = rlp.decode(raw)
                sender = Address(bytes.fromhex(Account.recover_transaction(raw)[2:]))
            except Exception as error:
                raise TransactionRefusedError("not a transaction") from error
            nonce = int.from_bytes(fields[0], "big")
            if nonce >= nonces.get(sender, 0):
                self._pool.setdefault((sender, nonce), raw)

    # --- the port -----------------------------------------------------------------------------

    def fetch_identity(self) -> ChainIdentity:
        self._fault()
        return ChainIdentity(self.chain_id, self._blocks[0].ref.hash)

    def fetch_head(self) -> BlockRef:
        self._fault()
        return self._blocks[-1].ref

    def fetch_finalized(self) -> BlockRef | None:
        self._fault()
        return None if self.finalized is None else self._blocks[self.finalized].ref

    def fetch_blocks(self, numbers: Sequence[BlockNumber]) -> list[BlockRef | None]:
        self._fault()
        return [
            self._blocks[number].ref if number < len(self._blocks) else None for number in numbers
        ]

    def fetch_logs(
        self, first: BlockNumber, last: BlockNumber, addresses: Sequence[Address]
    ) -> list[RawLog]:
        self._fault()
        return [
            log
            for block in self._blocks[first : last + 1]
            for log in block.logs
            if not addresses or log.address in addresses
        ]

    def fetch_outcomes(self, tx_hashes: Sequence[TxHash]) -> list[TxOutcome | None]:
        self._fault()
        known = {outcome.tx_hash: outcome for block in self._blocks for outcome in block.outcomes}
        return [known.get(tx_hash) for tx_hash in tx_hashes]

    def fetch_nonce(self, account: Address, *, block: BlockNumber | None = None) -> int:
        self._fault()
        return self._at(block).nonces.get(account, 0)

    def fetch_header(self, number: BlockNumber) -> bytes:
        """Its blocks have hashes and no headers: nothing can be proven of it."""
        self._fault()
        raise ChainUnavailableError("no headers")

    def fetch_log_proof(self, number: BlockNumber, log_index: int) -> LogEvidence:
        self._fault()
        raise ChainUnavailableError("no receipts")

    def fetch_account_proof(
        self, number: BlockNumber, address: Address, slots: Sequence[bytes]
    ) -> AccountEvidence:
        self._fault()
        raise ChainUnavailableError("no state")

    def fetch_code_hash(self, address: Address) -> bytes:
        self._fault()
        contract = self.contracts.get(address)
        return keccak(b"" if contract is None else contract.code)

    def call(
        self,
        to: Address,
        data: bytes,
        *,
        sender: Address | None = None,
        block: BlockNumber | None = None,
    ) -> bytes:
        self._fault()
        at = self._at(block)
        if to not in self.contracts:
            return b""
        try:
            state = copy.deepcopy(at.state[to])
            answer, _ = self.contracts[to].run(state, sender, data, at.ref.number + 1)
        except RevertError as error:
            raise decode_revert(error.data) from error
        return bytes(answer)

    def estimate_gas(self, to: Address | None, data: bytes, *, sender: Address) -> int:
        if to is not None:
            self.call(to, data, sender=sender)
        return 100_000

    def send_transactions(self, raw: Iterable[bytes]) -> list[TxHash]:
        self._fault()
        transactions = list(raw)
        self._take(transactions)
        if self.automine:
            self.mine()
        if self._after_accept is not None:
            error, self._after_accept = self._after_accept, None
            self.fired.append("accept_then_fail_send")
            raise error
        return [TxHash(keccak(item)) for item in transactions]

    def _at(self, block: BlockNumber | None) -> _Block:
        return self._blocks[-1 if block is None else block]
