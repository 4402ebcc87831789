"""Types of columns that are fixed beforehand, by the settings or by a tracking plan.

Without them one event is enough to change a column's type: a public write key and the text ``"x"`` turn ``total`` into
VARCHAR. A value that doesn't fit into a pinned column goes into the rest, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from satsuma_server.plans import Plan, read_plan
from satsuma_server.settings import PinnedType, Settings

from .column_types import EXACT, ColumnType, text_of
from .names import CALL_TABLES, column_name, table_name

PINNED: Final[Mapping[str, ColumnType]] = {
    "boolean": ColumnType.BOOL,
    "integer": ColumnType.BIG,
    "number": ColumnType.DOUBLE,
    "text": ColumnType.TEXT,
}
OF_SCHEMAS: Final[Mapping[str, PinnedType]] = {
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
    "string": "text",
}
"""The types of JSON schemas."""

MOST_LEVELS = 6

Tables = dict[str, dict[str, ColumnType | None]]
"""For each table, the columns that are named, with their types; None where any type will do."""

NONE: Final[Mapping[str, ColumnType]] = {}


class PinnedTypes:
    """The pinned types of all tables.

    What the settings say for one schema precedes what they say for all, and that precedes a plan.
    """

    def __init__(self, types: Mapping[str, PinnedType] | None = None) -> None:
        """Take the types by ``table.column`` or ``schema.table.column``."""
        self._everywhere: Tables = {}
        self._schemas: dict[str, Tables] = {}
        self._plans: dict[str, Tables] = {}
        self._default: Tables = {}
        for name, kind in (types or {}).items():
            *schema, table, column = name.split(".")
            tables = self._schemas.setdefault(schema[0], {}) if schema else self._everywhere
            tables.setdefault(table, {})[column] = PINNED[kind]

    @classmethod
    def of(cls, settings: Settings) -> PinnedTypes:
        """Return what the settings and their plans say.

        Raises:
            PlanError: a plan can't be read or is not valid.
        """
        made = cls(settings.warehouse.types)
        read: dict[Path, Tables] = {}

        def tables(path: Path | None) -> Tables:
            return {} if path is None else read.setdefault(path, read.get(path) or types_of(read_plan(path)))

        made._default = tables(settings.plan)
        made._plans = {
            source.write_key: tables(Path(source.plan)) for source in settings.sources if source.plan is not None
        }
        return made

    def of_table(self, source: str | None, schema: str, table: str) -> Mapping[str, ColumnType]:
        """Return the pinned types of a table, by column. `source` is the write key whose schema it is, if only one has
        it."""
        plan = self._plans.get(source or "", self._default)
        every = (plan, self._everywhere, self._schemas.get(schema, {}))
        found = [tables[table] for tables in every if table in tables]
        return {name: kind for one in found for name, kind in one.items() if kind} if found else NONE

    def names(self, source: str | None, schema: str, table: str, column: str) -> bool:
        """Tell whether the settings or a plan name a column, or a table where `column` is empty."""
        every = (self._plans.get(source or "", self._default), self._everywhere, self._schemas.get(schema, {}))
        return any(table in tables and (not column or column in tables[table]) for tables in every)


def types_of(plan: Plan) -> Tables:
    """Return the types that a plan gives to columns."""
    tables: Tables = {}
    for name, schema in plan.track.items():
        tables.setdefault(table_name(name), {}).update(_columns(schema))
    for kind, schema in plan.calls.items():
        tables.setdefault(CALL_TABLES[kind], {}).update(_columns(schema))
    return tables


def _columns(schema: Any, prefix: str = "", level: int = 1) -> Iterator[tuple[str, ColumnType | None]]:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or level > MOST_LEVELS:
        return
    for name, inner in properties.items():
        yield column_name(f"{prefix}{name}"), _kind(inner)
        yield from _columns(inner, f"{prefix}{name}_", level + 1)


def _kind(schema: Any) -> ColumnType | None:
    """Return the type of a property; None where it may have values of several types, or of one without a column
    type."""
    told = schema.get("type") if isinstance(schema, Mapping) else None
    kinds = {one for one in (told if isinstance(told, list) else [told]) if one != "null"}
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    [kind] = kinds if len(kinds) == 1 else [None]
    return PINNED[OF_SCHEMAS[kind]] if isinstance(kind, str) and kind in OF_SCHEMAS else None


def fit_values(values: Sequence[Any], pinned: ColumnType) -> tuple[list[Any], list[Any]]:
    """Divide values into those that a pinned column can hold without loss, in its type, and all others.

    Both lists have the length of `values`, with None where a value is in the other.
    """
    fits = [_fit(value, pinned) for value in values]
    return fits, [value if fit is None else None for value, fit in zip(values, fits, strict=True)]


def _fit(value: Any, pinned: ColumnType) -> Any:
    if pinned is ColumnType.TEXT:
        return text_of(value)
    is_number = type(value) in (int, float)
    if pinned is ColumnType.BOOL:
        return value if type(value) is bool else None
    if pinned is ColumnType.DOUBLE:
        return float(value) if is_number and (type(value) is float or -EXACT <= value <= EXACT) else None
    if type(value) is float:
        return int(value) if value.is_integer() and -EXACT <= value <= EXACT else None
    return value if is_number else None
