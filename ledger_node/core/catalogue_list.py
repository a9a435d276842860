"""The document of one list: what its cities vote on. An edition on chain is its digest.

Step 6 and governance. Spec: docs/spec/catalogue.md, "Editions on chain".

Invariants:
    * It holds the list's row, its items, and every row they name; nothing of any other list, so
      that a vote of two cities never depends on what others change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from eth_hash.auto import keccak

from ledger_node.core.canonical import JsonObject, encode_canonical
from ledger_node.core.catalogue import Catalogue, ServiceItem
from ledger_node.core.catalogue_events import ListRule
from ledger_node.core.catalogue_format import write_table_row
from ledger_node.core.catalogue_words import ListKind
from ledger_node.core.digest import compute_digest
from ledger_node.core.types import CityId, Digest

_WORD_BYTES: Final = 32
_PARTY_BYTES: Final = 4
LIST_VERSION: Final = "tongban/catalogue-list/v1"
_RULES: Final = {
    ListKind.CONSORTIUM: ListRule.CONSORTIUM,
    ListKind.BILATERAL: ListRule.BILATERAL,
    ListKind.DIRECTED: ListRule.DIRECTED,
}


def encode_list(catalogue: Catalogue, code: str) -> bytes:
    """Canonical bytes of a list's document.

    Raises:
        UnknownListError: There is no such list.
    """
    listed = catalogue.get_list(code)
    items = sorted(
        (each for each in catalogue.items.values() if code in each.lists), key=lambda it: it.code
    )
    needs = [need for item in items for need in item.needs]
    types = {named for need in needs for named in need.any_of} | _list_papers(items)
    document: JsonObject = {
        "v": LIST_VERSION,
        "list": write_table_row(listed),
        "items": [write_table_row(each) for each in items],
        "types": [write_table_row(catalogue.types[each]) for each in sorted(types)],
        "conditions": [
            write_table_row(catalogue.condition_rows[each])
            for each in sorted({need.condition for need in needs if need.condition is not None})
        ],
        "bases": [
            write_table_row(catalogue.bases[each])
            for each in sorted({need.basis for need in needs})
        ],
    }
    return encode_canonical(document)


def compute_list_digest(catalogue: Catalogue, code: str) -> Digest:
    """SHA-256 of a list's document, 32 bytes; raises as `encode_list`."""
    return compute_digest([encode_list(catalogue, code)])


def compute_list_id(rule: ListRule, code: str, parties: Sequence[CityId]) -> bytes:
    """Identifier of a list on chain: keccak-256 of the ABI encoding of rule, code and parties."""
    packed = b"".join(int(city).to_bytes(_PARTY_BYTES, "big") for city in parties)
    text = _encode_tail(code.encode())
    head = [int(rule), 3 * _WORD_BYTES, 3 * _WORD_BYTES + len(text)]
    words = b"".join(value.to_bytes(_WORD_BYTES, "big") for value in head)
    return keccak(words + text + _encode_tail(packed))


def list_parties(catalogue: Catalogue, code: str) -> tuple[ListRule, tuple[CityId, ...]]:
    """Whose votes an edition takes, as `Catalogue` names them; no city: every member.

    Raises:
        UnknownListError: There is no such list.
    """
    listed = catalogue.get_list(code)
    return _RULES[listed.kind], listed.members or ()


def _encode_tail(data: bytes) -> bytes:
    """Length and bytes, padded to whole words."""
    padding = bytes(-len(data) % _WORD_BYTES)
    return len(data).to_bytes(_WORD_BYTES, "big") + data + padding


def _list_papers(items: Iterable[ServiceItem]) -> set[str]:
    """Types that items issue or take in."""
    return {
        code
        for item in items
        for code in (*item.surrender, *([] if item.result is None else [item.result]))
    }
