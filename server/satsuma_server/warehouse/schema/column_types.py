"""What a column can hold, and how it is widened: never so that something is lost.

A kind is the least that holds all values seen, whatever the order in which they came; so a rebuild, which sees them in
other portions, ends with the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pyarrow as pa

EXACT = 1 << 53
"""Whole numbers up to here are as exact in a double as in an integer."""

LARGEST = 1 << 63
POINT = ".0"


class ColumnType(Enum):
    """What a column can hold; the value is DuckDB's type."""

    BOOL = "BOOLEAN"
    INT = "BIGINT"
    BIG = "BIGINT "  # With a number in it that a double would round: it can't be widened to one.
    DOUBLE = "DOUBLE"
    TIME = "TIMESTAMP"
    TEXT = "VARCHAR"

    @property
    def sql(self) -> str:
        """DuckDB's type."""
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
    """Return the least kind that holds what either does."""
    return one if one is other else _WIDER.get(frozenset({one, other}), ColumnType.TEXT)


def column_type_of(values: Sequence[Any]) -> ColumnType:
    """Return the kind of values that are all of one type, of which there is at least one."""
    one = type(values[0])
    if one is int:
        return _kind_of_range(min(values), max(values))
    return _OF_TYPE.get(one, ColumnType.TEXT)


def _kind_of_range(least: int, most: int) -> ColumnType:
    if least >= -EXACT and most <= EXACT:
        return ColumnType.INT
    return ColumnType.BIG if least >= -LARGEST and most < LARGEST else ColumnType.TEXT


def to_arrow(values: Sequence[Any], own: ColumnType, kind: ColumnType) -> pa.Array:
    """Return values of a kind as a column of a kind that holds them."""
    if own is kind:
        return pa.array(values, _ARROW[kind])
    if kind is ColumnType.TEXT:
        return pa.array([text_of(value) for value in values], pa.string())
    if kind is ColumnType.DOUBLE:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array(values, _ARROW[kind])


def nulls(length: int, kind: ColumnType) -> pa.Array:
    """Return a column of nothing."""
    return pa.nulls(length, _ARROW[kind])


def times_to_arrow(values: Sequence[str | None]) -> pa.Array:
    """Return ISO 8601 times as a column, in UTC. What can't be read as one becomes null."""
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
    """Return a value as a column of texts has it: as JSON would, whole numbers without a point."""
    if value is None or type(value) is str:
        return value
    if type(value) is float:
        return repr(value).removesuffix(POINT)
    return json.dumps(value)


def widening(table: str, column: str, old: ColumnType, new: ColumnType) -> list[str]:
    """Return SQL that makes a column wider; names are quoted. Numbers become the same texts as by `text_of`.

    An expression within the first statement would need functions when a write-ahead log is replayed after a crash, at
    a time when DuckDB has none yet, and the file could not be opened any more.
    """
    statements = [f"ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {new.sql}"]
    if old is ColumnType.DOUBLE and new is ColumnType.TEXT:
        statements.append(f"UPDATE {table} SET {column} = {column}[:-3] WHERE {column} LIKE '%{POINT}'")
    return statements
