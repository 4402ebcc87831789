"""What ``satsuma doctor`` finds out about profiles in Postgres."""

from __future__ import annotations

from collections.abc import Iterator

from satsuma_server.errors import SettingsError, UnavailableError
from satsuma_server.identity.rules import SQLITE
from satsuma_server.profiles.store.postgres import OLDEST, Postgres

from .findings import Finding


def store_findings(store: str) -> Iterator[Finding]:
    """Yield what can be seen of the database in ``profiles.store``; nothing where it is a file.

    Args:
        store: the setting.
    """
    if store == SQLITE:
        return
    try:
        server = Postgres(store, reading=True)
        try:
            version = server.version()
        finally:
            server.close()
    except (UnavailableError, SettingsError) as error:
        yield Finding(False, str(error), "start it, or check the setting profiles.store")
        return
    yield Finding(
        version >= OLDEST, f"the profiles' Postgres is {version}", f"tests run with {OLDEST} and newer: upgrade it"
    )
