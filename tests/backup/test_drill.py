"""The restore drill: a backup of a busy collector, restored elsewhere, has everything and goes on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from profiles.people import People
from satsuma_server.cli import app
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.profiles.store.database import TABLES
from satsuma_server.profiles.store.postgres import Postgres
from satsuma_server.testing import started
from typer.testing import CliRunner
from upgrade.folder import EVENTS, TOKEN, Folder, arguments, fill

NO_CONTENT = {"events.sqlite3 state", "events.sqlite3 heartbeat", "events.sqlite3 cursors"}
"""Who had the log open last, when it was last written to, and how far followers had come when it was closed."""


def command(*args: str | Path) -> str:
    done = CliRunner().invoke(app, [str(one) for one in args])
    assert done.exit_code == 0, done.output
    return done.output


def refusal(*args: str | Path) -> str:
    done = CliRunner().invoke(app, [str(one) for one in args])
    assert done.exit_code == 1
    return " ".join(done.output.split())


def take(folder: Folder, at: Path, config: Path, data: Path) -> str:
    return command("backup", at, "--config", config, "--data", data, "--url", folder.told["url"], "--token", TOKEN)


def tables(data: Path) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a checksum of each table of each file."""
    found = {}
    for file in sorted(data.glob("*.sqlite3")):
        with closing(sqlite3.connect(file)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                if f"{file.name} {name}" not in NO_CONTENT:
                    found[f"{file.name} {name}"] = summary(connection.execute(f"SELECT * FROM {name}").fetchall())
    with duckdb.connect(str(data / "warehouse" / "warehouse.duckdb"), read_only=True) as connection:
        for schema, name in connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
            rows = connection.execute(f'SELECT * FROM "{schema}"."{name}"').fetchall()
            found[f"warehouse {schema}.{name}"] = summary(rows)
    for file in sorted(data.glob("*.txt")) + sorted(data.glob("*.json")):
        found[file.name] = summary([file.read_bytes()])
    return found


def summary(rows: list[Any]) -> tuple[int, str]:
    return len(rows), hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the backups ``busy``, which was made while events came, and ``quiet``, and the collector's data."""
    at = tmp_path_factory.mktemp("backups")
    stop, posted = threading.Event(), list[str]()
    with started(at, *arguments(at), env={"SATSUMA_WORKER": "1"}) as told:
        folder = Folder(told)
        folder.ready()
        fill(folder)

        def send() -> None:
            other = Folder(told)
            while not stop.is_set():
                posted.append(f"n{len(posted)}")
                other.post({**EVENTS[2], "messageId": posted[-1], "userId": posted[-1]})

        sender = threading.Thread(target=send)
        sender.start()
        try:
            take(folder, at / "busy", at / "satsuma.toml", at / "data")
        finally:
            stop.set()
            sender.join()
        folder.caught_up()
        copied = f"select count(*) from profiles.identity_map where id = '{posted[-1]}'"
        until = time.monotonic() + 60
        while folder.rows(copied) == [[0]]:  # These tables are copied from time to time.
            assert time.monotonic() < until
            time.sleep(0.1)
        told_by_command = take(folder, at / "quiet", at / "satsuma.toml", at / "data")
        assert f"all events up to {folder.last():,}" in " ".join(told_by_command.split())
        folder.end()
    return at


def test_a_restored_collector_has_every_row_and_goes_on(backups: Path, tmp_path: Path) -> None:
    config = backups / "quiet" / "settings" / "satsuma.toml"
    assert config.read_bytes() == (backups / "satsuma.toml").read_bytes()
    command("restore", backups / "quiet", "--config", config, "--data", tmp_path / "data")
    before, after = tables(backups / "data"), tables(tmp_path / "data")
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} == set()
    assert before["events.sqlite3 refused"][0] == 1

    with started(tmp_path, *arguments(tmp_path), env={"SATSUMA_WORKER": "1"}) as told:
        folder = Folder(told)
        folder.ready()
        known = folder.events()
        folder.post(*EVENTS, {**EVENTS[2], "messageId": "after", "event": "Went On"})
        assert folder.events() == [*known, "after"]
        folder.caught_up()
        assert folder.rows("select count(*) from shop.went_on") == [[1]]
        folder.end()


def test_a_backup_under_load_has_no_follower_ahead_of_its_log(backups: Path, tmp_path: Path) -> None:
    manifest = json.loads((backups / "busy" / "manifest.json").read_bytes())
    data = backups / "busy" / "data"
    last, cursors = log_of(data)
    with closing(sqlite3.connect(data / "destinations.sqlite3")) as connection:
        crm = connection.execute("SELECT cursor FROM destinations").fetchone()[0]
    assert last >= manifest["last"] >= len(EVENTS)
    assert set(manifest["cursors"]) == {"profiles", "warehouse", "console"}
    assert max(*cursors.values(), *manifest["cursors"].values(), crm) <= last

    # And in the restored log no cursor is beyond what its follower has.
    command("restore", backups / "busy", "--data", tmp_path / "restored")
    assert log_of(tmp_path / "restored") == (last, manifest["cursors"])


def log_of(data: Path) -> tuple[int, dict[str, int]]:
    """Return the newest seq and all cursors."""
    with closing(sqlite3.connect(data / "events.sqlite3")) as log:
        newest = log.execute("SELECT max(last) FROM blocks").fetchone()[0]
        return newest, dict(log.execute("SELECT name, seq FROM cursors"))


def test_what_is_not_whole_or_in_the_way_is_refused(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--accept-any-key", "--token", TOKEN) as told:
        Folder(told).post(*EVENTS)
        command("backup", tmp_path / "copy", "--data", tmp_path / "data")
        assert "is not empty" in refusal("backup", tmp_path / "copy", "--data", tmp_path / "data")
        assert "is not empty" in refusal("restore", tmp_path / "copy", "--data", tmp_path / "data")
    (tmp_path / "copy" / "data" / "added").symlink_to("/etc/passwd")
    assert "is not of this backup" in refusal("restore", tmp_path / "copy", "--data", tmp_path / "new")
    (tmp_path / "copy" / "data" / "added").unlink()
    log = tmp_path / "copy" / "data" / "events.sqlite3"
    content = log.read_bytes()
    log.write_bytes(content[:-1] + b"x")
    assert "not as it was" in refusal("restore", tmp_path / "copy", "--data", tmp_path / "new")
    log.unlink()
    assert "lacks data/events.sqlite3" in refusal("restore", tmp_path / "copy", "--data", tmp_path / "new")
    (tmp_path / "copy" / "manifest.json").unlink()
    assert "no whole backup" in refusal("restore", tmp_path / "copy", "--data", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_profiles_in_postgres_come_back(tmp_path: Path, postgres: str) -> None:
    import psycopg

    configs, stores = [tmp_path / "before.toml", tmp_path / "after.toml"], list[str]()
    with psycopg.connect(postgres, autocommit=True) as connection:
        for config in configs:
            connection.execute(f"CREATE SCHEMA backup_{config.stem}")  # type: ignore[arg-type]
            store = f"{postgres}?options=-csearch_path%3Dbackup_{config.stem}"
            config.write_text(f'accept_any_key = true\n[profiles]\nstore = "{store}"\n')
            stores.append(store)
    people = People(tmp_path, Postgres(stores[0]))
    people.see("identify", user="ann", anonymous="a1", traits={"plan": "free\t\\N\n"})
    people.see("track", user="ann", anonymous="a2")
    people.store.close()
    asyncio.run(SqliteLog(tmp_path / "data").close())
    command("backup", tmp_path / "copy", "--config", configs[0], "--data", tmp_path / "data")
    command("restore", tmp_path / "copy", "--config", configs[1], "--data", tmp_path / "new")
    with psycopg.connect(postgres) as connection:
        rows = [
            {name: summary(connection.execute(f"SELECT * FROM {schema}.{name}").fetchall()) for name in TABLES}  # type: ignore[arg-type]
            for schema in ("backup_before", "backup_after")
        ]
    assert rows[0] == rows[1]
    assert rows[0]["nodes"][0] == 3
    assert "has profiles already" in refusal(
        "restore", tmp_path / "copy", "--config", configs[1], "--data", tmp_path / "third"
    )
