"""A member's list of cosigned checkpoints: what its own key says of an anchored head counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_node.core.canonical import encode_canonical
from ledger_node.core.checkpoint import Checkpoint, encode_checkpoint
from ledger_node.core.cosignature import (
    CosignerKey,
    build_cosigned_message,
    build_cosigned_note,
    build_cosigner_name,
    encode_cosignature,
)
from ledger_node.core.merkle import TreeHead
from ledger_node.core.types import PublicKey, RootHash, TreeSize
from ledger_node.edges.keys.city_keys import CityKeysFile
from ledger_node.flows.node import Node
from ledger_node.flows.witnessing import collect_cosignatures, parse_cosigned
from ledger_node.ports.keys import KeyRole
from ledger_node.wiring import keys_path
from tests.support.cities import Cities
from tests.support.mirrors import wait_cosigned
from tests.support.stock import BYSTANDER, ISSUER, MATERIALS, RELIER

pytestmark = [pytest.mark.integration]
AT_S = 1_795_000_000


@dataclass(frozen=True)
class Listing:
    """Peers of whom one thing is asked: their list."""

    notes: tuple[bytes, ...]

    def fetch_log_file(self, *_: object, **__: object) -> bytes:
        told = {"version": 1, "checkpoints": [n.decode() for n in self.notes], "seen": []}
        return encode_canonical(cast(Any, told))


def collect(node: Node, cities: Cities, *notes: bytes) -> int:
    told = replace(node, peers=cast(Any, Listing(notes)))
    return collect_cosignatures(told, cities.stock.city[BYSTANDER])


def test_collect_cosignatures_keeps_only_what_the_members_key_says_of_an_anchored_head(
    cities: Cities,
) -> None:
    wait_cosigned(cities, MATERIALS)
    city = cities.stock.city
    keys = CityKeysFile(keys_path(cities.path / BYSTANDER))
    stranger = Ed25519PrivateKey.generate()
    cities.stop(RELIER)
    try:
        with cities.opened(RELIER) as node:
            with node.database.read() as tx:
                anchored = tx.chain.list_heads(city[ISSUER])
                own = tx.chain.list_heads(city[BYSTANDER])
            head = min((each.tree_head for each in anchored), key=lambda each: each.size)
            assert own == []
            with node.database.transaction() as tx:  # as if it had not been heard yet
                cast(Any, tx.mirrors)._connection.exec_driver_sql("delete from cosignatures")
            name = build_cosigner_name(node.domain, city[BYSTANDER])
            key = CosignerKey(name, keys.public_key(KeyRole.COSIGNER))

            def say(
                tree_head: TreeHead = head, slug: str = ISSUER, domain: str = node.domain,
                by: CosignerKey = key, secret: Any = None,
            ) -> bytes:  # fmt: skip
                checkpoint = Checkpoint(f"{domain}/{city[slug]}/1", tree_head)
                message = build_cosigned_message(encode_checkpoint(checkpoint), AT_S)
                signature = secret(message) if secret else keys.sign(KeyRole.COSIGNER, message)
                return build_cosigned_note(checkpoint, [encode_cosignature(by, AT_S, signature)])

            foreign = PublicKey(stranger.public_key().public_bytes_raw())
            forged = (
                say(TreeHead(TreeSize(head.size), RootHash(bytes(32)))),  # never anchored
                say(TreeHead(TreeSize(head.size + 999), head.root)),
                say(secret=stranger.sign),  # another key under the registered key's id
                say(by=CosignerKey(name, foreign), secret=stranger.sign),
                say(by=CosignerKey(build_cosigner_name(node.domain, city[ISSUER]), key.public_key)),
                say(slug=BYSTANDER),
                say(domain="another.example"),
            )
            for note in forged:
                assert collect(node, cities, note) == 0
            # the twin: the member's key over an anchored head, among what does not hold
            assert collect(node, cities, *forged, say()) == 1
            assert collect(node, cities, say()) == 0
    finally:
        cities.start(RELIER)
        wait_cosigned(cities, MATERIALS)


def test_parse_cosigned_reads_only_its_own_form() -> None:
    good = b'{"checkpoints":["a"],"seen":[],"version":1}'
    assert parse_cosigned(good) == ([b"a"], [])
    for bad in (b"", b"[]", good.replace(b"1}", b"2}"), good.replace(b'"seen":[],', b"")):
        with pytest.raises(Exception, match=r".") as caught:
            parse_cosigned(bad)
        assert type(caught.value).__name__ in {"NotCanonicalError", "UnexpectedShapeError"}
