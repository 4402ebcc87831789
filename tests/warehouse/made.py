"""Events as the log holds them, and warehouses of a few."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from satsuma_server.log import Stored
from satsuma_server.warehouse.database import Database
from satsuma_server.warehouse.load.loader import Loader

AT = "2026-04-23T22:38:{:02d}.550Z"


def event(seq: int, kind: str = "track", **more: Any) -> dict[str, Any]:
    """Return an event as the collector keeps it; its times are `seq` seconds after a minute."""
    at = AT.format(seq % 60)
    times = dict.fromkeys(("receivedAt", "sentAt", "originalTimestamp", "timestamp"), at)
    made = {"type": kind, "messageId": f"m{seq}", "anonymousId": "a", "userId": None, **times, "seq": seq, **more}
    if kind == "track":
        made.setdefault("event", "Tried")
    return made


def stored(events: Sequence[dict[str, Any]], source: str = "demo") -> list[Stored]:
    """Return events as followers get them."""
    return [
        Stored(one["seq"], one.get("source", source), json.dumps({k: v for k, v in one.items() if k != "seq"}).encode())
        for one in events
    ]


class Made:
    """An open warehouse."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder)
        self.loader = Loader(self.database)

    def load(self, *events: dict[str, Any]) -> None:
        self.loader.load(stored(events))

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self.database.reading() as connection:
            return connection.execute(sql).fetchall()

    def columns(self, schema: str, table: str) -> dict[str, str]:
        return dict(
            self.ask(f"""SELECT column_name, data_type FROM duckdb_columns()
                WHERE schema_name = '{schema}' AND table_name = '{table}' ORDER BY column_index""")
        )

    def everything(self) -> dict[str, Any]:
        """Return all rows of all tables, and their columns' types; without what says when they were loaded."""
        names = self.ask("""SELECT schema_name, table_name FROM duckdb_tables()
            WHERE schema_name <> '_satsuma' ORDER BY ALL""")
        found: dict[str, Any] = {}
        for schema, table in names:
            columns = self.columns(schema, table)
            listed = ", ".join(f'"{name}"' for name in columns if name != "uuid_ts")
            found[f"{schema}.{table}"] = (columns, self.ask(f'SELECT {listed} FROM "{schema}"."{table}" ORDER BY ALL'))
        found["notices"] = self.ask("FROM _satsuma.notices ORDER BY ALL")
        return found


@contextmanager
def warehouse(folder: Path) -> Iterator[Made]:
    """Open the warehouse of a folder."""
    made = Made(folder)
    try:
        yield made
    finally:
        made.database.close()
