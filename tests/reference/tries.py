"""Tries and their proofs by the trie library of py-evm: the oracle of `core/trie_proof.py`."""

import rlp
from trie import HexaryTrie

from tests.reference.blocks import scalar, unhex


def build(pairs):
    """A trie of key -> value."""
    trie = HexaryTrie({})
    for key, value in pairs.items():
        trie[key] = value
    return trie


def prove(trie, key):
    """Nodes of the path, as `eth_getProof` gives them."""
    if not trie.get_proof(key)[0]:
        return []
    # The library lists nodes that stand inside their parent too; a proof does not.
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    return [nodes[0], *(node for node in nodes[1:] if len(node) >= 32)]


def receipt_value(receipt):
    """RLP of a transaction receipt from its JSON form, as the receipts trie holds it."""
    logs = [
        [
            unhex(log["address"]),
            [unhex(topic) for topic in log["topics"]],
            unhex(log["data"]),
        ]
        for log in receipt["logs"]
    ]
    body = rlp.encode(
        [
            scalar(int(receipt["status"], 16)),
            scalar(int(receipt["cumulativeGasUsed"], 16)),
            unhex(receipt["logsBloom"]),
            logs,
        ]
    )
    kind = int(receipt.get("type", "0x0"), 16)
    return (bytes([kind]) if kind else b"") + body


def receipts_trie(receipts):
    """Trie over all receipts of one block, in their JSON form."""
    return build(
        {
            rlp.encode(scalar(int(each["transactionIndex"], 16))): receipt_value(each)
            for each in receipts
        }
    )
