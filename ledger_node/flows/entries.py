"""Log entries of the other kinds: credential, access, reliance, generation.

An entry carries a salted commitment; salt and body (its opening) stay sealed in the database
under a key of its own in the key store, named `entry/<commitment>`.
Crash order: key durable -> entry and sealed opening in the caller's commit.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.core.canonical import (
    JsonValue,
    encode_canonical,
    parse_canonical,
    parse_hex,
    require_members,
    require_text,
)
from ledger_node.core.commitment import CommitmentKind, compute_commitment
from ledger_node.core.derivation import MATERIAL_KEY_BYTES, derive_salts, derive_sealing_key
from ledger_node.core.entry import EntryKind
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.types import HASH_BYTES, Commitment, Salt
from ledger_node.flows.node import Node
from ledger_node.flows.sealing import SealedValueDamagedError, open_value, seal_value
from ledger_node.ports.database import Transaction

_KINDS = {
    EntryKind.CREDENTIAL: CommitmentKind.CREDENTIAL,
    EntryKind.ACCESS: CommitmentKind.ACCESS,
    EntryKind.RELIANCE: CommitmentKind.RELIANCE,
}


@dataclass(frozen=True, slots=True)
class PreparedEntry:
    """An entry whose key is durable, ready for `append_entry` in the caller's transaction."""

    kind: EntryKind
    commitment: Commitment
    salt: Salt
    body: JsonValue
    sealed_opening: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """Salt (32 bytes) and body of a commitment."""

    salt: Salt
    body: JsonValue


def prepare_entry(node: Node, kind: EntryKind, body: JsonValue) -> PreparedEntry:
    """Commit to `body` under a fresh salt and make the entry's key durable.

    Raises:
        NotCanonicalError: The body cannot be written as RFC 8785 with integers only.
        KeyError: Materials have their own way (`intake.register`).
    """
    key = node.entropy(MATERIAL_KEY_BYTES)
    (salt,) = derive_salts(key, 1)
    commitment = compute_commitment(_KINDS[kind], node.origin, salt, body)
    opening = encode_canonical({"body": body, "salt": salt.hex()})
    sealed = seal_value(node.entropy, derive_sealing_key(key), opening, _row_name(commitment))
    node.key_store.put_all({_key_name(commitment): key})
    return PreparedEntry(kind, commitment, salt, body, sealed)


def append_entry(node: Node, tx: Transaction, prepared: PreparedEntry) -> int:
    """Add a prepared entry inside the caller's transaction; returns the entry id.

    Raises:
        RowConflictError: It is in the log already.
    """
    return tx.intake.append_entry(
        prepared.kind, prepared.commitment, prepared.sealed_opening, node.clock.now()
    )


def load_opening(node: Node, commitment: Commitment) -> Opening:
    """Open salt and body of an entry of this city.

    Raises:
        EntryNotFoundError: No such entry, or it is a material's.
        KeyMissingError: Its key is gone (erased).
        SealedValueDamagedError: The sealed bytes were changed; names the row.
    """
    with node.database.read() as tx:
        sealed = tx.intake.load_opening(commitment)
    (key,) = node.key_store.get_all([_key_name(commitment)])
    what = _row_name(commitment)
    plaintext = open_value(derive_sealing_key(key), sealed, what)
    try:
        members = require_members(
            parse_canonical(plaintext, what=what), ("body", "salt"), what=what
        )
        text = require_text(members["salt"], what=what)
        return Opening(Salt(parse_hex(text, what=what, length_bytes=HASH_BYTES)), members["body"])
    except MalformedInputError as error:
        raise SealedValueDamagedError(what) from error


def _key_name(commitment: Commitment) -> str:
    return f"entry/{commitment.hex()}"


def _row_name(commitment: Commitment) -> str:
    return f"openings/{commitment.hex()}"
