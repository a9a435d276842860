"""Who is a member, at which address, with which keys, as the followed chain says it.

Folded from the stored Membership logs; the fold is kept until the tip moves, because every
message asks.
"""

from __future__ import annotations

from ledger_node.core.consortium import (
    EMPTY_CONSORTIUM,
    Consortium,
    NotAMemberError,
    is_key_trusted_at,
)
from ledger_node.core.event_types import ContractRole, KeyRole, Position
from ledger_node.core.events import decode_event
from ledger_node.core.membership import compute_consortium
from ledger_node.core.types import BlockHash, BlockNumber, CityId, PublicKey
from ledger_node.ports.database import Database, Transaction


def load_consortium(tx: Transaction, *, up_to: BlockNumber | None = None) -> Consortium:
    """Fold the stored Membership logs, up to and including a block."""
    logs = tx.chain.list_membership_logs(up_to=up_to)
    return compute_consortium(
        EMPTY_CONSORTIUM,
        (
            decode_event(
                ContractRole.MEMBERSHIP,
                log.topics,
                log.data,
                Position(
                    log.block_number,
                    log.log_index,
                    log.tx_hash,
                    log.block_hash,
                    block_timestamp_s,
                    log.address,
                ),
            )
            for log, block_timestamp_s in logs
        ),
    )


class FollowedDirectory:
    """`ports.peers.Directory` over the followed chain."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cached: tuple[BlockHash, Consortium, BlockNumber, int] | None = None

    def consortium(self) -> tuple[Consortium, BlockNumber, int]:
        """Consortium with number and time (s) of the last block taken in.

        Raises:
            NotAMemberError: Nothing was followed yet.
        """
        with self._database.read() as tx:
            tip = tx.chain.load_tip()
            if tip is None:
                raise NotAMemberError(
                    "尚未同步链，成员名册为空。请稍后再试。",
                    "The chain has not been followed yet; there are no members to ask.",
                )
            cached = self._cached
            if cached is None or cached[0] != tip.hash:
                consortium = load_consortium(tx)
                cached = (tip.hash, consortium, tip.number, tip.block_timestamp_s)
                self._cached = cached
        return cached[1], cached[2], cached[3]

    def url_of(self, city: CityId) -> str:
        consortium, _, now_s = self.consortium()
        url = consortium.url_of(city, now_s)
        if url is None:
            consortium.member(city)
            raise NotAMemberError(f"{city} 没有登记地址。", f"{city} has no address.", city=city)
        return url.rstrip("/")

    def is_message_key(self, city: CityId, key: PublicKey) -> bool:
        consortium, block, now_s = self.consortium()
        interval = consortium.key_at(city, KeyRole.MESSAGE, now_s)
        return (
            interval is not None
            and interval.key == key
            and is_key_trusted_at(interval, block)
            and consortium.in_good_standing(city, block)
        )
