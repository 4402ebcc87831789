"""A collector whose posts are written down, and fail where a test says so."""

from __future__ import annotations

import gzip
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from satsuma_server.app import create_app
from satsuma_server.settings import Settings
from satsuma_server.testing import Collector, serving
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "test-token"
GZIP = b"\x1f\x8b"
"""How what is compressed begins."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer in the collector's place.

    Attributes:
        lost: the collector took the request; only its answer got lost on the way.
    """

    status: int
    headers: dict[str, str]
    lost: bool


@dataclass(frozen=True, slots=True)
class Posted:
    """One POST of a client.

    Attributes:
        headers: by lower-case name.
        at: seconds of a monotonic clock.
        fault: what was answered in the collector's place, None where it answered itself.
    """

    path: str
    headers: dict[str, str]
    raw: bytes
    at: float
    fault: Fault | None

    @property
    def body(self) -> dict[str, Any]:
        """The body's JSON."""
        # A page can't say so in a header without a preflight.
        text = gzip.decompress(self.raw) if self.raw.startswith(GZIP) else self.raw
        content: dict[str, Any] = json.loads(text)
        return content

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events as the client wrote them: a batch's, or the only one."""
        content = self.body
        batch: list[dict[str, Any]] = content.get("batch", [content])
        return batch


@dataclass(slots=True)
class Faults:
    """Stands between clients and a collector.

    Attributes:
        posted: all posts so far, in order.
        answered: how many of them have their answer.
    """

    posted: list[Posted] = field(default_factory=list)
    answered: int = 0
    _next: deque[Fault] = field(default_factory=deque)

    def answer_next(self, *statuses: int, lost: bool = False, **headers: str) -> None:
        """Answer the next posts with these statuses; headers as ``retry_after="1"``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._next.extend(Fault(status, named, lost) for status in statuses)

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return an ASGI app that passes on to `app` what isn't to fail."""

        async def stand_between(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["method"] != "POST":
                await app(scope, receive, send)
                return
            raw = await _whole_body(receive)
            fault = self._next.popleft() if self._next else None
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.posted.append(Posted(scope["path"], headers, raw, time.monotonic(), fault))
            if fault is None or fault.lost:
                await app(scope, _again(raw, receive), _nowhere if fault else send)
            if fault:
                await JSONResponse({"success": False}, fault.status, fault.headers)(scope, receive, send)
            self.answered += 1

        return stand_between


@contextmanager
def watched_collector(data: Path, faults: Faults) -> Iterator[Collector]:
    """Run a collector behind `faults`."""
    app = create_app(Settings(data, token=TOKEN, accept_any_key=True, worker=False))
    # Inside the collector's CORS, where its own answers come from: a browser shows a page no others.
    app.user_middleware.append(Middleware(faults.around))
    with serving(app) as url:
        yield Collector(url, TOKEN)


async def _whole_body(receive: Receive) -> bytes:
    body = b""
    message: Message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body once more, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def _nowhere(message: Message) -> None:
    pass
