"""Parameters of JSON-RPC calls: hex text to numbers and bytes, block names to headers."""

from __future__ import annotations

import re

from eth.abc import BlockHeaderAPI
from eth.exceptions import HeaderNotFound
from eth_typing import BlockNumber, Hash32

from ledger_node.localchain.chain import LocalChain
from ledger_node.localchain.rpc.errors import SERVER_ERROR, RpcError, invalid_params

HEAD_TAGS = frozenset({"latest", "pending", "safe", "finalized"})
_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})\Z")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*\Z")


def parse_quantity(value: object, name: str) -> int:
    """A number: `0x` and hex digits without leading zeros, at most 256 bits."""
    if not isinstance(value, str) or not _QUANTITY.match(value):
        raise invalid_params(f"{name} must be a hex quantity")
    return int(value, 16)


def parse_seconds(value: object, name: str) -> int:
    """A number of the test methods: JSON integer or hex quantity, below 2**32."""
    found = value if type(value) is int else parse_quantity(value, name)
    if not 0 <= found < 2**32:
        raise invalid_params(f"{name} is out of range")
    return found


def parse_data(value: object, name: str) -> bytes:
    """Bytes: `0x` and pairs of hex digits."""
    if not isinstance(value, str) or not _DATA.match(value):
        raise invalid_params(f"{name} must be hex data")
    return bytes.fromhex(value[2:])


def parse_fixed(value: object, name: str, size: int) -> bytes:
    """Exactly `size` bytes."""
    found = parse_data(value, name)
    if len(found) != size:
        raise invalid_params(f"{name} must be {size} bytes")
    return found


def parse_address(value: object, name: str = "address") -> bytes:
    """20 bytes, any letter case."""
    return parse_fixed(value, name, 20)


def parse_hash(value: object, name: str = "hash") -> bytes:
    """32 bytes."""
    return parse_fixed(value, name, 32)


def parse_slot(value: object) -> int:
    """A storage position: quantity or up to 32 bytes of data, leading zeros allowed."""
    if isinstance(value, str) and re.match(r"0x[0-9a-fA-F]{1,64}\Z", value):
        return int(value, 16)
    raise invalid_params("storage position must be hex of at most 32 bytes")


def parse_flag(value: object, name: str) -> bool:
    """A JSON boolean."""
    if not isinstance(value, bool):
        raise invalid_params(f"{name} must be a boolean")
    return value


def find_header(chain: LocalChain, value: object) -> BlockHeaderAPI | None:
    """Header of a block tag, hex number, or EIP-1898 object; None where there is no such block."""
    if isinstance(value, dict):
        return _find_by_object(chain, value)
    if isinstance(value, str) and value in HEAD_TAGS:
        return chain.head
    if value == "earliest":
        return chain.genesis
    return _find_by_number(chain, parse_quantity(value, "block"))


def load_header(chain: LocalChain, value: object) -> BlockHeaderAPI:
    """As `find_header`, for calls that need the block.

    Raises:
        RpcError: No such block.
    """
    header = find_header(chain, value)
    if header is None:
        raise RpcError(SERVER_ERROR, "header not found")
    return header


def find_header_by_hash(chain: LocalChain, block_hash: bytes) -> BlockHeaderAPI | None:
    """Header of a block hash."""
    try:
        header = chain.chaindb().get_block_header_by_hash(Hash32(block_hash))
    except HeaderNotFound:
        return None
    return header if header.block_number <= chain.head.block_number else None


def _find_by_number(chain: LocalChain, number: int) -> BlockHeaderAPI | None:
    head = chain.head
    if number >= head.block_number:
        return head if number == head.block_number else None
    return chain.chaindb().get_canonical_block_header_by_number(BlockNumber(number))


def _find_by_object(chain: LocalChain, value: dict[str, object]) -> BlockHeaderAPI | None:
    unknown = value.keys() - {"blockHash", "blockNumber", "requireCanonical"}
    if unknown or ("blockHash" in value) == ("blockNumber" in value):
        raise invalid_params("block object must hold blockHash or blockNumber")
    if "blockHash" in value:
        return find_header_by_hash(chain, parse_hash(value["blockHash"], "blockHash"))
    return find_header(chain, value["blockNumber"])
