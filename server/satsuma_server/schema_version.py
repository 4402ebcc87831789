"""The version of a SQLite file's tables, and how the tables of an older file are brought to the newest version.

The version is SQLite's ``user_version``. Files of the time before it was counted have 0, which is why every first step
creates only what is not there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from .errors import UnavailableError


def migrate(connection: sqlite3.Connection, steps: Sequence[str], what: str) -> None:
    """Bring the tables to the newest version. Each step is one transaction: after a crash the next start goes on.

    Args:
        connection: a connection in autocommit mode.
        steps: for each version, the statements that make it from the one before, divided by semicolons. Steps that
            were released stay as they are.
        what: the file, for the error.

    Raises:
        UnavailableError: the file was written by a newer version of Satsuma.
        sqlite3.Error: the file can't be written.
    """
    while (version := _version(connection)) < len(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been faster.
            if _version(connection) == version:
                for statement in filter(str.strip, steps[version].split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    if version > len(steps):
        raise UnavailableError(
            f"{what} was written by a newer version of Satsuma: install that version, or restore a backup of this one"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
