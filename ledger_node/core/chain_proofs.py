"""Checking what a receipt carries of the chain: headers, logs, storage.

Step 9 of the data flow (no node at hand). The checks are numbered as in docs/spec/receipt-v1.md,
"Chain". Vectors: tests/vectors/receipt_v1/.

Invariants:
    * A block counts as sealed only by the validators the trust file names for it. On other chains
      every byte is checked all the same.
    * Everything carried has to hold: one bad seal or node, and none of it counts.
Not here: the proofs themselves (qbft.py, log_proof.py, storage_proof.py), which facts follow
(proven_facts.py), what a receipt claims (verify.py, verify_reliance.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ledger_node.core.block_header import BlockHeader, parse_block_header
from ledger_node.core.chain_facts import (
    NO_TX_HASH,
    BlockFact,
)
from ledger_node.core.errors import MalformedInputError
from ledger_node.core.event_types import (
    CheckpointAnchored,
    Event,
    GrantConsumed,
    GrantRecorded,
    Position,
)
from ledger_node.core.events import decode_event
from ledger_node.core.log_proof import verify_log
from ledger_node.core.place import place_index
from ledger_node.core.qbft import (
    DuplicatedSealError,
    ForeignSealError,
    SealError,
    TooFewSealsError,
    compute_block_hash,
    is_qbft_header,
    parse_qbft_extra,
    verify_seals,
)
from ledger_node.core.receipt_chain import AccountEvidence, ChainEvidence, LogEvidence
from ledger_node.core.rlp_items import MalformedRlpError
from ledger_node.core.storage_proof import verify_account, verify_slot
from ledger_node.core.trie_proof import TrieProofError
from ledger_node.core.trust import Trust
from ledger_node.core.types import (
    Address,
    BlockHash,
    BlockNumber,
)
from ledger_node.core.verdict_codes import VerdictCode

Words: TypeAlias = Mapping[tuple[BlockNumber, Address, bytes], int]
_SEAL_CODES: tuple[tuple[type[SealError], VerdictCode], ...] = (
    (ForeignSealError, VerdictCode.SEAL_FOREIGN),
    (DuplicatedSealError, VerdictCode.SEAL_DUPLICATED),
    (TooFewSealsError, VerdictCode.SEALS_INSUFFICIENT),
    (SealError, VerdictCode.SEAL_INVALID),
)


class ChainEvidenceError(Exception):
    """The evidence of the chain does not hold; carries the code of the check it breaks."""

    def __init__(self, code: VerdictCode) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class ProvenChain:
    """Evidence that was checked.

    Attributes:
        events: Of all headers carried.
        blocks: The sealed blocks by number.
        words: Storage words of sealed blocks.
    """

    events: tuple[Event, ...]
    blocks: Mapping[BlockNumber, BlockFact]
    words: Words


def verify_chain_evidence(
    evidence: ChainEvidence,
    trust: Trust,
    claimed: Collection[BlockFact],
    needed_slots: Collection[bytes],
) -> ProvenChain:
    """Check everything a receipt carries of the chain.

    Args:
        evidence: From the receipt.
        trust: Validators, contracts.
        claimed: Every block the receipt names, by number, hash and time.
        needed_slots: Slots of the status contract the receipt speaks of; no other may be carried.

    Raises:
        ChainEvidenceError: Something of it does not hold.
    """
    headers = _check_headers(evidence.headers, claimed)
    blocks: dict[BlockNumber, BlockFact] = {}
    named = {block.number for block in claimed}
    for number, (header, block_hash) in headers.items():
        if _check_seals(header, trust):
            blocks[number] = BlockFact(number, block_hash, header.timestamp_s)
        elif number not in named:  # nothing would hold its bytes
            raise ChainEvidenceError(VerdictCode.HEADER_HASH_MISMATCH)
    events = tuple(_check_log(each, headers, trust) for each in evidence.logs)
    words: dict[tuple[BlockNumber, Address, bytes], int] = {}
    for account in evidence.accounts:
        # (7) Only what the receipt speaks of: absence proves itself for more than one slot.
        if not {each.slot for each in account.slots} <= set(needed_slots):
            raise ChainEvidenceError(VerdictCode.STORAGE_PROOF_INVALID)
        words |= _check_account(account, headers, trust)
    return ProvenChain(
        events,
        blocks,
        {key: word for key, word in words.items() if key[0] in blocks},
    )


_Headers = Mapping[BlockNumber, tuple[BlockHeader, BlockHash]]


def _check_headers(encoded: Collection[bytes], claimed: Collection[BlockFact]) -> _Headers:
    headers: dict[BlockNumber, tuple[BlockHeader, BlockHash]] = {}
    # (1) Every header is readable, and they rise.
    for data in encoded:
        try:
            header = parse_block_header(data)
            block_hash = compute_block_hash(header)
        except MalformedRlpError as error:
            raise ChainEvidenceError(VerdictCode.HEADER_MALFORMED) from error
        if headers and header.number <= max(headers):
            raise ChainEvidenceError(VerdictCode.HEADER_MALFORMED)
        headers[header.number] = header, block_hash
    # (2) Each is that of the block the receipt names, with its time.
    for block in claimed:
        if block.number in headers:
            header, block_hash = headers[block.number]
            if (block.hash, block.block_timestamp_s) != (block_hash, header.timestamp_s):
                raise ChainEvidenceError(VerdictCode.HEADER_HASH_MISMATCH)
    return headers


def _check_seals(header: BlockHeader, trust: Trust) -> bool:
    """(3) The validators of that block sealed it; False if the trust file names none.

    Without a trusted set the seals still have to fit the header's own list: that proves nothing,
    but leaves no byte of the file unheld.
    """
    validators = trust.validators_at(header.number)
    if not is_qbft_header(header):
        if validators is not None:
            raise ChainEvidenceError(VerdictCode.SEALS_INSUFFICIENT)
        return False
    own = parse_qbft_extra(header.extra_data).validators
    try:
        verify_seals(header, own if validators is None else validators)
    except SealError as error:
        code = next(code for kind, code in _SEAL_CODES if isinstance(error, kind))
        raise ChainEvidenceError(code) from error
    return validators is not None


def _check_log(evidence: LogEvidence, headers: _Headers, trust: Trust) -> Event:
    """(4) The log leads to its header, and is an event of a contract of the consortium."""
    found = headers.get(evidence.block_number)
    if found is None:
        raise ChainEvidenceError(VerdictCode.LOG_PROOF_INVALID)
    header, block_hash = found
    try:
        log = verify_log(header.receipts_root, evidence.transaction, evidence.log, evidence.proof)
        contract = trust.find_contract(log.address)
        if contract is None:
            raise ChainEvidenceError(VerdictCode.LOG_PROOF_INVALID)
        position = Position(
            block_number=header.number,
            log_index=place_index(evidence.transaction, evidence.log),
            tx_hash=NO_TX_HASH,
            block_hash=block_hash,
            block_timestamp_s=header.timestamp_s,
            address=log.address,
        )
        event = decode_event(contract.role, log.topics, log.data, position)
    except (TrieProofError, MalformedInputError) as error:
        raise ChainEvidenceError(VerdictCode.LOG_PROOF_INVALID) from error
    if not isinstance(event, (CheckpointAnchored, GrantRecorded, GrantConsumed)):
        raise ChainEvidenceError(VerdictCode.LOG_PROOF_INVALID)
    return event


def _check_account(evidence: AccountEvidence, headers: _Headers, trust: Trust) -> Words:
    """(5) Account and slots lead to their header, and (6) the account runs the trusted code."""
    found = headers.get(evidence.block_number)
    if found is None:
        raise ChainEvidenceError(VerdictCode.STORAGE_PROOF_INVALID)
    try:
        account = verify_account(found[0].state_root, evidence.address, evidence.proof)
        if account is None:
            raise ChainEvidenceError(VerdictCode.STORAGE_PROOF_INVALID)
        words = {
            (evidence.block_number, evidence.address, each.slot): verify_slot(
                account.storage_root, each.slot, each.proof
            )
            for each in evidence.slots
        }
    except (TrieProofError, MalformedRlpError) as error:
        raise ChainEvidenceError(VerdictCode.STORAGE_PROOF_INVALID) from error
    contract = trust.find_contract(evidence.address)
    if contract is None or contract.code_hash != account.code_hash:
        raise ChainEvidenceError(VerdictCode.CONTRACT_CODE_MISMATCH)
    return words


def block_of(position: Position) -> BlockFact:
    """The block an event stands in."""
    return BlockFact(position.block_number, position.block_hash, position.block_timestamp_s)
