"""An event as the rows that it becomes in the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class TableRow(NamedTuple):
    """One row of one table."""

    table: str
    row: Mapping[str, Any]


def table_rows(event: Mapping[str, Any], source: str) -> list[TableRow]:
    """Return the rows of an event."""
    return []
