"""Key ids of message keys: `<six-digit city>/message/<64 hex digits of the Ed25519 key>`.

The whole key stands in the id: a signed message in the log names its key without a look-up, and
two keys of a city never share an id. Whether the key is the city's is asked of the chain.
Spec: docs/spec/messages.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger_node.core.message_problem import MessageSignatureError
from ledger_node.core.types import CityId, PublicKey

_KEY_ID = re.compile(r"([0-9]{6})/message/([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class MessageKeyId:
    """A city and one of its message keys (Ed25519, 32 bytes)."""

    city: CityId
    key: PublicKey


def encode_key_id(key_id: MessageKeyId) -> str:
    """Write a key id."""
    return f"{key_id.city}/message/{key_id.key.hex()}"


def parse_key_id(text: str) -> MessageKeyId:
    """Read a key id.

    Raises:
        MessageSignatureError: Any other spelling.
    """
    match = _KEY_ID.fullmatch(text)
    if match is None:
        raise MessageSignatureError("keyid")
    return MessageKeyId(CityId(match[1]), PublicKey(bytes.fromhex(match[2])))
