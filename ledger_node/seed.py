"""The catalogue that ships with the program. Apart from `wiring`, so that an offline verifier
reads it without opening any edge."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from ledger_node.core.catalogue import Catalogue
from ledger_node.core.catalogue_seed import parse_seed


@cache
def load_catalogue() -> Catalogue:
    """The seed catalogue that ships with the program."""
    text = resources.files("ledger_node").joinpath("catalogue.json").read_bytes()
    return parse_seed(json.loads(text))
