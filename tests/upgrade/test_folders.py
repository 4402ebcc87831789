"""A data folder that an earlier version wrote opens in this one, with everything that was in it."""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from satsuma_server.access.token_file import TokenFile
from satsuma_server.errors import UnavailableError
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.testing import started
from upgrade.folder import EVENTS, REFUSED, SUPPRESSED, Folder, arguments

FOLDERS = sorted(Path(__file__).parent.glob("*.tar.xz"))


@pytest.mark.parametrize("archive", FOLDERS, ids=lambda path: path.name)
def test_a_folder_of_an_earlier_version_opens_with_all_that_was_in_it(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    with started(tmp_path, *arguments(tmp_path), env={"SATSUMA_WORKER": "1"}) as told:
        folder = Folder(told)
        folder.ready()
        ids = [event["messageId"] for event in EVENTS]
        assert folder.events() == ids
        assert len(folder.lines("/v1/refused")) == 1
        assert folder.rows("select count(*) from shop.order_completed") == [[1]]
        assert folder.rows("select plan from shop.users where id = 'ann'") == [["free"]]
        person = folder.patiently("GET", "/v1/profiles/user_id:ann").json()
        assert {one["id"] for one in person["external_ids"]} >= {"ann", "a1", "a2"}
        crm = folder.patiently("GET", "/v1/destinations").json()[0]
        assert (crm["lag"], crm["counts"]["delivered"]) == (0, len(EVENTS))
        # What was sent then is known, who was suppressed stays so, and new events go through everything.
        folder.post(*EVENTS, {**REFUSED, "event": "Now named"}, {**EVENTS[2], "messageId": "m7", "userId": SUPPRESSED})
        assert folder.events() == [*ids, "m6"]
        folder.caught_up()
        assert folder.rows("select count(*) from shop.now_named") == [[1]]
        folder.end()
    assert [token.name for token in TokenFile(tmp_path / "data").read()] == ["reader"]


def test_a_log_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "events.sqlite3")) as file:
        file.execute("PRAGMA user_version=1000")
        file.execute("CREATE TABLE of_tomorrow (x)")
    with pytest.raises(UnavailableError, match="newer version"):
        SqliteLog(tmp_path)
    with closing(sqlite3.connect(tmp_path / "events.sqlite3")) as file:
        assert file.execute("SELECT name FROM sqlite_schema").fetchall() == [("of_tomorrow",)]
