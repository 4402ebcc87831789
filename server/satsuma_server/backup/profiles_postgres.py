"""Copies profiles that are kept in Postgres to files and back, by COPY, as they were at one moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from satsuma_server.errors import BackupError
from satsuma_server.profiles.store.database import TABLES
from satsuma_server.profiles.store.postgres import Postgres

FOLDER = "profiles-postgres"


def dump(url: str, target: Path) -> int:
    """Write each table to a file in the folder `target`; return the seq up to which they are built.

    Raises:
        UnavailableError: the server can't be reached.
        BackupError: it refuses to give the tables.
    """
    import psycopg

    Postgres(url).close()  # Makes the tables where no collector has yet.
    (target / FOLDER).mkdir()
    try:
        with psycopg.connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            for table, columns in TABLES.items():
                give: Any = f"COPY {table} ({', '.join(columns)}) TO STDOUT"
                with (target / FOLDER / f"{table}.copy").open("wb") as file, connection.cursor().copy(give) as copy:
                    for piece in copy:
                        file.write(piece)
            return _seq(connection)
    except psycopg.Error as error:
        raise BackupError(f"the profiles' Postgres gives no copy: {type(error).__name__}") from error


def load(url: str, source: Path) -> None:
    """Fill the tables, which must be new ones, from the files in the folder `source`; all of them or none.

    Raises:
        UnavailableError: the server can't be reached.
        BackupError: the tables have something already, or don't take what is in the files.
    """
    import psycopg

    Postgres(url).close()
    try:
        with psycopg.connect(url) as connection:
            if _seq(connection):
                raise BackupError("the profiles' Postgres has profiles already: name an empty database")
            for table, columns in TABLES.items():
                empty: Any = f"DELETE FROM {table}"  # noqa: S608
                connection.execute(empty)
                take: Any = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
                with (source / FOLDER / f"{table}.copy").open("rb") as file, connection.cursor().copy(take) as copy:
                    while piece := file.read(1 << 20):
                        copy.write(piece)
    except psycopg.Error as error:
        raise BackupError(f"the profiles' Postgres does not take the copy: {type(error).__name__}") from error


def _seq(connection: Any) -> int:
    row = connection.execute("SELECT max(seq) FROM state").fetchone()
    return int(row[0] or 0)
