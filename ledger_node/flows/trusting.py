"""The trust file of the followed chain: what a verifier far from any node takes as given.

Step 9. It holds members, keys, contracts and every fact of the chain up to the last final block.
Spec: docs/spec/trust.md.

Invariants:
    * Only final blocks: a trust file never says what a reorganisation could take back.
    * Facts come from a replay that found nothing wrong; otherwise no file is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ledger_node.core.chain_facts import BlockFact, ChainFacts, FactSource, build_chain_facts
from ledger_node.core.errors import InvariantError
from ledger_node.core.event_types import Event
from ledger_node.core.replay import replay
from ledger_node.core.replay_state import Discrepancy, ReplayState
from ledger_node.core.trust import Trust, ValidatorSet, build_trust
from ledger_node.core.trust_format import encode_trust
from ledger_node.core.types import BlockNumber, CityId
from ledger_node.flows.directory import load_consortium
from ledger_node.flows.facts import NotFollowedError
from ledger_node.flows.following import load_events
from ledger_node.flows.halts import demand_no_halt
from ledger_node.flows.node import Node
from ledger_node.ports.database import Transaction
from ledger_node.ports.database_chain import ChainPins

_BLOCKS_PER_READ = 2000


class ReplayNotCleanError(InvariantError):
    """The followed events contradict the contracts' own rules; a trust file would spread it.

    Fields: where, problem (of the first discrepancy), count.
    """

    code = "replay_not_clean"

    def __init__(self, first: Discrepancy, count: int) -> None:
        super().__init__(
            f"链上事件重放发现 {count} 处矛盾（首处：{first.where}，{first.code}）。请先审计。",
            f"Replaying the chain found {count} discrepancies (first: {first.where}, "
            f"{first.code}); audit before anybody trusts it.",
            where=first.where,
            problem=first.code.value,
            count=count,
        )


def build_trust_file(node: Node, names: Mapping[CityId, str] | None = None) -> bytes:
    """Trust file of the consortium with all facts up to the last final block, RFC 8785 bytes.

    Args:
        names: City names for people; a city that is not named gets its division code.

    Raises:
        NotFollowedError: No final block was taken in yet.
        LedgerHaltedError: A halt stands: this chain is in doubt.
        ReplayNotCleanError: The events contradict each other.
    """
    with node.database.read() as tx:
        demand_no_halt(tx)
        pins, as_of = _load_pins(tx), load_final_block(tx)
        events = _iterate_events(tx, pins.first_block, as_of.number)
        state = replay(ReplayState(membership=pins.membership), events)
        if state.discrepancies:
            raise ReplayNotCleanError(state.discrepancies[0], state.discrepancy_count)
        facts = build_chain_facts(state, as_of, FactSource.TRUST_FILE)
        return encode_trust(load_trust(tx, node.domain, facts, names or {}))


def load_trust(
    tx: Transaction, domain: str, facts: ChainFacts, names: Mapping[CityId, str]
) -> Trust:
    """Members, keys and contracts up to the facts' block, with these facts.

    Raises:
        NotFollowedError: Nothing was followed.
    """
    pins = _load_pins(tx)
    return build_trust(
        load_consortium(tx, up_to=facts.as_of.number),
        domain=domain,
        chain_id=pins.chain_id,
        genesis=pins.genesis_hash,
        membership=pins.membership,
        code_hashes=tx.chain.list_code_pins(),
        names=names,
        facts=facts,
        validators=_list_validator_sets(tx),
    )


def _list_validator_sets(tx: Transaction) -> tuple[ValidatorSet, ...]:
    """Who seals the blocks, as the followed headers say; none on a chain without seals.

    A header's own list proves nothing to whoever holds the header alone; here it is this node's
    word, as everything in its trust file, and the last set holds until another file says more.
    """
    known = tx.chain.list_validators()
    ends = [*(BlockNumber(number - 1) for number, _ in known[1:]), None]
    return tuple(
        ValidatorSet(first, last, validators)
        for (first, validators), last in zip(known, ends, strict=False)
        if validators
    )


def load_final_block(tx: Transaction) -> BlockFact:
    """The last final block taken in.

    Raises:
        NotFollowedError: None was.
    """
    tip = tx.chain.load_tip()
    block = None if tip is None else tx.chain.find_block(tip.final_number)
    if block is None:
        raise NotFollowedError
    return BlockFact(block.number, block.hash, block.block_timestamp_s)


def _load_pins(tx: Transaction) -> ChainPins:
    pins = tx.chain.load_pins()
    if pins is None:
        raise NotFollowedError
    return pins


def _iterate_events(tx: Transaction, first: int, last: int) -> Iterator[Event]:
    """Stored events, some thousand blocks at a time."""
    for start in range(first, last + 1, _BLOCKS_PER_READ):
        end = min(start + _BLOCKS_PER_READ - 1, last)
        yield from load_events(tx, BlockNumber(start), BlockNumber(end))
