"""Checks that both kinds of receipt share: facts, keys, log inclusion, disclosures, validity.

Step 9 of the data flow. Used by verify.py and verify_reliance.py, which number them. Spec:
docs/spec/receipt.md.

Invariants:
    * A claim about the chain holds only if facts at hand say exactly the same; a claim beyond
      their last block is pending, a claim they contradict fails.
    * Keys are judged at the block that anchors a commitment to what they signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ledger_node.core.canonical import JsonValue
from ledger_node.core.chain_facts import NO_TX_HASH, ChainFacts, FactSource, is_same_place
from ledger_node.core.consortium import is_key_trusted_at
from ledger_node.core.errors import LedgerError
from ledger_node.core.event_types import ContractRole, KeyRole, Position, StatusFlag
from ledger_node.core.merkle import MalformedProofError, RootMismatchError, verify_inclusion
from ledger_node.core.placement import Placement
from ledger_node.core.statement import (
    DisclosureMismatchError,
    Showing,
    StatementMismatchError,
    verify_showing,
)
from ledger_node.core.statement_parts import parse_document_part
from ledger_node.core.trust import Trust
from ledger_node.core.types import BlockNumber, CityId, Commitment, Digest, LeafHash
from ledger_node.core.verdict import Judgement, RestsOn
from ledger_node.core.verdict_codes import VerdictCode

MAX_SKEW_S = 30  # between a city's clock and block time
LAST_BLOCK = BlockNumber(2**64)  # after every block: a key ever distrusted is distrusted there
_LOCAL = timedelta(hours=8)  # dates on papers are China Standard Time
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SOURCES = {
    FactSource.CHAIN: RestsOn.CHAIN,
    FactSource.TRUST_FILE: RestsOn.TRUST_FILE,
    FactSource.SEALS: RestsOn.SEALS,
}

STATUS_CODES = (
    (StatusFlag.ERASED, VerdictCode.STATUS_ERASED),
    (StatusFlag.WITHDRAWN, VerdictCode.STATUS_WITHDRAWN),
    (StatusFlag.SPENT, VerdictCode.STATUS_SPENT),
)


@dataclass(frozen=True, slots=True)
class FactCodes:
    """What to say when a fact is not there, stands elsewhere, or cannot be confirmed."""

    unknown: VerdictCode
    mismatch: VerdictCode
    unconfirmed: VerdictCode


ANCHOR_CODES = FactCodes(
    VerdictCode.ANCHOR_UNKNOWN, VerdictCode.ANCHOR_MISMATCH, VerdictCode.ANCHOR_UNCONFIRMED
)


def check_fact(
    judgement: Judgement,
    facts: ChainFacts | None,
    found: Position | None,
    claimed: Position,
    codes: FactCodes,
) -> None:
    """Check that an event stands exactly where a receipt says.

    Args:
        judgement: Line under judgement.
        facts: At hand, or None.
        found: Where the facts have the event; None if they have none.
        claimed: Where the receipt says it stands.
        codes: What to say otherwise.
    """
    if facts is None:
        judgement.wait(codes.unconfirmed)
    elif found is None:
        if facts.is_settled(claimed):
            judgement.fail(codes.unknown)
        judgement.wait(codes.unconfirmed)
    else:
        judgement.demand(is_same_place(found, claimed), codes.mismatch)
        if claimed.tx_hash == NO_TX_HASH and not facts.is_carried(claimed):
            judgement.wait(codes.unconfirmed)  # nothing holds the place within the block
        rest_on_facts(judgement, facts, claimed.block_number)


def rest_on_facts(judgement: Judgement, facts: ChainFacts, block_number: BlockNumber) -> None:
    """Say where the facts of a block came from."""
    judgement.rest_on(_SOURCES[facts.source_of(block_number)])


def check_anchor(
    judgement: Judgement,
    facts: ChainFacts | None,
    city: CityId,
    placement: Placement,
    anchored: Position,
    codes: FactCodes = ANCHOR_CODES,
) -> None:
    """Check that `CityLog` took exactly this head of a city exactly there."""
    key = (city, placement.generation, placement.tree_head)
    check_fact(judgement, facts, facts.heads.get(key) if facts else None, anchored, codes)


def check_anchoring_city(
    judgement: Judgement, trust: Trust, city: CityId, anchored: Position
) -> None:
    """Check that the city could anchor: current contract, member, valid and trusted account."""
    contract = trust.contract_at(ContractRole.CITY_LOG, anchored.block_number)
    judgement.demand(contract == anchored.address, VerdictCode.ANCHOR_CONTRACT_UNKNOWN)
    account = trust.key_at(city, KeyRole.ANCHOR, anchored.block_timestamp_s)
    if account is None:
        judgement.fail(VerdictCode.ANCHOR_KEY_UNKNOWN)
    judgement.demand(
        is_key_trusted_at(account, anchored.block_number), VerdictCode.ANCHOR_KEY_DISTRUSTED
    )
    judgement.rest_on(RestsOn.TRUSTED_KEYS)


def check_inclusion(judgement: Judgement, leaf_hash: LeafHash, placement: Placement) -> None:
    """Check that a material's leaf leads to the stated head."""
    try:
        verify_inclusion(leaf_hash, placement.leaf_index, placement.proof, placement.tree_head)
    except MalformedProofError:
        judgement.fail(VerdictCode.INCLUSION_PROOF_MALFORMED)
    except RootMismatchError:
        judgement.fail(VerdictCode.INCLUSION_ROOT_MISMATCH)


def check_showing(
    judgement: Judgement,
    origin: str,
    commitment: Commitment,
    digests: Sequence[bytes],
    disclosed: Mapping[int, str],
) -> Showing:
    """Check that the fields shown are those of the committed statement."""
    try:
        return verify_showing(origin, commitment, digests, disclosed)
    except StatementMismatchError:
        judgement.fail(VerdictCode.STATEMENT_COMMITMENT_MISMATCH)
    except DisclosureMismatchError:
        judgement.fail(VerdictCode.DISCLOSURE_DIGEST_MISMATCH)
    except LedgerError:
        judgement.fail(VerdictCode.DISCLOSURE_MALFORMED)


def list_document_digests(judgement: Judgement, showings: Sequence[Showing]) -> set[Digest]:
    """Digests of all documents the showings disclose."""
    found: set[Digest] = set()
    for showing in showings:
        for name, value in showing.values.items():
            if name.startswith("document."):
                try:
                    found.add(parse_document_part(value).digest)
                except LedgerError:
                    judgement.fail(VerdictCode.DISCLOSURE_MALFORMED)
    return found


def check_document(
    judgement: Judgement, showings: Sequence[Showing], document: Digest | None
) -> None:
    """Check that a file at hand is one of the documents shown; always reads every one."""
    known = list_document_digests(judgement, showings)
    if document is not None:
        judgement.demand(document in known, VerdictCode.DOCUMENT_DIGEST_MISMATCH)


def check_flags(judgement: Judgement, flags: StatusFlag) -> None:
    """Fail with the gravest flag that is set; a superseded material is for a person to judge.

    A superseded material is released and named, and an item may take it as of the event date.
    """
    for flag, code in STATUS_CODES:
        judgement.demand(flag not in flags, code)
    if StatusFlag.SUPERSEDED in flags:
        judgement.wait(VerdictCode.STATUS_SUPERSEDED)


def check_validity(judgement: Judgement, showing: Showing, at_s: int) -> None:
    """Check the dates a showing discloses against a time; a date not shown is not judged.

    Args:
        judgement: Line under judgement.
        showing: `valid_from` and `valid_until` are days in China, both included.
        at_s: Unix time.
    """
    today = (datetime.fromtimestamp(at_s, UTC) + _LOCAL).date()
    begins = _read_date(judgement, showing.values.get("valid_from"))
    ends = _read_date(judgement, showing.values.get("valid_until"))
    judgement.demand(begins is None or begins <= today, VerdictCode.VALIDITY_NOT_BEGUN)
    judgement.demand(ends is None or today <= ends, VerdictCode.VALIDITY_OVER)


def _read_date(judgement: Judgement, value: JsonValue) -> date | None:
    if value is None:
        return None
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        judgement.fail(VerdictCode.VALIDITY_UNREADABLE)
    try:
        return date.fromisoformat(value)
    except ValueError:
        judgement.fail(VerdictCode.VALIDITY_UNREADABLE)


def check_message_key(
    judgement: Judgement,
    trust: Trust,
    city: CityId,
    key: bytes,
    block_number: BlockNumber,
    block_timestamp_s: int,
    *,
    unknown: VerdictCode,
    distrusted: VerdictCode,
) -> None:
    """Check that a key was a city's valid and trusted message key at a block."""
    interval = trust.key_at(city, KeyRole.MESSAGE, block_timestamp_s)
    if interval is None or interval.key != key:
        judgement.fail(unknown)
    judgement.demand(is_key_trusted_at(interval, block_number), distrusted)
    judgement.rest_on(RestsOn.TRUSTED_KEYS)
