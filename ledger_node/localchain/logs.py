"""Log queries, answered from the index and never by walking blocks."""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.localchain.store import LogRow, Store

MAX_BLOCKS = 5_000
MAX_LOGS = 10_000
_COLUMNS = (
    "log.block_number, log_index, tx_index, tx_hash, address,"
    " topic0, topic1, topic2, topic3, data, block.hash"
)


class TooManyLogsError(Exception):
    """The query matches more than `MAX_LOGS` rows."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which logs.

    Attributes:
        first_block, last_block: Inclusive range.
        addresses: Any of these; empty means every address.
        topics: By position, any of these; an empty tuple means whatever stands there (something
            must stand there: a filter is never longer than the topics it matches).
    """

    first_block: int
    last_block: int
    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...], ...]


def select_logs(store: Store, query: LogQuery) -> list[tuple[LogRow, bytes]]:
    """Matching logs in chain order, each with the hash of its block.

    Raises:
        TooManyLogsError: More than `MAX_LOGS`.
    """
    conditions = ["log.block_number BETWEEN ? AND ?"]
    arguments: list[object] = [query.first_block, query.last_block]
    for column, wanted in _wanted(query):
        conditions.append(f"{column} IN ({', '.join('?' * len(wanted))})")
        arguments += wanted
    conditions += [
        f"topic{position} IS NOT NULL" for position, wanted in enumerate(query.topics) if not wanted
    ]
    statement = (
        f"SELECT {_COLUMNS} FROM log JOIN block ON block.number = log.block_number"  # noqa: S608 -- column names only
        f" WHERE {' AND '.join(conditions)} ORDER BY log.block_number, log_index LIMIT ?"
    )
    with store.reading() as connection:
        rows = connection.execute(statement, (*arguments, MAX_LOGS + 1)).fetchall()
    if len(rows) > MAX_LOGS:
        raise TooManyLogsError
    return [_parse_row(row) for row in rows]


def _wanted(query: LogQuery) -> list[tuple[str, tuple[bytes, ...]]]:
    found = [("address", query.addresses)]
    found += [(f"topic{position}", topics) for position, topics in enumerate(query.topics)]
    return [(column, wanted) for column, wanted in found if wanted]


def _parse_row(row: tuple[object, ...]) -> tuple[LogRow, bytes]:
    number, log_index, tx_index, tx_hash, address, *rest = row
    *topics, data, block_hash = rest
    return (
        LogRow(
            number,  # type: ignore[arg-type]
            log_index,  # type: ignore[arg-type]
            tx_index,  # type: ignore[arg-type]
            tx_hash,  # type: ignore[arg-type]
            address,  # type: ignore[arg-type]
            tuple(topic for topic in topics if topic is not None),  # type: ignore[misc]
            data,  # type: ignore[arg-type]
        ),
        block_hash,  # type: ignore[return-value]
    )
