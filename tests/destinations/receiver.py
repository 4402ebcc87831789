"""What the tests share: a server that takes what destinations send, and a worker that has nothing but destinations."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from satsuma_server.destinations.projection import Destinations
from satsuma_server.forwarding import AnyDestination, destinations_from
from satsuma_server.log import Arrivals, ReadableLog
from satsuma_server.log.shared import SharedLog
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings
from satsuma_server.testing import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

TOKEN = "the-token"

Answer = Callable[["Received"], Response]


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def batch(self) -> list[dict[str, Any]]:
        """The events of a webhook's batch."""
        return list(self.json["batch"])


@dataclass
class Receiver:
    """A server that keeps what comes, and answers as `answer` says."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    answer: Answer = field(default=lambda request: PlainTextResponse("ok"))

    def events(self) -> list[dict[str, Any]]:
        """The events of all webhook requests that were answered with 200, in order."""
        return [event for request in self.requests for event in request.batch]

    async def take(self, request: Request) -> Response:
        headers = dict(request.headers)
        received = Received(request.url.path, dict(request.query_params), headers, await request.body(), request.method)
        response = await asyncio.to_thread(self.answer, received)
        if response.status_code == 200:
            self.requests.append(received)
        return response


@contextmanager
def receiving(answer: Answer | None = None) -> Iterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    if answer is not None:
        receiver.answer = answer
    app = Starlette(routes=[Route("/{path:path}", receiver.take, methods=["GET", "POST", "DELETE", "PUT"])])
    with serving(app) as url:
        receiver.url = url
        yield receiver


@contextmanager
def working(data: Path, *tables: dict[str, Any]) -> Iterator[TestClient]:
    """Run a worker with these destinations, and yield a client that holds the token."""
    settings = Settings(data, token=TOKEN, accept_any_key=True, destinations=settings_of(*tables))

    def make(settings: Settings, log: ReadableLog) -> list[Any]:
        return [Destinations(settings, log)]

    app = create_worker(settings, SharedLog(data), make)
    with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def settings_of(*tables: dict[str, Any]) -> tuple[AnyDestination, ...]:
    return destinations_from([{"start": "beginning", **table} for table in tables])


def track(id: str, person: str = "ann", **more: Any) -> dict[str, Any]:
    """Return an event as the log has it."""
    return {
        "type": "track",
        "event": "Bought",
        "messageId": id,
        "userId": person,
        "anonymousId": None,
        "receivedAt": "2026-11-29T06:00:00.000Z",
        "timestamp": "2026-11-29T06:00:00.000Z",
        **more,
    }


def write(data: Path, events: Sequence[dict[str, Any]], source: str = "shop") -> None:
    """Write events into the log of a collector that doesn't run."""

    async def run() -> None:
        log = SqliteLog(data)
        bodies = [json.dumps(event).encode() for event in events]
        ids = [event["messageId"] for event in events]
        await log.append(Arrivals(source, time.time() * 1000, ids, bodies))
        await log.close()

    asyncio.run(run())


def until[T](look: Callable[[], T], seconds: float = 60) -> T:
    """Return what `look` returns, as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def status(worker: TestClient, name: str = "crm") -> dict[str, Any]:
    """Return a destination's status; an empty one while the destinations are being opened."""
    answer = worker.get("/v1/destinations")
    if answer.status_code == 503:
        return {"lag": -1, "state": "", "problem": "", "cursor": -1, "counts": {}}
    return dict(next(one for one in answer.raise_for_status().json() if one["name"] == name))


def is_done(worker: TestClient, seq: int, name: str = "crm") -> bool:
    """Tell whether a destination is done with all events up to a seq."""
    return int(status(worker, name)["cursor"]) >= seq
