"""Blocks in the QBFT form, in plain lists: the recorded ones, and ones that a test seals itself.

Shares no code with ledger_node. Recorded: tests/vectors/qbft/four-validators.json.
"""

import json
from pathlib import Path

import rlp
from eth_hash.auto import keccak
from eth_keys import keys

RECORDED = json.loads(
    (Path(__file__).parents[1] / "vectors" / "qbft" / "four-validators.json").read_text("utf-8")
)
FIELDS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot"),
    *("logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData"),
    *("mixHash", "nonce"),
)
SCALARS = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp"}
EXTRA, MIX_HASH = 12, 13
QBFT = b"ctical byzantine fault tolerance"
KEYS = [keys.PrivateKey(keccak(b"validator %d" % i)) for i in range(5)]  # the fifth is no member
SET = [key.public_key.to_canonical_address() for key in KEYS[:4]]


def unhex(text):
    return bytes.fromhex(text.removeprefix("0x"))


def scalar(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def fields_of(block):
    """Header fields of an `eth_getBlockByNumber` answer."""
    return [
        scalar(int(block[name], 16)) if name in SCALARS else unhex(block[name]) for name in FIELDS
    ]


def recorded_fields():
    """Fields of every recorded header by block number."""
    return {int(block["number"], 16): fields_of(block) for block in RECORDED["blocks"]}


def recorded_hashes():
    return {int(block["number"], 16): unhex(block["hash"]) for block in RECORDED["blocks"]}


def recorded_set():
    """The validators as the genesis block names them."""
    extra = rlp.decode(unhex(RECORDED["blocks"][0]["extraData"]))
    return [bytes(each) for each in extra[1]]


def edit_extra(fields, change):
    """Fields whose extra data went through `change(items)`."""
    items = list(rlp.decode(fields[EXTRA]))
    change(items)
    return [*fields[:EXTRA], rlp.encode(items), *fields[EXTRA + 1 :]]


def unsealed(fields, *, keep_round):
    def strip(items):
        items[3], items[4] = items[3] if keep_round else b"", []

    return edit_extra(fields, strip)


def block_hash(fields):
    if fields[MIX_HASH] == QBFT:
        fields = unsealed(fields, keep_round=False)
    return keccak(rlp.encode(fields))


def sealed_hash(fields):
    return keccak(rlp.encode(unsealed(fields, keep_round=True)))


def reseal(fields, signers=(0, 1, 2), *, round_number=0, named=None, further=()):
    """The header in the QBFT form, sealed by the test keys of these indexes.

    `further` are header fields behind the fifteenth; `named` the validators the header names.
    """
    extra = [bytes(32), list(SET if named is None else named), [], scalar(round_number), []]
    fields = [*fields[:EXTRA], rlp.encode(extra), QBFT, *fields[14:15], *further]
    digest = sealed_hash(fields)
    seals = [KEYS[index].sign_msg_hash(digest).to_bytes() for index in signers]
    return edit_extra(fields, lambda items: items.__setitem__(4, seals))
