"""Revert data to typed errors: selector -> custom error of the committed ABI -> family and words.

Every custom error of the contracts has its own class here, built from the ABI, with a stable
code (`GrantsUsedUp` -> `grants_used_up`) in the family of whose fault it is. An unknown selector
is kept as hex in `UnknownRevertError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from contracts import CONTRACT_NAMES, load_artifact
from ledger_node.core.errors import (
    ConflictError,
    InvariantError,
    MalformedInputError,
    NotFoundError,
    NotPermittedError,
)
from ledger_node.ports.chain import ContractRevertError

_SELECTOR_BYTES: Final = 4
_PLAIN_REVERT: Final = bytes.fromhex("08c379a0")  # Error(string)
_PANIC: Final = bytes.fromhex("4e487b71")  # Panic(uint256)
_REVERT_WORDS: Final = re.compile(r"revert|invalid opcode|out of gas", re.IGNORECASE)
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


class RevertConflictError(ContractRevertError, ConflictError):
    """The contract's state forbids it now: reload and look again."""


class RevertNotPermittedError(ContractRevertError, NotPermittedError):
    """The caller or a named city may not."""


class RevertMalformedError(ContractRevertError, MalformedInputError):
    """An argument is outside what the contract takes."""


class RevertNotFoundError(ContractRevertError, NotFoundError):
    """The contract holds nothing of that name."""


class UnknownRevertError(ContractRevertError, InvariantError):
    """Reverted without a reason this program knows: another contract, or out of gas."""

    code = "contract_reverted_unknown"


# Family and plain words by error name; the rest of an ABI's errors are conflicts named as they are.
_NOT_PERMITTED: Final = {
    "CityLogNotMembership": "只有成员合约可以关闭日志代",
    "GrantsCityNotInGoodStanding": "授权涉及的城市当前不具备成员资格",
    "GrantsRevoked": "授权已被撤回",
    "GrantsNotYetValid": "授权尚未生效",
    "GrantsExpired": "授权已过期",
    "GrantsUsedUp": "授权的使用次数已用完",
    "GrantsNotReleaser": "本市不是该授权的出具城市",
    "GrantsDailyCapReached": "本市今日可撤回的他市授权数量已达上限",
    "MaterialStatusNotCurrent": "该状态合约已不是现行版本",
    "MaterialStatusNotInGoodStanding": "该城市的成员资格已被中止",
    "MaterialStatusTooManyOpen": "未了结的异议数量已达上限",
    "MaterialStatusNotIssuer": "只有签发城市可以了结异议",
    "MaterialStatusNotRaiser": "只有提出异议的城市可以撤回异议",
    "MembershipNotAuthorised": "该账户不是任何城市在此用途上的现行账户",
    "MembershipKeyDistrusted": "该账户已被各成员城市表决不再信任",
    "MembershipNotMember": "该城市不是成员",
    "MembershipNotInGoodStanding": "该城市的成员资格已被中止",
    "MembershipNotCurrent": "该合约已不是现行版本",
    "MembershipForeignChange": "该变更属于另一城市",
    "MembershipQuorumMissing": "赞成的成员不足三分之二",
}
_MALFORMED: Final = {
    "CityLogProofNotEmpty": "首次锚定不应携带一致性证明",
    "GrantsZeroCommitment": "承诺值不能为零",
    "GrantsSameCity": "出具城市与接收城市不能相同",
    "GrantsBadWindow": "授权的有效期不成立",
    "GrantsNoUses": "授权次数至少为一次",
    "GrantsBadBasis": "授权依据不在规定的四种之内",
    "MaterialStatusBadStatus": "状态标志不在规定的四种之内",
    "MaterialStatusBadSuccessor": "只有“已被替代”才有后继材料",
    "MaterialStatusZeroHash": "哈希值不能为零",
    "MaterialStatusBadOutcome": "异议结论不在规定的三种之内",
    "MembershipNoFounders": "联盟至少要有一个创始城市",
    "MembershipZeroPeriod": "延迟与表决期必须大于零",
    "MembershipBadCity": "不是六位行政区划代码",
    "MembershipBadUrl": "节点地址的长度不合规定",
    "MembershipBadKey": "密钥的格式与用途不符",
    "MembershipBadPayload": "提案内容的编码不合规定",
    "MembershipBadSinceBlock": "不再信任的起始区块不成立",
}
_NOT_FOUND: Final = {
    "GrantsUnknown": "链上没有该授权",
    "MaterialStatusNoHead": "该城市当前日志代尚无已锚定的日志头",
    "MaterialStatusUnknownObjection": "链上没有该异议",
    "MembershipNoContract": "该角色尚无现行合约",
    "MembershipUnknownChange": "没有该项变更",
    "MembershipUnknownKey": "该城市在此用途上没有这把密钥",
    "MembershipUnknownProposal": "没有该提案",
}
_CONFLICT: Final = {
    "CityLogWrongOldSize": "链上的日志头已不是该大小",
    "CityLogNotGrowing": "新的日志头没有变大",
    "GrantsTermsSeen": "该授权条款此前已登记或撤回，不能再次使用",
    "GrantsReleaseUsed": "该出具承诺已被使用",
    "GrantsAlreadyRevoked": "该授权此前已被撤回",
    "MaterialStatusAlreadySet": "该状态标志此前已设置",
    "MembershipAlreadyVoted": "该城市此前已投过同样的票",
    "MembershipProposalExpired": "提案已过表决期",
    "MembershipProposalExecuted": "提案此前已执行",
}
_FAMILIES: Final[tuple[tuple[type[ContractRevertError], Mapping[str, str]], ...]] = (
    (RevertNotPermittedError, _NOT_PERMITTED),
    (RevertMalformedError, _MALFORMED),
    (RevertNotFoundError, _NOT_FOUND),
    (RevertConflictError, _CONFLICT),
)


@dataclass(frozen=True, slots=True)
class RevertLayout:
    """One custom error: its class, argument names and ABI types."""

    error: type[ContractRevertError]
    name: str
    argument_names: tuple[str, ...]
    argument_types: tuple[str, ...]
    message_zh: str


@cache
def load_reverts() -> Mapping[bytes, RevertLayout]:
    """Selector -> layout of every custom error in the committed ABI."""
    reverts: dict[bytes, RevertLayout] = {}
    for contract in CONTRACT_NAMES:
        artifact = load_artifact(contract)
        inputs = {
            _signature(item): item["inputs"] for item in artifact.abi if item["type"] == "error"
        }
        for signature, selector in artifact.error_ids.items():
            if selector not in reverts:
                reverts[selector] = _layout(signature, inputs.get(signature))
    return reverts


def _layout(signature: str, inputs: Any) -> RevertLayout:
    name, _, rest = signature.partition("(")
    types = tuple(part for part in rest.rstrip(")").split(",") if part)
    names = tuple(
        item["name"] or f"argument{place}" for place, item in enumerate(inputs or ())
    ) or tuple(f"argument{place}" for place in range(len(types)))
    family, words = next(
        ((family, words[name]) for family, words in _FAMILIES if name in words),
        (RevertConflictError, ""),
    )
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    error = type(f"{name}Error", (family,), {"code": code, "__module__": __name__})
    message_zh = f"{words}（链上合约拒绝：{name}）。" if words else ""
    return RevertLayout(error, name, names, types, message_zh)


def _signature(item: Mapping[str, Any]) -> str:
    return f"{item['name']}({','.join(part['type'] for part in item['inputs'])})"


def decode_revert(data: bytes) -> ContractRevertError:
    """The typed error of a revert.

    Args:
        data: Revert data: selector and ABI arguments; may be empty.
    """
    selector = data[:_SELECTOR_BYTES]
    layout = load_reverts().get(selector)
    if layout is None:
        return UnknownRevertError(selector.hex(), *_describe(data))
    try:
        values = decode(layout.argument_types, data[_SELECTOR_BYTES:])
    except (DecodingError, ValueError, OverflowError):
        return UnknownRevertError(selector.hex(), layout.name, {"data": data})
    arguments = dict(zip(layout.argument_names, values, strict=True))
    return layout.error(selector.hex(), layout.name, arguments, layout.message_zh)


def _describe(data: bytes) -> tuple[str, Mapping[str, object]]:
    """Name and arguments of reverts that are not custom errors of ours."""
    selector, rest = data[:_SELECTOR_BYTES], data[_SELECTOR_BYTES:]
    try:
        if selector == _PLAIN_REVERT:
            return "Error", {"reason": decode(["string"], rest)[0]}
        if selector == _PANIC:
            return "Panic", {"reason": decode(["uint256"], rest)[0]}
    except (DecodingError, ValueError, OverflowError):
        pass
    return "", {"data": data}


def extract_revert_data(code: int, message: str, data: object) -> bytes | None:
    """Revert data out of a JSON-RPC error; None when the error is not a revert.

    Engines differ: hex in `data` (geth, Besu, anvil), an object with `data` inside (older
    clients), or a text around the hex (`Reverted 0x…`).
    """
    while isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if isinstance(data, str):
        found = _HEX.search(data)
        if found:
            return bytes.fromhex(found.group()[2:])
    return b"" if code == 3 or _REVERT_WORDS.search(message) else None
