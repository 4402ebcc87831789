"""Columns of one length, and the fields that no table has room for."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

import pyarrow as pa

from satsuma_server.warehouse.schema.catalog import MOST_COLUMNS
from satsuma_server.warehouse.schema.column_types import ColumnType, column_type_of, text_of, to_arrow


class Columns:
    """Columns of one length, and for each row what has no column.

    Attributes:
        kinds: by name.
        values: by name; a column of Arrow, or values as they came.
        rest: None where all have columns.
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
        """Return a column of Arrow, made once: that of a track event is in two tables."""
        values = self.values[name]
        if not isinstance(values, pa.Array):
            values = self.values[name] = to_arrow(values, self.kinds[name], self.kinds[name])
        return values

    def plain(self, name: str) -> Sequence[Any]:
        """Return a column's values as Python has them."""
        values: Sequence[Any] | pa.Array = self.values[name]
        return values.to_pylist() if isinstance(values, pa.Array) else values

    def repeat(self, name: str, text: str) -> None:
        """Add a column of one text."""
        self.add(name, ColumnType.TEXT, pa.repeat(pa.scalar(text, pa.string()), self.length))

    def add_field(self, path: str, name: str, values: tuple[Any, ...]) -> None:
        """Add a field of which all values have one type.

        Where two have one name of a column, as ``orderId`` and ``order_id``, the first keeps it, and the other goes
        into the rest by its path.
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
        """Keep values that have no column."""
        rest = self.rest = self.rest or [None] * self.length
        for place, value in enumerate(values):
            if value is not None:
                held = rest[place]
                if held is None:
                    held = rest[place] = {}
                held[name] = value


def fields_beyond(fields: Sequence[tuple[str, str]], known: Container[str]) -> dict[int, str]:
    """Return the places of fields that no table has room for, with what they are called in the rest.

    What the table has a column for already is not among them. Where two have one name, the second goes by its path.

    Args:
        fields: path and name of each.
        known: names that have columns.
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
