"""The same tables in another database, by dlt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from satsuma_server.errors import UnavailableError
from satsuma_server.settings import WarehouseSettings
from satsuma_server.warehouse.export.dlt_export import DltExport
from satsuma_server.warehouse.load.forget import forget
from warehouse.made import Made, event, warehouse


def mirror(made: Made, folder: Path, credentials: str) -> DltExport:
    return DltExport(WarehouseSettings(destination="postgres", credentials=credentials), made.database, folder / "dlt")


def rows_there(url: str, made: Made) -> dict[str, Any]:
    """Return what Postgres has of all tables, ordered and without times zones, as `rows_here` does."""
    found = {}
    with psycopg.connect(url) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        for schema, table in made.loader.catalog.tables:
            columns = ", ".join(f'"{name}"' for name in made.columns(schema, table))
            rows = connection.execute(f'SELECT {columns} FROM "{schema}"."{table}" ORDER BY id').fetchall()
            found[table] = [
                [one.replace(tzinfo=None) if hasattr(one, "tzinfo") else one for one in row] for row in rows
            ]
    return found


def rows_here(made: Made) -> dict[str, Any]:
    found = {}
    for schema, table in made.loader.catalog.tables:
        rows = made.ask(f'SELECT * FROM "{schema}"."{table}" ORDER BY id')
        found[table] = [[one.replace("\0", "\ufffd") if isinstance(one, str) else one for one in row] for row in rows]
    return found


def test_postgres_has_the_same_tables(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    with warehouse(tmp_path) as made:
        copy = mirror(made, tmp_path, postgres)
        made.load(
            event(1, "identify", userId="u", traits={"plan": "free", "seats": 1}),
            event(2, event="users; drop table users", properties={"n": 3, 'a"; drop table x': "é\n\",'\t\\"}),
            event(3, "group", groupId="g", traits={"seats": 5}),
        )
        copy.copy()
        assert rows_there(postgres, made) == rows_here(made)
        # New columns, a wider one, a user's new trait, an event that has come twice.
        made.load(
            event(4, "identify", userId="u", anonymousId="b", traits={"plan": "paid", "tags": ["x"]}),
            event(5, event="users; drop table users", properties={"n": 3.5, "more": True, "nul": "\0"}),
            event(6, "identify", userId="v", traits={"plan": "free"}),
        )
        copy.copy()
        copy.copy()
        assert rows_there(postgres, made) == rows_here(made)
        assert copy.copied() == {"demo": 6}
        with made.database.writing() as connection:
            assert forget(connection, made.loader.catalog, {"demo"}, ["v"], ["a"]) > 0
        copy.forget(copy.copied(), ["v"], ["a"])
        assert rows_there(postgres, made) == rows_here(made)
        assert made.ask("SELECT id, plan, seats FROM demo.users") == [("u", "paid", 1)]
    assert list(home.rglob("*")) == []


def test_a_copy_that_was_cut_off_is_whole_afterwards(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse(tmp_path) as made:
        made.load(*[event(seq, event=f"Cut {seq % 3}", source="cut") for seq in range(1, 10)])
        copy = mirror(made, tmp_path, postgres)
        with monkeypatch.context() as patch:
            # It is all there, but nobody noted it.
            patch.setattr("satsuma_server.warehouse.export.dlt_export.set_state", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                copy.copy()
        assert copy.copied() == {"cut": 0}
        copy.copy()
        assert rows_there(postgres, made) == rows_here(made)


def test_a_destination_that_is_down_is_told_of(tmp_path: Path) -> None:
    with warehouse(tmp_path) as made:
        made.load(event(1))
        with pytest.raises(UnavailableError, match=r"postgres can't be written: .*[Cc]onnection"):
            mirror(made, tmp_path, "postgresql://a:b@127.0.0.1:1/none").copy()
        with pytest.raises(UnavailableError, match="no destination 'papyrus'"):
            DltExport(WarehouseSettings(destination="papyrus"), made.database, tmp_path / "dlt").copy()
