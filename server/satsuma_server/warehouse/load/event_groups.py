"""Events of one table and shape, side by side, and what they become: columns."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa

from satsuma_server.log import Stored
from satsuma_server.warehouse.schema.catalog import MOST_COLUMNS, Catalog
from satsuma_server.warehouse.schema.column_types import ColumnType, column_type_of, text_of, times_to_arrow, to_arrow
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
"""The id that a call has besides; it is the envelope's last, and of text."""


class Event(msgspec.Struct, rename="camel", gc=False):
    """What the collector keeps of an event, as far as it has a column."""

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
"""Of a portion: values, and columns of all its groups together. A column costs about a kilobyte, however few values are
in it: events of ever new shapes have one for each of their fields."""


class Group:
    """Events of one schema, call, name and shape.

    Attributes:
        schema: of their source.
        table: their own; None of track events for which there is none.
        is_track: they are in `tracks` too.
        rows: a tuple of values for each event.
    """

    def __init__(
        self, schema: str, table: str | None, event: Event, context: Key, own: Key, known: Container[str]
    ) -> None:
        """Start without rows; `known` are the columns that the table has, or gets by events before these."""
        self.schema = schema
        self.table = table
        self.is_track = event.type == "track"
        self.event: str = event.event if self.is_track else ""
        self.rows: list[tuple[Any, ...]] = []
        more = [OF_CALLS[event.type]] if event.type in OF_CALLS else []
        self._envelope = (*ENVELOPE, *((one, ColumnType.TEXT) for one in more))
        self._context = [(path, context_name(path)) for path in paths(context)]
        self._own = [(path, column_name(path)) for path in paths(own)]
        self._beyond = _beyond([*self._context, *self._own], known)

    def names(self) -> list[str]:
        """Return the names of the columns that its fields become."""
        return [name for place, (_, name) in enumerate((*self._context, *self._own)) if place not in self._beyond]

    def columns(self) -> Columns:
        """Return the events' columns."""
        values = list(zip(*self.rows, strict=True))
        found = Columns(len(self.rows))
        for (name, kind), column in zip(self._envelope, values, strict=False):
            found.add(name, kind, times_to_arrow(column) if kind is ColumnType.TIME else column)
        if self.is_track:
            found.repeat("event", snake_case(self.event) or table_name(self.event))
            found.repeat("event_text", self.event)
        first = len(self._envelope)
        for place, ((path, name), column) in enumerate(zip([*self._context, *self._own], values[first:], strict=True)):
            if place in self._beyond:
                found.add_rest(self._beyond[place], column)
            else:
                found.add_field(path, name, column)
        return found

    def properties(self) -> list[dict[str, Any]]:
        """Return the properties of each event, flattened, by their paths."""
        first = len(self._envelope) + len(self._context)
        names = [path for path, _ in self._own]
        return [dict(zip(names, row[first:], strict=True)) for row in self.rows]


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


def _beyond(fields: Sequence[tuple[str, str]], known: Container[str]) -> dict[int, str]:
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


def group(events: Iterable[Stored], catalog: Catalog, label: Callable[[str], str]) -> tuple[list[Group], int]:
    """Return events in groups, in the order of their first ones, and the seq of the last event that is among them.

    As many as make a portion: all, or the first of them.

    Args:
        events: in order.
        catalog: what there is; may get new sources and tables here.
        label: tells what people call a source.
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
            # It would be as unreadable the next time, and whatever follows would wait for ever.
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
            found = groups[key] = Group(schema, table, event, context, own, known)
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
    return table if catalog.has_room(schema, table) else None


def _own_of(event: Event) -> dict[str, Any]:
    if event.type in ("page", "screen"):
        return _named(event)
    return (event.properties if event.type == "track" else event.traits) or EMPTY


def _named(event: Event) -> dict[str, Any]:
    """Return a page's properties with its name and category, which libraries put there too, or not."""
    own = event.properties or {}
    for name, value in (("name", event.name), ("category", event.category)):
        if value is not None and own.get(name) != value:
            if own.get(name) is not None:
                own[f"_{name}"] = own[name]
            own[name] = value
    return own
