"""Columns of equal length, and the choice of fields that get none because a table would have too many."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import UTC
from typing import Any

import pyarrow as pa

from satsuma_server.warehouse.schema.catalog import MOST_COLUMNS
from satsuma_server.warehouse.schema.column_types import ColumnType, column_type_of, text_of, to_arrow


class Columns:
    """Columns of equal length, and for each row the fields that have no column.

    Attributes:
        kinds: the type of each column, by its name.
        values: the values of each column, by its name: an Arrow array, or Python values.
        rest: for each row, the fields without a column; None where every field has one.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self.kinds: dict[str, ColumnType] = {}
        self.values: dict[str, Any] = {}
        self.rest: list[dict[str, Any] | None] | None = None

    def add(self, name: str, kind: ColumnType, values: Any) -> None:
        """Add a column."""
        self.kinds[name] = kind
        self.values[name] = values

    def arrow(self, name: str) -> pa.Array:
        """Return a column as an Arrow array. It is converted only once, since track events are in two tables."""
        values = self.values[name]
        if not isinstance(values, pa.Array):
            values = self.values[name] = to_arrow(values, self.kinds[name], self.kinds[name])
        return values

    def plain(self, name: str) -> Sequence[Any]:
        """Return a column's values as Python objects."""
        values: Sequence[Any] | pa.Array = self.values[name]
        return values.to_pylist() if isinstance(values, pa.Array) else values

    def received_at(self) -> float:
        """Return when the first of the events was received, in milliseconds since 1970."""
        first = self.arrow("received_at")[0].as_py()
        return 0.0 if first is None else first.replace(tzinfo=UTC).timestamp() * 1000

    def repeat(self, name: str, text: str) -> None:
        """Add a column that has the same text in every row."""
        self.add(name, ColumnType.TEXT, pa.repeat(pa.scalar(text, pa.string()), self.length))

    def add_field(self, path: str, name: str, values: tuple[Any, ...]) -> None:
        """Add a field whose values all have the same type.

        Where two fields lead to one column name, as ``orderId`` and ``order_id`` do, the first gets the column and the
        second goes into the rest, under its path.
        """
        if name in self.kinds:
            self.add_rest(
                path, [None if value == kept else value for value, kept in zip(values, self.values[name], strict=True)]
            )
        else:
            kind = column_type_of(values)
            is_text = kind is not ColumnType.TEXT or type(values[0]) is str
            self.add(name, kind, values if is_text else tuple(map(text_of, values)))

    def add_rest(self, name: str, values: Iterable[Any]) -> None:
        """Put a field's values into the rest, under this name."""
        rest = self.rest = self.rest or [None] * self.length
        for place, value in enumerate(values):
            if value is not None:
                held = rest[place]
                if held is None:
                    held = rest[place] = {}
                held[name] = value


def fields_beyond(fields: Sequence[tuple[str, str]], known: Container[str]) -> dict[int, str]:
    """Return the positions of the fields that the table has no room for, with their names in the rest.

    A field that the table has a column for already is not among them. Where two fields have one name, the second is
    named by its path.

    Args:
        fields: the path and the column name of each field.
        known: names of columns that the table has already.
    """
    if len(fields) <= MOST_COLUMNS:
        return {}
    beyond: dict[int, str] = {}
    taken: set[str] = set()
    room = MOST_COLUMNS
    for place, (path, name) in enumerate(fields):
        if name in known:
            continue
        if room:
            room -= 1
            continue
        told = path if name in taken else name
        while told in taken:
            told += "_"
        taken.add(told)
        beyond[place] = told
    return beyond
