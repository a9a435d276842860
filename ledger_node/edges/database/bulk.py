"""Many rows in one statement: arrays of columns instead of a round trip or an object per row.

PostgreSQL takes `unnest` over one array per column; SQLite takes the driver's `executemany`,
which is as fast there because nothing travels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY


def insert_columns(connection: Connection, table: Table, rows: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows given as equally long columns, in order; no rows is no statement."""
    names = tuple(rows)
    if not names or not rows[names[0]]:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(_unnest_insert(table, names), {n: list(rows[n]) for n in names})
        return
    records = [
        dict(zip(names, values, strict=True))
        for values in zip(*(rows[name] for name in names), strict=True)
    ]
    connection.execute(table.insert(), records)


@lru_cache(maxsize=64)
def _unnest_insert(table: Table, names: tuple[str, ...]) -> Insert:
    arrays = [bindparam(name, type_=ARRAY(table.c[name].type)) for name in names]
    source = func.unnest(*arrays).table_valued(
        *[column(name, table.c[name].type) for name in names], with_ordinality="place"
    )
    source = source.render_derived(name="rows")
    values = select(*[source.c[name] for name in names]).order_by(source.c.place)
    return table.insert().from_select(list(names), values)
