"""The second process: started, asked, killed and started again, and gone with the collector."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
from satsuma_server.log import ReadableLog, Stored
from satsuma_server.log.follower import Follower
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings, Source, settings_from_json, settings_to_json
from satsuma_server.testing import started
from server.test_log import arrivals
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient


def until[T](look: Callable[[], T | None], seconds: float = 60) -> T:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return found


def workers_of(process: Any) -> list[psutil.Process]:
    return [child for child in psutil.Process(process.pid).children(recursive=True) if _is_worker(child)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "satsuma_server.projections" in process.cmdline()
    except psutil.Error:
        return False  # It has just ended.


class Counting:
    """A part that counts what it follows."""

    def __init__(self, log: ReadableLog) -> None:
        self.seen = 0
        self._follower = Follower(log, "counting", self._take)

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/count", self._answer)]

    async def start(self) -> None:
        self._follower.start()

    async def stop(self) -> None:
        await self._follower.stop()

    async def _take(self, events: Sequence[Stored]) -> None:
        self.seen += len(events)

    async def _answer(self, request: Request) -> Response:
        return PlainTextResponse(str(self.seen))


def test_a_part_follows_the_log_of_another_connection_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    settings = Settings(tmp_path)

    def write(*ids: str) -> None:
        async def run() -> None:
            log = SqliteLog(tmp_path)
            await log.append(arrivals(*ids))
            await log.close()

        asyncio.run(run())

    def make(settings: Settings, log: ReadableLog) -> list[Any]:
        return [Counting(log)]

    write("a", "b")
    with TestClient(create_worker(settings, SharedLog(tmp_path), make)) as client:
        until(lambda: client.get("/count").text == "2")
        write("c")
        until(lambda: client.get("/count").text == "3")
    write("d", "e")
    with TestClient(create_worker(settings, SharedLog(tmp_path), make)) as client:
        until(lambda: client.get("/count").text == "2")


def test_settings_reach_the_worker_as_they_are(tmp_path: Path) -> None:
    settings = Settings(
        tmp_path,
        token="t",
        write_keys=frozenset({"a"}),
        sources=(Source("b", "B", ("https://b.example",)),),
        worker=False,
    )
    assert settings_from_json(settings_to_json(settings).decode()) == settings


def ask(url: str) -> int:
    try:
        with urllib.request.urlopen(f"{url}/v1/worker?x=1", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_collector_passes_requests_on_and_says_when_it_can_not(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--accept-any-key", env={"SATSUMA_WORKER": "1"}) as told:
        until(lambda: ask(told["url"]) == 200)
        for worker in workers_of(told["process"]):
            worker.kill()
        assert ask(told["url"]) == 503
        until(lambda: ask(told["url"]) == 200)


def test_the_worker_lives_and_dies_with_the_collector(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--accept-any-key", env={"SATSUMA_WORKER": "1"}) as told:
        first = until(lambda: workers_of(told["process"]))[0]
        first.kill()
        second = until(lambda: [one for one in workers_of(told["process"]) if one.pid != first.pid])[0]
        told["process"].send_signal(signal.SIGTERM)
        told["process"].wait(20)
        until(lambda: not second.is_running())


def test_a_killed_collector_leaves_no_worker_behind(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--accept-any-key", env={"SATSUMA_WORKER": "1"}) as told:
        worker = until(lambda: workers_of(told["process"]))[0]
        os.kill(told["process"].pid, signal.SIGKILL)
        until(lambda: not worker.is_running())
