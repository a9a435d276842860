"""A small hand-made contract whose behaviour is chosen by the length of the call data.

0 bytes    reverts with custom error `Refused(uint256)` carrying 7
1 byte     executes INVALID
32 bytes   stores word 0 in slot 0, logs it without topics, returns it
64 bytes   the same, with word 1 as topic 0
128 bytes  the same, with words 1, 2, 3 as topics
160 bytes  returns number, timestamp, base fee, gas price, chain id
"""

from __future__ import annotations

from eth_hash.auto import keccak

REFUSED_SELECTOR = keccak(b"Refused(uint256)")[:4]
REFUSED_ARGUMENT = 7

_OPCODES = {
    "ISZERO": 0x15, "EQ": 0x14, "SHL": 0x1B, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36,
    "GASPRICE": 0x3A, "TIMESTAMP": 0x42, "NUMBER": 0x43, "CHAINID": 0x46, "BASEFEE": 0x48,
    "MSTORE": 0x52, "SSTORE": 0x55, "JUMP": 0x56, "JUMPI": 0x57, "JUMPDEST": 0x5B, "DUP1": 0x80,
    "LOG0": 0xA0, "LOG1": 0xA1, "LOG3": 0xA3, "RETURN": 0xF3, "REVERT": 0xFD, "INVALID": 0xFE,
}  # fmt: skip

_SOURCE = """
    CALLDATASIZE ISZERO @refuse JUMPI
    CALLDATASIZE 0x01 EQ @invalid JUMPI
    CALLDATASIZE 0xa0 EQ @context JUMPI
    0x00 CALLDATALOAD DUP1 0x00 SSTORE 0x00 MSTORE
    CALLDATASIZE 0x20 EQ @log0 JUMPI
    CALLDATASIZE 0x40 EQ @log1 JUMPI
    0x60 CALLDATALOAD 0x40 CALLDATALOAD 0x20 CALLDATALOAD 0x20 0x00 LOG3 @done JUMP
    :log0 0x20 0x00 LOG0 @done JUMP
    :log1 0x20 CALLDATALOAD 0x20 0x00 LOG1
    :done 0x20 0x00 RETURN
    :invalid INVALID
    :refuse %s 0xe0 SHL 0x00 MSTORE 0x07 0x04 MSTORE 0x24 0x00 REVERT
    :context NUMBER 0x00 MSTORE TIMESTAMP 0x20 MSTORE BASEFEE 0x40 MSTORE GASPRICE 0x60 MSTORE
             CHAINID 0x80 MSTORE 0xa0 0x00 RETURN
"""


def _assemble(source: str) -> bytes:
    code, labels, holes = bytearray(), {}, []
    for word in source.split():
        if word[0] == "@":
            holes.append((len(code) + 1, word[1:]))
            code += b"\x60\x00"
        elif word[0] == ":":
            labels[word[1:]] = len(code)
            code.append(_OPCODES["JUMPDEST"])
        elif word.startswith("0x"):
            data = bytes.fromhex(word[2:])
            code += bytes([0x5F + len(data)]) + data
        else:
            code.append(_OPCODES[word])
    for position, label in holes:
        code[position] = labels[label]
    return bytes(code)


RUNTIME = _assemble(_SOURCE % ("0x" + REFUSED_SELECTOR.hex()))


def creation_of(runtime: bytes) -> bytes:
    """Creation code that returns `runtime` (at most 255 bytes)."""
    size = f"{len(runtime):02x}"
    return bytes.fromhex(f"60{size}600c60003960{size}6000f3") + runtime


CREATION = creation_of(RUNTIME)


def words(*values: int) -> bytes:
    """Call data of 32-byte words."""
    return b"".join(value.to_bytes(32, "big") for value in values)
