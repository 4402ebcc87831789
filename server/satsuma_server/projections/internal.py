"""What the collector alone asks its worker: on a socket of its own, with a secret that both know from the start.

No request from outside comes here: what is passed on goes to another socket, where none of these routes is.
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
"""The header that carries it. The proxy passes none on that comes from outside."""

ANSWER_SECONDS = 60


@runtime_checkable
class AnswersCollector(Protocol):
    """A part that has something to tell the collector, and nobody else."""

    def internal_routes(self) -> Sequence[BaseRoute]:
        """Return the routes that only the collector reaches."""
        ...


def create_internal(parts: Sequence[object], secret: str) -> Starlette:
    """Return the app that answers the collector for all parts that have something to tell it."""
    routes = [route for part in parts if isinstance(part, AnswersCollector) for route in part.internal_routes()]
    return Starlette(routes=routes, middleware=[Middleware(_Guard, secret=secret)], exception_handlers=HANDLERS)


class _Guard:
    """Lets nobody pass who doesn't know the secret."""

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
    """The collector's way to it."""

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
            UnavailableError: the worker is away, or can't do it now.
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
        """Let go of the connections."""
        await self._client.aclose()
