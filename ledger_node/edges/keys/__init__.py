"""The key store of a directory, and a city's own keys in files."""

from ledger_node.edges.keys.city_keys import CityKeysFile, generate_city_keys
from ledger_node.edges.keys.hpke import seal_to
from ledger_node.edges.keys.key_store import KeyStoreFile
from ledger_node.edges.keys.wrapping import JoinedWrappingKeys, WrappingKeyFiles, WrappingKeys

__all__ = [
    "CityKeysFile",
    "JoinedWrappingKeys",
    "KeyStoreFile",
    "WrappingKeyFiles",
    "WrappingKeys",
    "generate_city_keys",
    "seal_to",
]
