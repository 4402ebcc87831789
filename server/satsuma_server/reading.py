"""Reading back what was stored, and whether more can be: ``GET /v1/events`` and ``GET /v1/health``."""

from __future__ import annotations

import asyncio
import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from satsuma_server.errors import BadRequestError, CollectorError, UnauthorizedError, UnavailableError
from satsuma_server.ingest.routes import error_response
from satsuma_server.log import EventLog, Stored
from satsuma_server.settings import Settings

DEFAULT_LIMIT = 1000
MAX_LIMIT = 10_000
HEALTH_TIMEOUT = 5
"""Seconds that the log has to take a write before it counts as not ready."""


class Reading:
    """Answers those who hold the token."""

    def __init__(self, settings: Settings, log: EventLog) -> None:
        self._settings = settings
        self._log = log

    def routes(self) -> list[Route]:
        """Return the routes below ``/v1``."""
        return [Route("/events", self._events), Route("/health", self._health)]

    async def _events(self, request: Request) -> Response:
        try:
            self._authorize(request)
            after = _number(request, "after", 0, 2**63 - 1)
            limit = _number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
        except CollectorError as error:
            return error_response(error)
        lines = b"".join(line(stored) for stored in await self._log.read(after, limit))
        return Response(lines, media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})

    def _authorize(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self._settings.token.encode()):
            raise UnauthorizedError("the token is missing or wrong: send Authorization: Bearer TOKEN")

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


def line(stored: Stored) -> bytes:
    """Return a stored event as one line of NDJSON, with its seq."""
    return stored.body[:-1] + b',"seq":%d}\n' % stored.seq


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise BadRequestError(f"is not a whole number: {text[:50]!r}", path=f"?{name}")
    return min(int(text), most)
