"""Registration receipt: what a city says it registered, signed at intake.

Steps 1 to 5 of the data flow. Pending until sequencing and anchoring add the seal. Spec:
docs/spec/receipt.md. Vectors: tests/vectors/receipt/.

Invariants:
    * It shows type, version and the documents' digests, and nothing else a person would not show
      with the paper itself.
Not here: envelope and signature (receipt.py), checks (verify.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_node.core.canonical import JsonObject, require_int, require_members
from ledger_node.core.checkpoint import MAX_GENERATION
from ledger_node.core.entry import EntryKind, encode_entry
from ledger_node.core.receipt import encode_disclosed, read_disclosed, refuse_as_receipt
from ledger_node.core.release_answer import MAX_DIGESTS
from ledger_node.core.shapes import (
    MAX_TIME_S,
    demand_not_empty,
    read_bytes32,
    read_city,
    read_hashes,
    read_name,
)
from ledger_node.core.types import CityId, Commitment

_WHAT = "registration receipt"
_MEMBERS = (
    "receipt",
    "city",
    "generation",
    "commitment",
    "digests",
    "disclosed",
    "registered_at",
)


@dataclass(frozen=True, slots=True)
class RegistrationBody:
    """What was registered.

    Attributes:
        receipt_id: Id of the material inside its city.
        city: Registering city.
        generation: Of its log the commitment was made for.
        commitment: Statement commitment, 32 bytes.
        digests: Disclosure digests d_0 …, 32 bytes each.
        disclosed: Disclosure texts by position; position 0 and the documents.
        registered_at_s: Unix time, as the city says; the anchor bounds it.
    """

    receipt_id: str
    city: CityId
    generation: int
    commitment: Commitment
    digests: tuple[bytes, ...]
    disclosed: Mapping[int, str]
    registered_at_s: int

    @property
    def entry(self) -> bytes:
        """The 34 bytes that stand in the city's log."""
        return encode_entry(EntryKind.MATERIAL, self.commitment)


def encode_registration_body(body: RegistrationBody) -> JsonObject:
    """Write the body to be signed."""
    return {
        "receipt": body.receipt_id,
        "city": body.city,
        "generation": body.generation,
        "commitment": body.commitment.hex(),
        "digests": [digest.hex() for digest in body.digests],
        "disclosed": encode_disclosed(body.disclosed),
        "registered_at": body.registered_at_s,
    }


def read_registration_body(value: JsonObject) -> RegistrationBody:
    """Read the body of a registration receipt.

    Raises:
        NotAReceiptError: A member is missing, unknown or not well formed.
    """
    with refuse_as_receipt():
        m = require_members(value, _MEMBERS, what=_WHAT)
        digests = read_hashes(m["digests"], what=f"{_WHAT} digests", maximum=MAX_DIGESTS)
        demand_not_empty(digests, what=f"{_WHAT} digests")
        return RegistrationBody(
            receipt_id=read_name(m["receipt"], what=f"{_WHAT} receipt"),
            city=read_city(m["city"], what=f"{_WHAT} city"),
            generation=require_int(
                m["generation"], what=f"{_WHAT} generation", maximum=MAX_GENERATION
            ),
            commitment=Commitment(read_bytes32(m["commitment"], what=f"{_WHAT} commitment")),
            digests=digests,
            disclosed=read_disclosed(m["disclosed"], what=f"{_WHAT} disclosed"),
            registered_at_s=require_int(
                m["registered_at"], what=f"{_WHAT} registered_at", maximum=MAX_TIME_S
            ),
        )
