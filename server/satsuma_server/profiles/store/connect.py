"""Which database the settings name."""

from __future__ import annotations

from pathlib import Path

from satsuma_server.identity.rules import SQLITE, ProfileSettings

from .database import Database, Sqlite


def open_database(settings: ProfileSettings, data: Path, *, reading: bool = False) -> Database:
    """Return a connection of its own to the profiles' database.

    Args:
        settings: say which.
        data: the collector's folder.
        reading: the tables have been made by another connection.

    Raises:
        UnavailableError: it can't be reached.
    """
    if settings.store == SQLITE:
        return Sqlite(data, reading=reading)
    from .postgres import Postgres

    return Postgres(settings.store, reading=reading)
