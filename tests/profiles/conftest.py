from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from profiles.people import People
from satsuma_server.profiles.store.database import Sqlite
from satsuma_server.profiles.store.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def make_people(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., People]]:
    """A function that makes a fresh store by settings, in each database that there is."""
    made: list[People] = []
    schemas = itertools.count(1)

    def make(**settings: Any) -> People:
        if request.param == "sqlite":
            database: Any = Sqlite(tmp_path / str(next(schemas)))
        else:
            database = Postgres(_schema(request.getfixturevalue("postgres"), f"{request.node.name}{next(schemas)}"))
        made.append(People(tmp_path, database, **settings))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


def _schema(url: str, name: str) -> str:
    """Return a URL with a schema of its own, which is made."""
    import psycopg

    schema = f"s{abs(hash(name))}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    return f"{url}?options=-csearch_path%3D{schema}"


@pytest.fixture
def people(make_people: Callable[..., People]) -> People:
    """A fresh store with the default settings."""
    return make_people()
