"""Parsers of step 9: what a receipt carries of the chain."""

import rlp

from ledger_node.core import block_header, qbft
from tests.fuzz.parsers import ParserCase
from tests.reference import blocks

_HEADERS = [rlp.encode(blocks.recorded_fields()[number]) for number in (0, 1, 29)]

CASES = [
    ParserCase(
        "core.block_header.parse_block_header",
        "bytes",
        block_header.parse_block_header,
        _HEADERS,
        block_header.encode_block_header,
    ),
    ParserCase(
        "core.qbft.parse_qbft_extra",
        "bytes",
        qbft.parse_qbft_extra,
        [blocks.recorded_fields()[number][blocks.EXTRA] for number in (0, 1, 29)],
        qbft.encode_qbft_extra,
    ),
]
