"""`ports.contracts.Contracts`: calldata and views, encoded by the committed ABI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from contracts import load_artifact
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.events import city_of_division_code, division_code_of_city
from ledger_node.core.merkle import EMPTY_TREE_HEAD, TreeHead
from ledger_node.core.types import (
    Address,
    BlockNumber,
    CityId,
    Commitment,
    GrantId,
    LeafHash,
    ReleaseCommitment,
    RootHash,
    TreeSize,
)
from ledger_node.ports.chain import Chain, ChainUnavailableError
from ledger_node.ports.contracts import (
    FounderEntry,
    GrantView,
    HeldHead,
    ProposalView,
    StatusView,
)

_ZERO32: Final = bytes(32)
_ZERO_ADDRESS: Final = Address(bytes(20))
_FOUNDER: Final = "(uint32,string,bytes32[7])"
_PAYLOADS: Final[tuple[tuple[str, ...], ...]] = (
    ("uint32", "string", "bytes32[7]"),  # AdmitCity
    ("uint32",),  # SuspendCity
    ("uint32",),  # ReinstateCity
    ("uint8", "address", "uint64"),  # RegisterContract
    ("uint32", "uint8", "bytes32", "uint64"),  # DistrustKey
    ("uint32", "uint8", "bytes32"),  # ReplaceKey
    ("uint64",),  # CancelChange
    ("uint32", "uint32", "uint64", "bytes32"),  # CloseGeneration
)
_DEPLOYMENTS: Final[dict[str, tuple[str, ...]]] = {
    "Membership": (f"{_FOUNDER}[]", "uint64", "uint64"),
    "CityLog": ("address", "address"),
    "MaterialStatus": ("address",),
    "Grants": ("address",),
}


class CalldataError(MalformedInputError):
    """A value does not fit its place in a contract call."""

    code = "calldata_malformed"

    def __init__(self, call: str, reason: str) -> None:
        super().__init__(
            f"调用 {call} 的参数不合规定：{reason}。",
            f"An argument of {call} does not fit: {reason}.",
            call=call,
            reason=reason,
        )


class ContractCalls:
    """Calls and views over one chain.

    Args:
        chain: Where views are asked; encoders do not use it.
    """

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def encode_anchor(self, old_size: int, new_head: TreeHead, proof: Sequence[bytes]) -> bytes:
        """`CityLog.anchor`."""
        return _call(
            "CityLog",
            "anchor(uint64,uint64,bytes32,bytes32[])",
            (old_size, new_head.size, new_head.root, list(proof)),
        )

    def encode_record(
        self,
        terms: GrantId,
        releasing: CityId,
        receiving: CityId,
        not_before_s: int,
        not_after_s: int,
        uses: int,
        basis: int,
        evidence: Commitment,
    ) -> bytes:
        """`Grants.record`."""
        return _call(
            "Grants",
            "record(bytes32,uint32,uint32,uint64,uint64,uint32,uint8,bytes32)",
            (
                terms,
                division_code_of_city(releasing),
                division_code_of_city(receiving),
                not_before_s,
                not_after_s,
                uses,
                basis,
                evidence,
            ),
        )

    def encode_revoke(self, terms: GrantId) -> bytes:
        """`Grants.revoke`."""
        return _call("Grants", "revoke(bytes32)", (terms,))

    def encode_consume(self, terms: GrantId, release: ReleaseCommitment) -> bytes:
        """`Grants.consume`."""
        return _call("Grants", "consume(bytes32,bytes32)", (terms, release))

    def encode_set_status(
        self, leaf_hash: LeafHash, status: int, successor: Commitment | None = None
    ) -> bytes:
        """`MaterialStatus.setStatus`."""
        return _call(
            "MaterialStatus",
            "setStatus(bytes32,uint8,bytes32)",
            (leaf_hash, status, _ZERO32 if successor is None else successor),
        )

    def encode_raise_objection(
        self,
        city: CityId,
        leaf_hash: LeafHash,
        leaf_index: int,
        proof: Sequence[bytes],
        reason: Commitment,
    ) -> bytes:
        """`MaterialStatus.raiseObjection`."""
        return _call(
            "MaterialStatus",
            "raiseObjection(uint32,bytes32,uint64,bytes32[],bytes32)",
            (division_code_of_city(city), leaf_hash, leaf_index, list(proof), reason),
        )

    def encode_close_objection(self, objection_id: int, outcome: int) -> bytes:
        """`MaterialStatus.closeObjection`."""
        return _call("MaterialStatus", "closeObjection(uint64,uint8)", (objection_id, outcome))

    def encode_withdraw_objection(self, objection_id: int) -> bytes:
        """`MaterialStatus.withdrawObjection`."""
        return _call("MaterialStatus", "withdrawObjection(uint64)", (objection_id,))

    def encode_announce_key(self, role: int, key: bytes) -> bytes:
        """`Membership.announceKey`."""
        return _call("Membership", "announceKey(uint8,bytes32)", (role, key))

    def encode_announce_url(self, url: str) -> bytes:
        """`Membership.announceUrl`."""
        return _call("Membership", "announceUrl(string)", (url,))

    def encode_cancel_change(self, change_id: int) -> bytes:
        """`Membership.cancelChange`."""
        return _call("Membership", "cancelChange(uint64)", (change_id,))

    def encode_propose(self, kind: int, payload: bytes, paper: bytes = _ZERO32) -> bytes:
        """`Membership.propose`."""
        return _call("Membership", "propose(uint8,bytes,bytes32)", (kind, payload, paper))

    def encode_vote(self, proposal_id: int, support: bool) -> bytes:
        """`Membership.vote`."""
        return _call("Membership", "vote(uint64,bool)", (proposal_id, support))

    def encode_execute(self, proposal_id: int) -> bytes:
        """`Membership.execute`."""
        return _call("Membership", "execute(uint64)", (proposal_id,))

    def encode_proposal_payload(self, kind: int, values: Sequence[object]) -> bytes:
        """What a proposal of `kind` carries; cities are six-digit codes."""
        if not 0 <= kind < len(_PAYLOADS):
            raise CalldataError("propose", f"kind {kind}")
        return _encode(f"propose, kind {kind}", _PAYLOADS[kind], _with_division_codes(values))

    def encode_deployment(self, contract: str, arguments: Sequence[object]) -> bytes:
        """Creation code and constructor arguments; founders as `FounderEntry`."""
        plain = [
            [_founder(item) for item in value] if isinstance(value, list | tuple) else value
            for value in arguments
        ]
        return load_artifact(contract).bytecode + _encode(contract, _DEPLOYMENTS[contract], plain)

    def fetch_head(
        self, city_log: Address, city: CityId, *, block: BlockNumber | None = None
    ) -> HeldHead:
        """`CityLog.head`; the empty tree head when none is anchored in the generation."""
        generation, size, root, number = self._view(
            city_log,
            _call("CityLog", "head(uint32)", (division_code_of_city(city),)),
            ("uint32", "uint64", "bytes32", "uint64"),
            block,
        )
        head = TreeHead(TreeSize(size), RootHash(root)) if size else EMPTY_TREE_HEAD
        return HeldHead(generation, head, BlockNumber(number))

    def fetch_grant(
        self, grants: Address, terms: GrantId, *, block: BlockNumber | None = None
    ) -> GrantView:
        """`Grants.grantOf`."""
        types = ("uint8", *("uint32",) * 3, "uint64", "uint64", "uint32", "uint8", "bytes32")
        state, releasing, receiving, recorder, *rest = self._view(
            grants, _call("Grants", "grantOf(bytes32)", (terms,)), types, block
        )
        not_before_s, not_after_s, uses_left, basis, evidence = rest
        return GrantView(
            state,
            city_of_division_code(releasing),
            city_of_division_code(receiving),
            city_of_division_code(recorder),
            not_before_s,
            not_after_s,
            uses_left,
            basis,
            Commitment(evidence),
        )

    def fetch_status(
        self,
        material_status: Address,
        city: CityId,
        leaf_hash: LeafHash,
        *,
        block: BlockNumber | None = None,
    ) -> StatusView:
        """`MaterialStatus.statusOf`."""
        call = _call(
            "MaterialStatus", "statusOf(uint32,bytes32)", (division_code_of_city(city), leaf_hash)
        )
        flags, successor = self._view(material_status, call, ("uint8", "bytes32"), block)
        return StatusView(flags, Commitment(successor))

    def fetch_current_contract(
        self, membership: Address, role: int, *, block: BlockNumber | None = None
    ) -> Address | None:
        """`Membership.currentContract`; None before the first."""
        call = _call("Membership", "currentContract(uint8)", (role,))
        (text,) = self._view(membership, call, ("address",), block)
        address = Address(bytes.fromhex(text[2:]))
        return None if address == _ZERO_ADDRESS else address

    def fetch_proposal(
        self, membership: Address, proposal_id: int, *, block: BlockNumber | None = None
    ) -> ProposalView:
        """`Membership.proposalOf`."""
        types = ("uint8", "bytes", "uint64", "bool", "uint256", "uint256")
        call = _call("Membership", "proposalOf(uint64)", (proposal_id,))
        return ProposalView(*self._view(membership, call, types, block))

    def _view(
        self, to: Address, data: bytes, types: Sequence[str], block: BlockNumber | None
    ) -> tuple[Any, ...]:
        answer = self._chain.call(to, data, block=block)
        try:
            return tuple(decode(types, answer))
        except (DecodingError, ValueError, OverflowError) as error:
            raise ChainUnavailableError("view answer does not fit the ABI") from error


def _call(contract: str, signature: str, values: Sequence[object]) -> bytes:
    """Selector from the committed ABI and encoded arguments."""
    types = _split_types(signature)
    return load_artifact(contract).method_ids[signature] + _encode(signature, types, values)


def _split_types(signature: str) -> tuple[str, ...]:
    inside = signature[signature.index("(") + 1 : -1]
    return tuple(part for part in inside.split(",") if part)


def _encode(what: str, types: Sequence[str], values: Sequence[object]) -> bytes:
    """ABI encoding that refuses short byte strings, which the encoder would pad."""
    for kind, value in zip(types, values, strict=True):
        _demand_words(what, kind, value)
    try:
        return encode(types, values)
    except (EncodingError, TypeError, ValueError, OverflowError) as error:
        raise CalldataError(what, str(error).splitlines()[0][:120]) from error


def _demand_words(what: str, kind: str, value: object) -> None:
    if kind == "bytes32" and (not isinstance(value, bytes) or len(value) != 32):
        raise CalldataError(what, "not 32 bytes")
    if kind.startswith("bytes32[") and isinstance(value, list | tuple):
        for item in value:
            _demand_words(what, "bytes32", item)


def _with_division_codes(values: Sequence[object]) -> list[object]:
    """A six-digit text that leads a payload is a city (URLs and keys never lead one)."""
    plain = list(values)
    if plain and isinstance(plain[0], str):
        plain[0] = division_code_of_city(CityId(plain[0]))
    return plain


def _founder(founder: FounderEntry) -> tuple[int, str, list[bytes]]:
    for key in founder.keys:
        _demand_words("Membership", "bytes32", key)
    return division_code_of_city(founder.city), founder.url, list(founder.keys)
