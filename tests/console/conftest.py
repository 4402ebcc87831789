from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from satsuma_server.console import Console
from satsuma_server.log.shared import SharedLog
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings
from satsuma_server.testing import Collector, running
from starlette.testclient import TestClient

TOKEN = "the-token"
PLAN = """
[track."Signed Up".properties]
plan = {enum = ["free", "premium"]}
seats = {type = "integer"}
"""
PAGE = {"accept": "text/html"}


@dataclass
class Desk:
    """A console, and the collector whose log it follows.

    Attributes:
        web: a browser's requests to the console, logged in where a test does so.
    """

    collector: Collector
    web: TestClient

    def send(self, *events: dict[str, Any], source: str = "shop") -> None:
        """Post events as a library does."""
        answer = httpx.post(f"{self.collector.url}/v1/batch", json={"batch": list(events)}, auth=(source, ""))
        assert answer.status_code == 200, answer.text

    def log_in(self, token: str = TOKEN, **more: str) -> Any:
        return self.web.post("/console/login", data={"token": token, **more}, follow_redirects=False)

    def see(self, path: str, text: str = "", seconds: float = 60) -> str:
        """Return a page's HTML once `text` is in it. What it is of may still be being opened."""
        until = time.monotonic() + seconds
        while True:
            answer = self.web.get(f"/console/{path}", headers=PAGE)
            assert answer.status_code in (200, 503), answer.text
            if answer.status_code == 200 and text in answer.text:
                return str(answer.text)
            assert time.monotonic() < until, f"{text!r} is not in {answer.text}"
            time.sleep(0.05)

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.see("live"))
        assert found
        return found[1]


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[[], Desk]]:
    """A function that opens a console over the test's collector."""
    with running(tmp_path, token=TOKEN) as collector:
        clients: list[TestClient] = []

        def make() -> Desk:
            settings = Settings(tmp_path, token=TOKEN, accept_any_key=True)
            app = create_worker(settings, SharedLog(tmp_path), lambda settings, log: [Console(settings, log)])
            client = TestClient(app)
            client.__enter__()
            clients.append(client)
            return Desk(collector, client)

        yield make
        for client in clients:
            client.__exit__(None, None, None)


@pytest.fixture
def planned_desk(tmp_path: Path) -> Iterator[Desk]:
    """A console over a collector that refuses what is not as planned."""
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    with running(tmp_path / "data", token=TOKEN, plan=plan, plan_mode="refuse") as collector:
        app = create_worker(
            Settings(tmp_path / "data", token=TOKEN, accept_any_key=True),
            SharedLog(tmp_path / "data"),
            lambda settings, log: [Console(settings, log)],
        )
        with TestClient(app) as client:
            made = Desk(collector, client)
            assert made.log_in().status_code == 303
            yield made


@pytest.fixture
def desk(make_desk: Callable[[], Desk]) -> Desk:
    """A console that somebody is logged in at."""
    made = make_desk()
    assert made.log_in().status_code == 303
    return made
