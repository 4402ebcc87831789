"""Opens the database that the settings name."""

from __future__ import annotations

from pathlib import Path

from satsuma_server.identity.rules import SQLITE, ProfileSettings

from .database import Database, Sqlite


def open_database(settings: ProfileSettings, data: Path, *, reading: bool = False) -> Database:
    """Return a new connection to the profiles' database.

    Args:
        settings: the settings, which name the database.
        data: the collector's data folder.
        reading: whether the connection only reads, after another one has created the tables.

    Raises:
        UnavailableError: the database can't be opened or reached.
    """
    if settings.store == SQLITE:
        return Sqlite(data, reading=reading)
    from .postgres import Postgres

    return Postgres(settings.store, reading=reading)
