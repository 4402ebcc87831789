"""The tables that are built from the log."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

OwnRetention = float | Literal["forever"] | None
"""How many days a part of the collector keeps what it has; None for as many as the setting `retention_days` says."""

PinnedType = Literal["boolean", "integer", "number", "text"]


class NewNameSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many new tables of a source, and new columns of a table, may come; others are held.

    Attributes:
        at_once: after a rest; 0 for any number.
        an_hour: how many more with each hour.
    """

    at_once: int = 200
    an_hour: float = 20.0


class WarehouseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables that are built from the log.

    Attributes:
        destination: ``duckdb`` is a file in the collector's folder. Any other is a destination of dlt (``postgres``,
            ``bigquery``, ``snowflake``, ``clickhouse``, …), to which the tables of that file are copied.
        credentials: of the destination, as dlt takes them: a URL, or a table of values.
        options: other arguments of the destination, as dlt's factory of that name has them.
        seconds: between loads.
        query_seconds: how long a query may take.
        memory: most that DuckDB may use, as ``512MB``.
        new_names: how many new names may come.
        types: types of columns that no event changes, by ``table.column`` or ``schema.table.column``.
        retention_days: how long rows are kept after their event was received; None as long as events are kept.
    """

    destination: str = "duckdb"
    credentials: str | dict[str, Any] = ""
    options: dict[str, Any] = {}
    seconds: float = 5.0
    query_seconds: float = 30.0
    memory: str = "512MB"
    new_names: NewNameSettings = NewNameSettings()
    types: dict[str, PinnedType] = {}
    retention_days: OwnRetention = None

    def __post_init__(self) -> None:
        """Raise `ValueError` where a column of `types` is not named in full."""
        for name in self.types:
            if len(parts := name.split(".")) not in (2, 3) or not all(parts):
                raise ValueError(f'types has {name!r}: name the column as "table.column" or "schema.table.column"')


def days_kept(own: OwnRetention, of_events: float | None) -> float | None:
    """Return for how many days a part keeps what it has, given how long events are kept; None for ever."""
    if own == "forever":
        return None
    return of_events if own is None else own
