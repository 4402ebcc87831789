"""Two collectors on one data folder, as an upgrade that overlaps or a second start by hand makes them.

Each would count its events by itself: two events would get one seq, and followers would pass over one of them, which
its sender was told is kept.
"""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest
from satsuma_server.app import create_app
from satsuma_server.errors import UnavailableError
from satsuma_server.settings import Settings
from satsuma_server.testing import Collector, running, started

SERVE = ("serve", "--accept-any-key", "--token", "test-token")


def post(url: str, id: str) -> None:
    event = {"type": "page", "userId": "u", "messageId": id}
    httpx.post(f"{url}/v1/page", json=event, trust_env=False, timeout=60).raise_for_status()


def ids_in(collector: Collector) -> list[str]:
    return [event["messageId"] for event in collector.events()]


def test_a_second_collector_does_not_write_to_the_folder_of_the_first(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as first:
        post(first.url, "a")
        with pytest.raises(UnavailableError, match="another collector writes to"):
            create_app(Settings(data, accept_any_key=True, worker=False))
        with pytest.raises(RuntimeError, match="another collector writes to"), started(tmp_path, *SERVE, data=data):
            pass
        post(first.url, "b")
        assert ids_in(first) == ["a", "b"]
    with running(data) as again:
        post(again.url, "c")
        assert ids_in(again) == ["a", "b", "c"]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_the_next_one_starts_as_soon_as_the_first_has_ended(tmp_path: Path, ending: signal.Signals) -> None:
    data = tmp_path / "data"
    # With its worker, which is a child of it and may outlive it by a moment.
    with started(tmp_path, *SERVE, data=data, env={"SATSUMA_WORKER": "1"}) as told:
        post(told["url"], "a")
        told["process"].send_signal(ending)
        told["process"].wait(60)
        with running(data) as again:
            post(again.url, "b")
            assert ids_in(again) == ["a", "b"]


def test_a_folder_that_can_not_be_opened_is_free_again(tmp_path: Path) -> None:
    (tmp_path / "events.sqlite3").write_text("no log")
    for _ in range(2):
        with pytest.raises(UnavailableError, match="is not a log"):
            create_app(Settings(tmp_path, worker=False))
    (tmp_path / "events.sqlite3").unlink()
    with running(tmp_path) as collector:
        post(collector.url, "a")
