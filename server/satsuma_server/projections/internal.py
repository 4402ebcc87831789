"""Routes of the second process for the collector alone: on a separate socket, protected by a shared secret.

Requests from outside can't reach them: these are forwarded to another socket, which doesn't have these routes.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from satsuma_server.errors import NotFoundError, TooLargeError, UnauthorizedError, UnavailableError
from satsuma_server.http.responses import HANDLERS, error_response

SECRET = "x-satsuma-secret"  # noqa: S105
"""The header with the secret. The proxy removes it from requests that come from outside."""

ANSWER_SECONDS = 60


@runtime_checkable
class AnswersCollector(Protocol):
    """A projection with routes for the collector alone."""

    def internal_routes(self) -> Sequence[BaseRoute]:
        """Return the routes that only the collector can reach."""
        ...


def create_internal(parts: Sequence[object], secret: str) -> Starlette:
    """Return an app with the internal routes of all projections that have some."""
    routes = [route for part in parts if isinstance(part, AnswersCollector) for route in part.internal_routes()]
    return Starlette(routes=routes, middleware=[Middleware(_Guard, secret=secret)], exception_handlers=HANDLERS)


class _Guard:
    """Answers only requests that show the secret."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        given = dict(scope["headers"]).get(SECRET.encode(), b"")
        if hmac.compare_digest(given, self._secret):
            return await self._app(scope, receive, send)
        return await error_response(UnauthorizedError("only the collector may ask here"))(scope, receive, send)


class InternalClient:
    """The collector's client for the internal routes."""

    def __init__(self, socket: Path, secret: str) -> None:
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)),
            base_url="http://worker",
            timeout=httpx.Timeout(ANSWER_SECONDS, read=None, connect=5),
            headers={SECRET: secret},
        )

    async def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """Post JSON to a path, and return the answer.

        Raises:
            UnavailableError: the second process is not running, or can't answer now.
        """
        try:
            answer = await self._client.post(path, content=msgspec.json.encode(body))
        except httpx.TransportError as error:
            raise UnavailableError("this part of the collector is starting: try again in a moment") from error
        told = answer.json()
        if answer.status_code != 200:
            errors = {404: NotFoundError, 413: TooLargeError}
            raise errors.get(answer.status_code, UnavailableError)(told["error"]["message"])
        return told

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
