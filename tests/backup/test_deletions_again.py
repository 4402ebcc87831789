"""Who was deleted after a backup was made stays deleted when it is restored with the later record of deletions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from backup.test_drill import command, refusal, take
from satsuma_server.privacy.deleted_ids import FILE
from satsuma_server.privacy.erasure_check import find_in_files
from satsuma_server.testing import started
from upgrade.folder import Folder, arguments

ANN, PHONE, EARLIER = "ann-who-was-deleted", "phone-of-ann-4711", "eve-who-came-back"
EVENTS = [
    {"type": "identify", "anonymousId": PHONE, "userId": ANN, "messageId": "a1", "traits": {"plan": "free"}},
    {"type": "track", "anonymousId": PHONE, "messageId": "a2", "event": "Signed Up"},
    {"type": "track", "anonymousId": "device-of-bob", "userId": "bob", "messageId": "b1", "event": "Signed Up"},
    {"type": "track", "anonymousId": PHONE, "messageId": "refused"},
]
COME_BACK = {"type": "track", "userId": EARLIER, "messageId": "e2", "event": "Came Back"}


@contextmanager
def collector(at: Path) -> Iterator[Folder]:
    with started(at, *arguments(at), env={"SATSUMA_WORKER": "1"}) as told:
        folder = Folder(told)
        folder.ready()
        yield folder
        folder.end()


def caught_up(folder: Folder, user: str) -> None:
    folder.rows("select 1")
    folder.patiently("GET", f"/v1/profiles/user_id:{user}")


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a backup, and the data folder of the collector, which has deleted somebody before and after."""
    at = tmp_path_factory.mktemp("backups")
    with collector(at) as folder:
        folder.post({**COME_BACK, "messageId": "e1"})
        folder.http.delete(f"/v1/people/user_id:{EARLIER}").raise_for_status()
        folder.post(*EVENTS, COME_BACK)
        caught_up(folder, EARLIER)
        take(folder, at / "copy", at / "satsuma.toml", at / "data")
        folder.http.delete(f"/v1/people/user_id:{ANN}?suppress=1").raise_for_status()
        take(folder, at / "later", at / "satsuma.toml", at / "data")
    assert find_in_files(at / "data", [ANN, PHONE]) == []
    return at


@pytest.mark.parametrize("record", ["data", "later", f"data/{FILE}"])
def test_a_restored_collector_has_nobody_who_was_deleted_since(backups: Path, tmp_path: Path, record: str) -> None:
    restore = ("restore", backups / "copy", "--config", backups / "satsuma.toml", "--data", tmp_path / "data")
    told = " ".join(command(*restore, "--deletions", backups / record).split())
    assert "deleted 2 ids again" in told
    assert find_in_files(tmp_path, [ANN, PHONE]) == []
    with collector(tmp_path) as folder:
        # Who had come back before the backup was made is there, and so is everybody else.
        assert folder.events() == ["b1", "e2"]
        caught_up(folder, "bob")
        assert folder.rows("select count(*) from shop.tracks") == [[2]]
        assert folder.lines("/v1/refused") == []
        folder.post({"type": "page", "userId": ANN, "messageId": "a3"}, {"type": "page", "userId": "bob"})
        assert len(folder.events()) == 3, "the later suppression list keeps her out"
    assert find_in_files(tmp_path / "data", [ANN, PHONE]) == []


def test_without_a_record_they_are_back_and_that_is_said(backups: Path, tmp_path: Path) -> None:
    told = " ".join(command("restore", backups / "copy", "--data", tmp_path / "data").split())
    assert "People who were deleted after that are there again" in told
    assert "--deletions" in told
    assert find_in_files(tmp_path / "data", [ANN]) != []


def test_nobody_can_read_in_the_record_who_was_deleted(backups: Path) -> None:
    assert find_in_files(backups / "later", [ANN, PHONE]) == []
    assert (backups / "data" / FILE).stat().st_mode & 0o077 == 0


def test_a_folder_without_a_record_is_refused(backups: Path, tmp_path: Path) -> None:
    told = refusal("restore", backups / "copy", "--data", tmp_path / "data", "--deletions", tmp_path)
    assert "has no record of deletions" in told
    assert not (tmp_path / "data").exists()
