"""Gives columns their pinned types, and moves values that don't fit into the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from satsuma_server.warehouse.schema.catalog import Catalog, Name
from satsuma_server.warehouse.schema.column_types import ColumnType, join
from satsuma_server.warehouse.schema.names import RESERVED_COLUMNS
from satsuma_server.warehouse.schema.pinned_types import fit_values

from .columns import Columns


def pin_types(name: Name, parts: Sequence[Columns], catalog: Catalog, pinned: Mapping[str, ColumnType]) -> None:
    """Change the columns of a table's new rows to their pinned types.

    A column that has a wider type already, from before it was pinned, keeps it until the tables are rebuilt.
    """
    for column, kind in pinned.items():
        if column in RESERVED_COLUMNS:
            continue
        known = catalog.tables.get(name, {}).get(column, kind)
        for part in parts:
            if column not in part.kinds:
                continue
            if join(known, kind) is kind:
                _pin(name, part, column, kind, catalog)
            else:
                catalog.notice(".".join(name), "pinned", column, part.length)


def _pin(name: Name, part: Columns, column: str, kind: ColumnType, catalog: Catalog) -> None:
    if part.kinds[column] is kind:
        return
    fits, misfits = fit_values(part.plain(column), kind)
    part.add(column, kind, fits)
    count = sum(one is not None for one in misfits)
    if count:
        part.add_rest(column, misfits)
        catalog.notice(".".join(name), "types", column, count)
