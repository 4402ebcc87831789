"""A batch of events as Arrow tables, ready to be inserted into those of the warehouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from satsuma_server.warehouse.schema.catalog import Catalog, Name
from satsuma_server.warehouse.schema.column_types import ColumnType, join, nulls, to_arrow
from satsuma_server.warehouse.schema.names import CONTEXT, IDS, REST, SEQ, TIMES, TRACKS, table_name
from satsuma_server.warehouse.schema.pinned_types import PinnedTypes

from .columns import Columns
from .event_groups import ENVELOPE, Group
from .latest_values import LATEST_VALUES, NOT_LATEST_VALUES
from .pinning import pin_types

LOADED_AT = "uuid_ts"
LAST = (LOADED_AT, REST)
OF_TRACKS = frozenset({*IDS, *TIMES, SEQ, "event", "event_text"})

_encode = msgspec.json.Encoder().encode


def tables_of(
    groups: Sequence[Group], catalog: Catalog, loaded_at: datetime, pinned: PinnedTypes | None = None
) -> list[tuple[Name, pa.Table]]:
    """Return the events as one Arrow table for each warehouse table; new columns are added to the catalog."""
    parts: dict[Name, list[Columns]] = {}
    for group in groups:
        columns = group.columns()
        if group.table is not None:
            parts.setdefault((group.schema, group.table), []).append(columns)
        if group.is_track:
            parts.setdefault((group.schema, TRACKS), []).append(_for_tracks(group, columns, catalog))
    sources = {schema: source for source, schema in catalog.schemas.items()}
    pinned = pinned or PinnedTypes()
    for name, found in parts.items():
        pin_types(name, found, catalog, pinned.of_table(sources.get(name[0]), *name))
    return [(name, _table(name, columns, catalog, loaded_at)) for name, columns in parts.items()]


def _for_tracks(group: Group, columns: Columns, catalog: Catalog) -> Columns:
    """Return the columns for the table `tracks`: what all events share, and the properties of those without a table."""
    common = Columns(columns.length)
    for name, kind in columns.kinds.items():
        if name in OF_TRACKS or name.startswith(CONTEXT):
            common.add(name, kind, columns.arrow(name))
    if group.table is None:
        why = catalog.why_no_table(group.schema, table_name(group.event))
        if why:
            catalog.notice(group.schema, why, group.event, columns.length)
        common.add_rest("properties", (one or None for one in group.properties()))
    return common


def _table(name: Name, parts: list[Columns], catalog: Catalog, loaded_at: datetime) -> pa.Table:
    kinds = {**dict(ENVELOPE), LOADED_AT: ColumnType.TIME, REST: ColumnType.TEXT}
    times = dict.fromkeys(kinds, 0.0)
    for part in parts:
        at = part.received_at()
        for one, kind in part.kinds.items():
            kinds[one] = join(kinds[one], kind) if one in kinds else kind
            times.setdefault(one, at)
    excess = catalog.admit(name, kinds, times)
    if name[1] in LATEST_VALUES:
        _admit_latest_values(name, catalog)
    if excess:
        _move_to_rest(name, parts, excess, catalog)
    has = catalog.tables[name]
    holders, length = _holders(parts)
    arrays = {
        one: _column(one, has[one], holders[one], length) for one in kinds if one not in excess and one not in LAST
    }
    if any(part.rest for part in parts):
        arrays[REST] = _rest(parts)
    table = pa.table(arrays)
    table = table.append_column(LOADED_AT, pa.repeat(pa.scalar(loaded_at, pa.timestamp("us")), len(table)))
    return _once(table)


type Holder = tuple[int, Columns]
"""One part of a table that has a certain column, with the number of the part's first row."""


def _holders(parts: Sequence[Columns]) -> tuple[dict[str, list[Holder]], int]:
    """Return the parts that have each column, and how many rows there are in all."""
    holders: dict[str, list[Holder]] = {}
    start = 0
    for part in parts:
        for name in part.kinds:
            holders.setdefault(name, []).append((start, part))
        start += part.length
    return holders, start


def _column(name: str, kind: ColumnType, holders: Sequence[Holder], length: int) -> pa.ChunkedArray:
    chunks = []
    end = 0
    for start, part in holders:
        if start > end:
            # One array of nulls for the whole gap: of thousands of parts, only a few may have this column.
            chunks.append(nulls(start - end, kind))
        own = part.kinds[name]
        chunks.append(part.arrow(name) if own is kind else to_arrow(part.plain(name), own, kind))
        end = start + part.length
    if length > end:
        chunks.append(nulls(length - end, kind))
    return pa.chunked_array([pa.concat_arrays(chunks)])


def _rest(parts: Sequence[Columns]) -> pa.Array:
    rest = [one for part in parts for one in part.rest or [None] * part.length]
    return pa.array([None if one is None else _encode(one).decode() for one in rest], pa.string())


def _once(table: pa.Table) -> pa.Table:
    """Remove rows whose id an earlier row has already."""
    if pc.count_distinct(table["id"]).as_py() == len(table):
        return table
    firsts: dict[str, tuple[int, int]] = {}
    for place, (one, seq) in enumerate(zip(table["id"].to_pylist(), table[SEQ].to_pylist(), strict=True)):
        firsts[one] = min(firsts.get(one, (seq, place)), (seq, place))
    return table.take([place for _, place in firsts.values()])


def _admit_latest_values(name: Name, catalog: Catalog) -> None:
    columns = {one: kind for one, kind in catalog.tables[name].items() if one not in NOT_LATEST_VALUES}
    catalog.admit((name[0], LATEST_VALUES[name[1]][0]), {"id": ColumnType.TEXT, **columns})


def _move_to_rest(name: Name, parts: Sequence[Columns], excess: Mapping[str, str], catalog: Catalog) -> None:
    for part in parts:
        found = [one for one in part.kinds if one in excess]
        for one in found:
            part.add_rest(one, part.plain(one))
            del part.values[one]
        for why in dict.fromkeys(excess[one] for one in found if excess[one]):
            first = next(one for one in found if excess[one] == why)
            catalog.notice(".".join(name), why, first, part.length)
