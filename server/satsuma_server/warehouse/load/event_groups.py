"""Groups the events of a batch by table and shape, and turns each group into columns."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from satsuma_server.log import Stored
from satsuma_server.times import parse_time
from satsuma_server.warehouse.schema.catalog import Catalog
from satsuma_server.warehouse.schema.column_types import ColumnType, times_to_arrow
from satsuma_server.warehouse.schema.json_shapes import Key, flatten, paths
from satsuma_server.warehouse.schema.names import (
    CALL_TABLES,
    SEQ,
    TRACKS,
    column_name,
    context_name,
    snake_case,
    table_name,
)

from .columns import Columns, fields_beyond

ENVELOPE = (
    ("id", ColumnType.TEXT),
    ("anonymous_id", ColumnType.TEXT),
    ("user_id", ColumnType.TEXT),
    ("received_at", ColumnType.TIME),
    ("sent_at", ColumnType.TIME),
    ("original_timestamp", ColumnType.TIME),
    ("timestamp", ColumnType.TIME),
    (SEQ, ColumnType.INT),
)
OF_CALLS = {"group": "group_id", "alias": "previous_id"}
"""The id that these calls have in addition, as the last column of the envelope; its type is text."""


class Event(msgspec.Struct, rename="camel", gc=False):
    """The parts of a stored event that become columns."""

    type: str
    message_id: str
    received_at: str
    timestamp: str
    anonymous_id: str | None = None
    user_id: str | None = None
    sent_at: str | None = None
    original_timestamp: str | None = None
    event: Any = None
    name: Any = None
    category: Any = None
    group_id: str | None = None
    previous_id: str | None = None
    context: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(Event).decode

_envelope_of = attrgetter(
    "message_id", "anonymous_id", "user_id", "received_at", "sent_at", "original_timestamp", "timestamp"
)

EMPTY: dict[str, Any] = {}

MOST_VALUES = 4_000_000
MOST_COLUMNS_MADE = 50_000
"""Most values of a batch, and most columns of all its groups together. A column costs about a kilobyte, however few
values are in it, and events of ever new shapes have one for each of their fields."""


type Row = tuple[Any, ...]
"""The values of one event in one flat tuple, in the order of its `RowType`. Nested tuples took a fourth more time."""


class RowType:
    """What the values of a row are, in their order.

    Attributes:
        envelope: name and type of the columns that every event has.
        fields: path and column name of each field of the context, and then of each of the properties or traits.
    """

    def __init__(self, call: str, context: Key, own: Key) -> None:
        more = [(OF_CALLS[call], ColumnType.TEXT)] if call in OF_CALLS else []
        self.envelope = (*ENVELOPE, *more)
        of_context = [(path, context_name(path)) for path in paths(context)]
        self.fields = (*of_context, *((path, column_name(path)) for path in paths(own)))
        self._first_field = len(self.envelope)
        self._first_own = len(of_context)

    def columns(self, rows: Sequence[Row]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Return the columns of the envelope, and those of the fields."""
        columns = list(zip(*rows, strict=True))
        return columns[: self._first_field], columns[self._first_field :]

    def own(self, row: Row) -> dict[str, Any]:
        """Return the properties or traits of a row, flattened, by their paths."""
        names = (path for path, _ in self.fields[self._first_own :])
        return dict(zip(names, row[self._first_field + self._first_own :], strict=True))


class Group:
    """Events of one schema, call, name and shape.

    Attributes:
        schema: the schema of their source.
        table: the table of their own; None for track events that have none.
        is_track: whether they are in the table `tracks` too.
        rows: one for each event.
    """

    def __init__(self, schema: str, table: str | None, event: Event, row_type: RowType, known: Container[str]) -> None:
        """Start without rows; `known` are the columns that the table has already, or gets from earlier groups."""
        self.schema = schema
        self.table = table
        self.is_track = event.type == "track"
        self.event: str = event.event if self.is_track else ""
        self.rows: list[Row] = []
        self._row_type = row_type
        self._beyond = fields_beyond(row_type.fields, known)

    def names(self) -> list[str]:
        """Return the names of the columns that its fields become."""
        return [name for place, (_, name) in enumerate(self._row_type.fields) if place not in self._beyond]

    def columns(self) -> Columns:
        """Return the events' columns."""
        row_type = self._row_type
        envelope, fields = row_type.columns(self.rows)
        found = Columns(len(self.rows))
        for (name, kind), column in zip(row_type.envelope, envelope, strict=True):
            found.add(name, kind, times_to_arrow(column) if kind is ColumnType.TIME else column)
        if self.is_track:
            found.repeat("event", snake_case(self.event) or table_name(self.event))
            found.repeat("event_text", self.event)
        for place, ((path, name), column) in enumerate(zip(row_type.fields, fields, strict=True)):
            if place in self._beyond:
                found.add_rest(self._beyond[place], column)
            else:
                found.add_field(path, name, column)
        return found

    def properties(self) -> list[dict[str, Any]]:
        """Return the properties of each event, flattened, by their paths."""
        return [self._row_type.own(row) for row in self.rows]


def group(events: Iterable[Stored], catalog: Catalog, label: Callable[[str], str]) -> tuple[list[Group], int]:
    """Group events by table and shape; return the groups and the seq of the last event in them.

    Only the first events are taken where all together would exceed `MOST_VALUES` or `MOST_COLUMNS_MADE`.

    Args:
        events: events in the order of the log.
        catalog: the known schemas and tables; new sources and tables are added to it.
        label: returns the name that people gave a source.
    """
    groups: dict[Any, Group] = {}
    schemas: dict[str, str] = {}
    columns: dict[tuple[str, str], set[str]] = {}
    last = count = made = 0
    for seq, source, body in events:
        if count >= MOST_VALUES or made >= MOST_COLUMNS_MADE:
            break
        last = seq
        schema = schemas.get(source)
        if schema is None:
            schema = schemas[source] = catalog.schema_of(source, label(source))
        try:
            event = _decode(body)
        except msgspec.MsgspecError as error:
            # Trying again would not help, and all later events would wait for ever.
            catalog.notice(schema, "unreadable", f"seq {seq}: {error}")
            continue
        values = [*_envelope_of(event), seq]
        kind = event.type
        if kind == "group":
            values.append(event.group_id)
        elif kind == "alias":
            values.append(event.previous_id)
        context = flatten(event.context or EMPTY, values)
        own = flatten(_own_of(event), values)
        key = (schema, kind, event.event if kind == "track" else None, context, own)
        found = groups.get(key)
        if found is None:
            table = _table_of(event, schema, catalog)
            name = schema, table or TRACKS
            known = columns[name] if name in columns else columns.setdefault(name, {*catalog.tables.get(name, ())})
            found = groups[key] = Group(schema, table, event, RowType(kind, context, own), known)
            names = found.names()
            known.update(names)
            made += len(ENVELOPE) + len(names)
        found.rows.append(tuple(values))
        count += len(values)
    return list(groups.values()), last


def _table_of(event: Event, schema: str, catalog: Catalog) -> str | None:
    if event.type != "track":
        return CALL_TABLES[event.type]
    table = table_name(event.event)
    if (schema, table) in catalog.tables:
        return table
    return table if catalog.has_room(schema, table, parse_time(event.received_at) or 0.0) else None


def _own_of(event: Event) -> dict[str, Any]:
    if event.type in ("page", "screen"):
        return _named(event)
    return (event.properties if event.type == "track" else event.traits) or EMPTY


def _named(event: Event) -> dict[str, Any]:
    """Return a page's properties with its name and category, which only some libraries put there themselves."""
    own = event.properties or {}
    for name, value in (("name", event.name), ("category", event.category)):
        if value is not None and own.get(name) != value:
            if own.get(name) is not None:
                own[f"_{name}"] = own[name]
            own[name] = value
    return own
