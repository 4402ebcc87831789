"""Calls of visitors who left before Python was up: ``POST /v1/early``, sent by the snippet's stub as a beacon."""

from __future__ import annotations

from typing import Any

import msgspec
from satsuma.environment import Environment
from satsuma.errors import SatsumaError
from satsuma.platforms.server.cookies import SAFE, CookieChange, set_cookie
from satsuma.platforms.server.departed import Departure, replay
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from satsuma_server.errors import BadRequestError, CollectorError
from satsuma_server.settings import Settings

from .caller import Caller
from .endpoint import Ingest
from .stamp import parse_time

LIBRARY_VERSION = "satsuma-early"
UNUSABLE = (SatsumaError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""What the core raises at load options that no page would give."""


class _Body(msgspec.Struct):
    calls: list[list[Any]]
    writeKey: str = ""  # noqa: N815
    sentAt: str = ""  # noqa: N815
    cookies: str = ""
    storage: dict[str, str] = {}
    options: dict[str, Any] = {}
    domain: str = ""
    locale: str | None = None
    timezone: str | None = None


_bodies = msgspec.json.Decoder(_Body)


class Early:
    """Makes events of calls that no page could make events of any more."""

    def __init__(self, settings: Settings, ingest: Ingest) -> None:
        self._settings = settings
        self._ingest = ingest

    def route(self) -> Route:
        """Return the route below ``/v1``."""
        return Route("/early", self._take, methods=["POST"])

    async def _take(self, request: Request) -> Response:
        try:
            caller = Caller.of(request.scope, self._settings)
            body = _decoded(await self._ingest.body(request.receive, caller))
            bodies, cookies = await _replayed(body, caller, request)
            if not bodies:
                return Response(status_code=204)
            answer = await self._ingest.take("batch", f'{{"batch":[{",".join(bodies)}]}}'.encode(), caller)
        except CollectorError as error:
            return self._ingest.fail(error)
        told = Response(answer.body, answer.status_code, media_type="application/json")
        for cookie in cookies:
            told.headers.append("Set-Cookie", cookie)
        return told


async def _replayed(body: _Body, caller: Caller, request: Request) -> tuple[list[str], list[str]]:
    try:
        page = await replay(_departure(body, caller.user_agent))
        return page.bodies, _cookies(page.jar.changes, body.domain, request)
    except UNUSABLE as error:
        raise BadRequestError(f"can't be used: {error}", path=".options") from error


def _decoded(body: bytes) -> _Body:
    try:
        return _bodies.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequestError(f"the body is not a stub's: {error}") from error


def _departure(body: _Body, user_agent: str | None) -> Departure:
    return Departure(
        write_key=body.writeKey,
        calls=body.calls,
        cookies=body.cookies,
        storage=body.storage,
        options=body.options,
        environment=Environment(
            user_agent=user_agent or "",
            locale=body.locale,
            timezone=body.timezone,
            library_version=LIBRARY_VERSION,
        ),
        sent_at=parse_time(body.sentAt) or 0.0,
    )


def _cookies(changes: dict[str, CookieChange], domain: str, request: Request) -> list[str]:
    """Return the cookies to set: none where the page is of another site than the collector."""
    page = request.headers.get("origin", "").partition("://")[2].partition(":")[0]
    here = request.url.hostname or ""
    if not page or not (_within(page, domain) and _within(here, domain) if domain else page == here):
        return []
    made = (set_cookie(name, change, domain) for name, change in changes.items())
    return [cookie for cookie in made if cookie is not None]


def _within(host: str, domain: str) -> bool:
    return bool(SAFE.fullmatch(domain)) and "." in domain and (host == domain or host.endswith(f".{domain}"))
