"""Reading and writing dataclass rows: one place that maps columns to fields by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, select

RowT = TypeVar("RowT")


def select_rows(table: Table, row_type: type[RowT]) -> Select[Any]:
    """SELECT of exactly the columns that `row_type` has, in its order."""
    return select(*(table.c[field.name] for field in fields(row_type)))  # type: ignore[arg-type]


def build_rows(row_type: type[RowT], records: Sequence[Any]) -> list[RowT]:
    return [row_type(*record) for record in records]


def row_values(row: object) -> dict[str, Any]:
    """Column values of a dataclass row (shallow)."""
    return {field.name: getattr(row, field.name) for field in fields(row)}  # type: ignore[arg-type]


def fetch_one(
    connection: Connection, table: Table, row_type: type[RowT], *where: ColumnElement[bool]
) -> RowT | None:
    record = connection.execute(select_rows(table, row_type).where(*where)).one_or_none()
    return None if record is None else row_type(*record)
