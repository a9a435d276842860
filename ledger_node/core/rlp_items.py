"""Reading RLP strictly: one accepted spelling for each value.

Used by step 9 (proofs of the chain inside receipts). Spec: Ethereum yellow paper, appendix B;
docs/spec/receipt-v1.md, "Chain".

Invariants:
    * What was read, written again, is the same bytes.
Not here: what the items mean (block_header.py, qbft.py, trie_proof.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

import rlp  # type: ignore[import-untyped]

from ledger_node.core.errors import MalformedInputError

RlpItem: TypeAlias = "bytes | Sequence[RlpItem]"


class MalformedRlpError(MalformedInputError):
    """The bytes are not the one RLP spelling of what is expected here.

    Fields: what.
    """

    code = "malformed_rlp"


def decode_rlp(data: bytes, *, what: str) -> RlpItem:
    """Read one item that fills `data`.

    Raises:
        MalformedRlpError: Not RLP, something behind it, or another than the shortest spelling.
    """
    try:
        item = cast("RlpItem", rlp.decode(data))
        again = encode_rlp(item)
    except (rlp.exceptions.RLPException, IndexError, RecursionError) as error:
        raise refuse_rlp(what, "读不出", "is not readable") from error
    if again != data:
        raise refuse_rlp(what, "写法不是唯一的", "is not in its one spelling")
    return item


def encode_rlp(item: RlpItem) -> bytes:
    """Write an item."""
    return cast("bytes", rlp.encode(item))


def demand_items(item: RlpItem, *, what: str) -> Sequence[RlpItem]:
    """Check that an item is a list.

    Raises:
        MalformedRlpError: It is bytes.
    """
    if isinstance(item, bytes):
        raise refuse_rlp(what, "应为列表", "should be a list")
    return item


def demand_bytes(item: RlpItem, *, what: str, length_bytes: int | None = None) -> bytes:
    """Check that an item is bytes, of a length if one is given.

    Raises:
        MalformedRlpError: It is a list, or of another length.
    """
    if not isinstance(item, bytes) or length_bytes not in (None, len(item)):
        raise refuse_rlp(what, "不是所要的字节", "is not the bytes expected")
    return item


def demand_scalar(item: RlpItem, *, what: str, maximum: int) -> int:
    """Check that an item is an integer without leading zero bytes, at most `maximum`.

    Raises:
        MalformedRlpError: It is none, or larger.
    """
    data = demand_bytes(item, what=what)
    value = int.from_bytes(data, "big")
    if data.startswith(b"\x00") or value > maximum:
        raise refuse_rlp(what, "不是合格的整数", "is no acceptable integer")
    return value


def refuse_rlp(what: str, reason_zh: str, reason_en: str) -> MalformedRlpError:
    """Build the error for bytes that are not what belongs here."""
    return MalformedRlpError(f"{what}：{reason_zh}。", f"{what} {reason_en}.", what=what)
