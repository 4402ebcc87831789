"""Which new tables and columns may come, since anybody with a public write key can send ever new names.

A source gets only so many new names at once, and so many an hour after that. Names beyond are held: their values are in
the rest, as those of any name without a column, and people decide what becomes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import duckdb

from satsuma_server.warehouse.database import OWN

MS_AN_HOUR = 3_600_000.0

SOURCE_FACTOR = 10
"""How many times as many columns all tables of a source may get together, at once and in an hour."""

MOST_HELD = 1_000
"""The most held names that are remembered. Others are held too as long as there are too many new ones."""

FullName = tuple[str, str, str]
"""Schema, table and column; the column is empty for a table itself."""

Statement = tuple[str, tuple[object, ...]]


class Decision(StrEnum):
    """What becomes of a name."""

    HELD = "held"
    ALLOWED = "allowed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Rate:
    """How many new names may come.

    Attributes:
        at_once: tables of a source, or columns of a table, at once, after a rest; 0 for any number.
        an_hour: how many more with each hour.
    """

    at_once: int = 0
    an_hour: float = 0.0


@dataclass
class NewNames:
    """The decisions on names, and how many names have come lately.

    Times are those at which events were received, so that the same log gives the same tables again.

    Attributes:
        decisions: what was decided, by people or by the rate.
        is_planned: tells whether a tracking plan or the settings name a table or column, which always may come.
    """

    rate: Rate = field(default_factory=Rate)
    is_planned: Callable[[FullName], bool] = lambda name: False
    decisions: dict[FullName, Decision] = field(default_factory=dict)
    _next: dict[tuple[str, str], float] = field(default_factory=dict)
    _held: int = 0
    _statements: list[Statement] = field(default_factory=list)
    _used: set[tuple[str, str]] = field(default_factory=set)

    def read(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read what the file has."""
        for *name, decision in connection.execute(f"FROM {OWN}.names").fetchall():
            self.decisions[name[0], name[1], name[2]] = Decision(decision)
        self._held = len(self.held())
        for schema, table, at in connection.execute(f"FROM {OWN}.name_rates").fetchall():
            self._next[schema, table] = at

    def held(self) -> list[str]:
        """Return the names that are held."""
        found = sorted(name for name, decision in self.decisions.items() if decision is Decision.HELD)
        return [".".join(filter(None, name)) for name in found]

    def decide(self, name: FullName, at: float) -> Decision:
        """Return what becomes of a new name in an event that was received at `at` (milliseconds since 1970)."""
        known = self.decisions.get(name)
        if known is not None:
            return known
        if self.rate.at_once <= 0 or self.is_planned(name) or self._count(name, at):
            return Decision.ALLOWED
        if self._held < MOST_HELD:
            self._held += 1
            self.decisions[name] = Decision.HELD
            self._statements.append((f"INSERT INTO {OWN}.names VALUES (?, ?, ?, ?)", (*name, Decision.HELD.value)))
        return Decision.HELD

    def take_statements(self) -> list[Statement]:
        """Return the SQL that writes the changes since the last call."""
        statements, self._statements = self._statements, []
        for place in self._used:
            statements.append((f"DELETE FROM {OWN}.name_rates WHERE schema_name = ? AND table_name = ?", place))
            statements.append((f"INSERT INTO {OWN}.name_rates VALUES (?, ?, ?)", (*place, self._next[place])))
        self._used = set()
        return statements

    def _count(self, name: FullName, at: float) -> bool:
        """Count a new name, unless there are too many."""
        schema, table, column = name
        places = {(schema, table): 1, (schema, "*"): SOURCE_FACTOR} if column else {(schema, ""): 1}
        step = MS_AN_HOUR / max(self.rate.an_hour, 1e-6)
        # The generic cell rate algorithm: one time for each place says how far what has come reaches into the future.
        for place, factor in places.items():
            if self._next.get(place, 0.0) - at > (self.rate.at_once * factor - 1) * step / factor:
                return False
        for place, factor in places.items():
            self._next[place] = max(self._next.get(place, 0.0), at) + step / factor
            self._used.add(place)
        return True


def save_decision(connection: duckdb.DuckDBPyConnection, name: FullName, decision: Decision) -> None:
    """Write what people decided on a name."""
    connection.execute(f"DELETE FROM {OWN}.names WHERE (schema_name, table_name, column_name) = (?, ?, ?)", name)
    connection.execute(f"INSERT INTO {OWN}.names VALUES (?, ?, ?, ?)", (*name, decision.value))


def forget_held(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget which names are held and how many came, before the tables are built again. What people decided stays."""
    connection.execute(f"DELETE FROM {OWN}.names WHERE decision = ?", (Decision.HELD.value,))
    connection.execute(f"DELETE FROM {OWN}.name_rates")
