"""The read API: ``GET /v1/events`` and others that need a token, and whether more can be written: ``/health``."""

from __future__ import annotations

import asyncio

import msgspec
from satsuma.clock import iso_time
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from satsuma_server.errors import CollectorError, UnavailableError
from satsuma_server.http.auth import authorize, check_source, still_authorized
from satsuma_server.http.parameters import number
from satsuma_server.http.responses import NDJSON, UNCACHED
from satsuma_server.log import DeadLetter, EventLog
from satsuma_server.plans.violations import Violations
from satsuma_server.settings import Settings

from .event_filter import EventFilter
from .event_pages import follow, read_page

DEFAULT_LIMIT = 1000
MAX_LIMIT = 10_000
NEXT_AFTER = "X-Satsuma-Next-After"
"""Header of an answer that tells the ``after`` of the next request; the same as this one's once there is no more."""

HEALTH_TIMEOUT = 5
"""Seconds that the log has to take a write before it counts as not ready."""


class ReadApi:
    """Answers those who hold the token; others by the error that the app turns into an answer."""

    def __init__(self, settings: Settings, log: EventLog, violations: Violations | None = None) -> None:
        self._violations = violations
        self._settings = settings
        self._log = log

    def routes(self) -> list[Route]:
        """Return the routes below ``/v1``."""
        return [
            Route("/events", self._events),
            Route("/refused", self._refused),
            Route("/violations", self._not_as_planned),
            Route("/audit-log", self._audit_log),
            Route("/health", self._health),
        ]

    async def _events(self, request: Request) -> Response:
        """Stored events as NDJSON, in the log's order: a page of them, or with ``follow=1`` all that come.

        A page may be short, or empty, though there is more, since the work of one request has bounds; see `NEXT_AFTER`.
        """
        holder = authorize(request, self._settings)
        after = self._after(request)
        limit = number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
        wanted = EventFilter.of(request).within(holder.sources)
        for source in wanted.sources:
            check_source(holder, source)
        if request.query_params.get("follow") == "1":
            lines = follow(self._log, after, wanted, lambda: still_authorized(request, self._settings))
            return StreamingResponse(lines, media_type=NDJSON, headers=UNCACHED)
        page = await read_page(self._log, after, limit, wanted)
        return Response(page.lines, media_type=NDJSON, headers={**UNCACHED, NEXT_AFTER: str(page.next_after)})

    def _after(self, request: Request) -> int:
        newest = number(request, "last", -1, MAX_LIMIT)
        if newest >= 0:
            return max(0, self._log.last - newest)
        return number(request, "after", 0, 2**63 - 1)

    async def _refused(self, request: Request) -> Response:
        holder = authorize(request, self._settings)
        after = number(request, "after", 0, 2**63 - 1)
        limit = number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
        found: list[DeadLetter] = []
        while len(found) < limit and (letters := await self._log.dead_letters(after, limit)):
            found += [letter for letter in letters if not holder.sources or letter.source in holder.sources]
            after = letters[-1].id
        lines = b"".join(_letter_line(letter) for letter in found[:limit])
        return Response(lines, media_type=NDJSON, headers=UNCACHED)

    async def _not_as_planned(self, request: Request) -> Response:
        """What was not as planned, counted, as NDJSON, the newest first; nothing where there is no plan."""
        holder = authorize(request, self._settings)
        counts = self._violations.list() if self._violations else []
        told = (count for count in counts if not holder.sources or count["source"] in holder.sources)
        lines = b"".join(msgspec.json.encode(count) + b"\n" for count in told)
        return Response(lines, media_type=NDJSON, headers=UNCACHED)

    async def _audit_log(self, request: Request) -> Response:
        """The newest entries of the audit log, as NDJSON, the oldest of them first."""
        authorize(request, self._settings)
        limit, person = number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT), request.query_params.get("person", "")
        try:
            lines = await asyncio.to_thread(self._settings.audit_log.newest, limit, person)
        except OSError as error:
            raise UnavailableError(f"the audit log can't be read: {error.strerror}") from error
        return Response(b"".join(lines), media_type=NDJSON, headers=UNCACHED)

    async def _health(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(HEALTH_TIMEOUT):
                await self._log.check()
        except TimeoutError:
            error = UnavailableError(f"the log took no write for {HEALTH_TIMEOUT} s")
            return JSONResponse({"status": "unavailable", "reason": str(error)}, 503)
        except CollectorError as error:
            return JSONResponse({"status": "unavailable", "reason": str(error)}, 503)
        return JSONResponse({"status": "ready"})


def _letter_line(letter: DeadLetter) -> bytes:
    told = {
        "id": letter.id,
        "source": letter.source,
        "reason": letter.reason,
        "receivedAt": iso_time(letter.received_at),
        "raw": letter.raw.decode("utf-8", "backslashreplace"),
    }
    return msgspec.json.encode(told) + b"\n"
