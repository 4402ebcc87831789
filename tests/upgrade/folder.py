"""Makes a data folder with something in every store, and packs it: ``python tests/upgrade/folder.py NAME.tar.xz``.

The folders in this folder were written by the versions of Satsuma that their names tell of. Each must open in all later
ones, so they are never made anew; a release that changes a table adds one.
"""

from __future__ import annotations

import signal
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from satsuma_server.access.scopes import Scope
from satsuma_server.access.token_file import TokenFile
from satsuma_server.testing import started

TOKEN = "t"
KEY = "shop"
CONFIG = """
accept_any_key = true
dedupe_hours = 1000000
[warehouse]
seconds = 0.1
[[destinations]]
name = "crm"
type = "files"
path = "{lake}"
gather_seconds = 0
"""
EVENTS: list[dict[str, Any]] = [
    {"type": "page", "anonymousId": "a1", "messageId": "m1", "name": "Home"},
    {"type": "identify", "anonymousId": "a1", "userId": "ann", "messageId": "m2", "traits": {"plan": "free"}},
    {"type": "track", "anonymousId": "a2", "userId": "ann", "messageId": "m3", "event": "Signed Up"},
    {"type": "track", "anonymousId": "a3", "messageId": "m4", "event": "Order Completed", "properties": {"total": 3.5}},
    {"type": "group", "userId": "ann", "messageId": "m5", "groupId": "g1", "traits": {"name": "Initech"}},
]
REFUSED: dict[str, Any] = {"type": "track", "anonymousId": "a4", "messageId": "m6"}
SUPPRESSED = "mallory"


class Folder:
    """A collector with its worker, started on a folder."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.http = httpx.Client(
            base_url=told["url"], headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60
        )

    def post(self, *events: dict[str, Any]) -> None:
        self.http.post("/v1/batch", json={"writeKey": KEY, "batch": list(events)}).raise_for_status()

    def events(self) -> list[str]:
        return [httpx.Response(200, content=line).json()["messageId"] for line in self.lines("/v1/events")]

    def lines(self, path: str) -> list[bytes]:
        return self.http.get(path).raise_for_status().content.splitlines()

    def rows(self, sql: str) -> list[list[Any]]:
        answer = self.patiently("POST", "/v1/sql", json={"query": sql, "fresh": True})
        return answer.json()["rows"]  # type: ignore[no-any-return]

    def last(self) -> int:
        return max(httpx.Response(200, content=line).json()["seq"] for line in self.lines("/v1/events"))

    def ready(self) -> None:
        """Wait until all followers run."""
        self.patiently("GET", "/v1/worker")
        until = time.monotonic() + 60
        while self.patiently("GET", "/v1/destinations").json()[0]["state"] != "running":
            assert time.monotonic() < until
            time.sleep(0.05)

    def caught_up(self) -> None:
        """Wait until all followers have what the log has."""
        last = self.last()
        self.rows("select 1")
        until = time.monotonic() + 60
        while self.patiently("GET", "/v1/destinations").json()[0]["cursor"] < last:
            assert time.monotonic() < until
            time.sleep(0.05)
        self.patiently("GET", "/v1/profiles/user_id:ann")

    def patiently(self, method: str, path: str, **more: Any) -> httpx.Response:
        until = time.monotonic() + 90
        while (answer := self.http.request(method, path, **more)).status_code in (404, 429, 503):
            assert time.monotonic() < until, answer.text
            time.sleep(0.1)
        return answer.raise_for_status()

    def end(self) -> None:
        self.told["process"].send_signal(signal.SIGTERM)
        self.told["process"].wait(60)


def arguments(folder: Path) -> list[str]:
    """Write the settings; return the arguments of a collector with them."""
    config = folder / "satsuma.toml"
    config.write_text(CONFIG.format(lake=folder / "lake"))
    return ["serve", "--config", str(config), "--token", TOKEN]


def fill(folder: Folder) -> None:
    """Have something written to every store."""
    folder.post(*EVENTS, REFUSED)
    folder.http.delete(f"/v1/people/user_id:{SUPPRESSED}?suppress=1").raise_for_status()
    folder.caught_up()


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        with started(at, *arguments(at), env={"SATSUMA_WORKER": "1"}) as told:
            folder = Folder(told)
            folder.ready()
            fill(folder)
            TokenFile(at / "data").create("reader", [Scope.READ_EVENTS])
            folder.end()
        with tarfile.open(target, "w:xz") as archive:
            archive.add(at / "data", "data")
        print([file.relative_to(at).as_posix() for file in sorted((at / "data").rglob("*"))], target.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
