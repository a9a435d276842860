"""What stands against a log: for people who look at it, and for a person who ends it.

Promise P8: a fork is shown until somebody looked and decided; the row stays with the name. Spec:
docs/spec/mirror.md.
"""

from __future__ import annotations

import structlog

from ledger_node.core.errors import MalformedInputError, UnavailableError
from ledger_node.core.types import CityId
from ledger_node.core.witness import LATCHED, FindingKind
from ledger_node.flows.node import Node
from ledger_node.ports.database import Transaction


class UnknownFindingError(MalformedInputError):
    """There is no finding of that kind, or it was ended without a name."""

    code = "unknown_finding"

    def __init__(self) -> None:
        super().__init__(
            "没有这种问题，或未写明处理人。",
            "There is no finding of that kind, or nobody's name was given.",
        )


class LogForkedError(UnavailableError):
    """The city showed two histories of its log: nothing new is asked of it before a person looked.

    Fields: city.
    """

    code = "log_forked"

    def __init__(self, city: CityId) -> None:
        super().__init__(
            f"{city} 的日志出示过两份历史，正由负责人核查；核查完之前不向该市调取材料。",
            f"The log of {city} showed two histories; until a person looks nothing is asked.",
            city=city,
        )


def demand_no_fork(tx: Transaction, city: CityId) -> None:
    """Ask nothing of a city whose log is in doubt.

    Raises:
        LogForkedError: A fork stands against its log.
    """
    if any(each.kind in LATCHED for each in tx.mirrors.list_findings(city)):
        raise LogForkedError(city)


def end_findings_by_person(node: Node, city: CityId, generation: int, kind: str, by: str) -> int:
    """A person ends what stands of one kind against a log; returns how many stood.

    What is still wrong is found again by the next round.

    Args:
        by: Who looked and decided; kept with the finding.

    Raises:
        UnknownFindingError: No such kind, or no name.
    """
    if kind not in set(FindingKind) or not by.strip():
        raise UnknownFindingError
    with node.database.transaction() as tx:
        ended = tx.mirrors.end_findings(
            city, generation, [FindingKind(kind)], by.strip(), node.clock.now()
        )
    structlog.get_logger().warning(
        "log_finding_ended", city=node.city, peer=city, kind=kind, count=ended
    )
    return ended
