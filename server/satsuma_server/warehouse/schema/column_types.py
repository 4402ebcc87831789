"""Types of columns, and how a column is widened to another type without losing anything.

A column's type is the narrowest that can hold all of its values. It doesn't depend on the order in which they came, so
a rebuild, which sees them in other batches, ends with the same types.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pyarrow as pa

EXACT = 1 << 53
"""Whole numbers up to this one are exact in a double, too."""

LARGEST = 1 << 63
POINT = ".0"


class ColumnType(Enum):
    """The type of a column; the value is the name of DuckDB's type."""

    BOOL = "BOOLEAN"
    INT = "BIGINT"
    BIG = "BIGINT "  # Has a number that a double would round, so it can't be widened to a double.
    DOUBLE = "DOUBLE"
    TIME = "TIMESTAMP"
    TEXT = "VARCHAR"

    @property
    def sql(self) -> str:
        """The name of DuckDB's type."""
        return self.value.strip()


_ARROW = {
    ColumnType.BOOL: pa.bool_(),
    ColumnType.INT: pa.int64(),
    ColumnType.BIG: pa.int64(),
    ColumnType.DOUBLE: pa.float64(),
    ColumnType.TIME: pa.timestamp("us"),
    ColumnType.TEXT: pa.string(),
}
_OF_TYPE = {bool: ColumnType.BOOL, float: ColumnType.DOUBLE, str: ColumnType.TEXT}
_WIDER = {
    frozenset({ColumnType.INT, ColumnType.BIG}): ColumnType.BIG,
    frozenset({ColumnType.INT, ColumnType.DOUBLE}): ColumnType.DOUBLE,
}


def join(one: ColumnType, other: ColumnType) -> ColumnType:
    """Return the narrowest type that can hold the values of both."""
    return one if one is other else _WIDER.get(frozenset({one, other}), ColumnType.TEXT)


def column_type_of(values: Sequence[Any]) -> ColumnType:
    """Return the column type of one or more values that all have the same Python type."""
    one = type(values[0])
    if one is int:
        return _kind_of_range(min(values), max(values))
    return _OF_TYPE.get(one, ColumnType.TEXT)


def _kind_of_range(least: int, most: int) -> ColumnType:
    if least >= -EXACT and most <= EXACT:
        return ColumnType.INT
    return ColumnType.BIG if least >= -LARGEST and most < LARGEST else ColumnType.TEXT


def to_arrow(values: Sequence[Any], own: ColumnType, kind: ColumnType) -> pa.Array:
    """Return values of the type `own` as an Arrow array of the type `kind`, which is the same or wider."""
    if own is kind:
        return pa.array(values, _ARROW[kind])
    if kind is ColumnType.TEXT:
        return pa.array([text_of(value) for value in values], pa.string())
    if kind is ColumnType.DOUBLE:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array(values, _ARROW[kind])


def nulls(length: int, kind: ColumnType) -> pa.Array:
    """Return a column of nulls."""
    return pa.nulls(length, _ARROW[kind])


def times_to_arrow(values: Sequence[str | None]) -> pa.Array:
    """Return ISO 8601 times as an Arrow array in UTC. What isn't a valid time becomes null."""
    try:
        return pa.array(values, pa.string()).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return pa.array([_moment(value) for value in values], pa.timestamp("us"))


def _moment(value: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value or "")
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def text_of(value: Any) -> str | None:
    """Return a value as the text that a text column has for it: its JSON, with whole numbers written without a
    point."""
    if value is None or type(value) is str:
        return value
    if type(value) is float:
        return repr(value).removesuffix(POINT)
    return json.dumps(value)


def widening(table: str, column: str, old: ColumnType, new: ColumnType) -> list[str]:
    """Return SQL statements that widen a column; the names must be quoted. Numbers become the same texts as in
    `text_of`.

    The first statement must have no expression: when DuckDB replays its write-ahead log after a crash, it has not
    loaded any functions yet, and the file could not be opened any more.
    """
    statements = [f"ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {new.sql}"]
    if old is ColumnType.DOUBLE and new is ColumnType.TEXT:
        statements.append(f"UPDATE {table} SET {column} = {column}[:-3] WHERE {column} LIKE '%{POINT}'")
    return statements
