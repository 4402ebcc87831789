"""Runs SQL queries within bounds: one statement that only reads, for a limited time, with a limited result."""

from __future__ import annotations

import math
import threading
import time
from datetime import date, datetime
from datetime import time as clock_time
from decimal import Decimal
from typing import Any

import duckdb

from satsuma_server.errors import BusyError, QueryError
from satsuma_server.warehouse import Answer, Column
from satsuma_server.warehouse.database import Database

MOST_ROWS = 10_000
MOST_BYTES = 8 << 20
"""The most bytes of a result, counted roughly as text."""

MOST_QUERIES = 4
"""The most queries that run at the same time; others wait."""

WAIT_SECONDS = 10
ROWS_A_FETCH = 200


class Queries:
    """Queries one DuckDB file. Its methods block, and may be called from any thread."""

    def __init__(self, database: Database, seconds: float) -> None:
        """Take the file, and the seconds that a query may take."""
        self._database = database
        self._seconds = seconds
        self._room = threading.BoundedSemaphore(MOST_QUERIES)

    def run(self, sql: str, limit: int = 1000) -> Answer:
        """Run one statement and return at most `limit` rows.

        Raises:
            QueryError: it is not a single SELECT, has an error, or takes too much time or memory.
            BusyError: too many other queries are running.
        """
        statement = _one_select(sql)
        if not self._room.acquire(timeout=WAIT_SECONDS):
            raise BusyError(f"{MOST_QUERIES} queries are under way: ask again in a moment")
        try:
            with self._database.reading() as connection:
                return self._run(connection, statement, max(0, min(limit, MOST_ROWS)))
        except duckdb.InterruptException:
            raise QueryError(f"the query was stopped after {self._seconds:g} s: ask for less") from None
        except duckdb.Error as error:
            raise QueryError(str(error)) from None
        finally:
            self._room.release()

    def _run(self, connection: duckdb.DuckDBPyConnection, sql: str, limit: int) -> Answer:
        began = time.monotonic()
        clock = threading.Timer(self._seconds, connection.interrupt)
        clock.start()
        try:
            # Wrapped in a query of ours with a LIMIT, so that DuckDB computes no more rows than are asked for.
            connection.execute(f"SELECT * FROM query(?) LIMIT {limit + 1}", (sql,))
            columns = [Column(name, str(kind)) for name, kind, *_ in connection.description or ()]
            rows, truncated = _fetch(connection, limit)
        finally:
            clock.cancel()
        return Answer(columns, rows, truncated, round(time.monotonic() - began, 4))


def _one_select(sql: str) -> str:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
    if len(statements) != 1:
        raise QueryError(f"ask one statement at a time: these are {len(statements)}")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError("only SELECT (and WITH, FROM, DESCRIBE, SHOW, SUMMARIZE) can be asked: this reads, no more")
    if statements[0].named_parameters:
        raise QueryError("parameters can't be given: write the values")
    return str(statements[0].query)


def _fetch(connection: duckdb.DuckDBPyConnection, limit: int) -> tuple[list[list[Any]], bool]:
    rows: list[list[Any]] = []
    size = 0
    while portion := connection.fetchmany(ROWS_A_FETCH):
        for row in portion:
            plain = [_plain(value) for value in row]
            size += sum(len(value) if isinstance(value, str) else 8 for value in plain)
            if len(rows) >= limit or size > MOST_BYTES:
                return rows, True
            rows.append(plain)
    return rows, False


def _plain(value: Any) -> Any:
    """Return a value that JSON can represent."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds" if value.microsecond % 1000 == 0 else "microseconds")
    if isinstance(value, date | clock_time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    return value.hex() if isinstance(value, bytes) else str(value)
