"""Profiles in a Postgres database."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from satsuma_server.errors import SettingsError, UnavailableError

from .database import TABLES, schema

OLDEST = 15
"""The oldest version of Postgres that tests run with. Older ones are told of, and used."""

LOCK = 0x5A75_0A21
"""Number of the lock under which tables are created, in case two processes start at the same time."""


logger = logging.getLogger("satsuma.profiles")


class Postgres:
    """A connection to a Postgres server, which is opened again after it was lost."""

    def __init__(self, url: str, *, reading: bool = False) -> None:
        """Connect. Raises `UnavailableError` where the server can't be reached."""
        try:
            import psycopg
        except ImportError as error:
            raise SettingsError("profiles.store: Postgres needs psycopg: install satsuma-server[postgres]") from error
        self._psycopg = psycopg
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        if not reading:
            if (version := self.version()) < OLDEST:
                told = {"version": version, "tested": OLDEST}
                logger.warning("the profiles' Postgres is older than what was tested", extra=told)
            with self.transaction():
                self.run("SELECT pg_advisory_xact_lock(?)", LOCK)
                # Texts are compared by bytes, as in SQLite, whatever the server's locale is.
                for statement in schema('TEXT COLLATE "C"'):
                    self.run(statement)

    def version(self) -> int:
        """Return the server's major version. Raises `UnavailableError` where it can't be asked."""
        return int(self.run("SHOW server_version_num")[0][0]) // 10_000

    def run(self, statement: str, *values: Any) -> list[Any]:
        with self._telling() as connection:
            cursor = connection.execute(statement.replace("?", "%s"), values or None)
            return cursor.fetchall() if cursor.description else []

    def many(self, statement: str, given: Sequence[Any]) -> None:
        with self._telling() as connection, connection.cursor() as cursor:
            if given:
                cursor.executemany(statement.replace("?", "%s"), given)

    def each(self, statement: str, *values: Any) -> Generator[Any]:
        with self._telling() as connection, connection.transaction(), connection.cursor("each") as cursor:
            cursor.execute(statement.replace("?", "%s"), values or None)
            yield from cursor

    def given(self, *columns: str) -> str:
        told = []
        for place, column in enumerate(columns):
            table, _, name = column.partition(".")
            told.append(f"(value->>{place})::{TABLES[table][name]} AS {name}")
        return f"(SELECT {', '.join(told)} FROM jsonb_array_elements(?::jsonb)) AS given"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._telling() as connection, connection.transaction():
            yield

    def clean(self) -> None:
        self.run("VACUUM")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def _telling(self) -> Iterator[Any]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._psycopg.connect(self._url, autocommit=True, connect_timeout=10)
            yield self._connection
        except self._psycopg.DataError as error:
            # The values can't be stored, and trying again would not help.
            raise ValueError(f"the profiles' Postgres takes no such value: {type(error).__name__}") from error
        except self._psycopg.Error as error:
            # The message may have personal data, so only the type of the error is shown.
            raise UnavailableError(f"the profiles' Postgres can't be used: {type(error).__name__}") from error
